package audit

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// ErrOutOfSight: what was asked for is out of the actor's sight. The caller is told the same as where there is nothing; the log is told.
var ErrOutOfSight = errors.New("audit: out of the actor's sight")

// ErrNoActor: nobody answers for the access, so it does not happen.
var ErrNoActor = errors.New("audit: no actor in the context")

// Actor is who answers for what happens in a context.
type Actor struct {
	ID        uuid.UUID // the account; Nil for jobs of the system and for requests before login
	Roles     []string
	Scopes    []string // of an API key: the permissions of its roles that it has; nil: all of them
	SessionID uuid.UUID
	APIKeyID  uuid.UUID // the key that stands in for a session
	Origin    string    // "api", or "system:<job>"
	RequestID string

	OnBehalfOf string // who started a job, as the operating system knows them
	Address    string // where the request came from
	Route      string // the pattern of the request's route, never its path
	Purpose    string // purpose of use (HL7 v3 PurposeOfUse), where the client states one
}

type actorKey struct{}

// WithActor returns a context in which a answers for every access.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorFrom returns the actor of ctx, or ErrNoActor.
func ActorFrom(ctx context.Context) (Actor, error) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	if !ok {
		return Actor{}, ErrNoActor
	}
	return a, nil
}

// System returns a context in which the named job of the program acts.
func System(ctx context.Context, job string) context.Context {
	return WithActor(ctx, Actor{Roles: []string{"system"}, Origin: SystemOrigin + job})
}
