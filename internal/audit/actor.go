package audit

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// ErrOutOfScope is returned if the requested resource is outside the actor's scope. The caller gets the same answer
// as for a missing resource; the log records the difference.
var ErrOutOfScope = errors.New("audit: outside the actor's scope")

// ErrNoActor is returned if nobody is responsible for an access, so that the access does not happen.
var ErrNoActor = errors.New("audit: no actor in the context")

// Actor is the party responsible for every access in a context.
type Actor struct {
	ID        uuid.UUID // the account; Nil for jobs of the system and for requests before login
	Roles     []string
	Scopes    []string // of an API key: the granted part of its roles' permissions; nil: all of them
	SessionID uuid.UUID
	APIKeyID  uuid.UUID // the key used instead of a session
	Origin    string    // "api", or "system:<job>"
	RequestID string

	OnBehalfOf string // the person that started a job, by the operating system's name
	Address    string // the network address of the request
	Route      string // the pattern of the request's route, never its path
	Purpose    string // purpose of use (HL7 v3 PurposeOfUse), if the client states one
}

type actorKey struct{}

// WithActor returns a context in which a is responsible for every access.
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

// System returns a context in which the named job of the program is the actor.
func System(ctx context.Context, job string) context.Context {
	return WithActor(ctx, Actor{Roles: []string{"system"}, Origin: SystemOrigin + job})
}
