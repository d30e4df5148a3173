package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
)

// OwnSession is one of the actor's sessions.
type OwnSession struct {
	*models.Session

	Current bool // the session of this request
}

// Sessions returns one page of the actor's sessions, and whether there are more.
func (s *AuthService) Sessions(ctx context.Context, page Page) (own []OwnSession, more bool, err error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, false, err
	}
	now := time.Now().UTC()
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.List, EntityType: "session"})
	err = s.store.Read(ctx, func(ctx context.Context) error {
		found, hasMore, err := s.sessions.OfAccount(ctx, actor.ID, now, s.idleSince(now), page)
		for _, session := range found {
			own = append(own, OwnSession{session, session.ID == actor.SessionID})
		}
		more = hasMore
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return own, more, nil
}

// EndSession ends one of the actor's sessions. It returns a NotFound error.
func (s *AuthService) EndSession(ctx context.Context, id uuid.UUID) error {
	return s.endSession(ctx, audit.EndSession, id)
}

// Logout ends the actor's session.
func (s *AuthService) Logout(ctx context.Context) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	return s.endSession(ctx, audit.Logout, actor.SessionID)
}

func (s *AuthService) endSession(ctx context.Context, action string, id uuid.UUID) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: action, EntityType: "account", EntityID: actor.ID})
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.sessions.End(ctx, actor.ID, id); err != nil {
			return err
		}
		return record(ctx, audit.Event{Action: action, EntityID: actor.ID})
	})
}
