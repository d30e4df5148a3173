package handler

import (
	"time"

	"github.com/google/uuid"

	"novamind/service"
)

// sessionAnswer has no version, so that ending a session needs no If-Match.
type sessionAnswer struct {
	ID         uuid.UUID `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at" doc:"The time of the last request, at most one minute out of date."`
	ExpiresAt  time.Time `json:"expires_at"`
	Address    *string   `json:"address" doc:"The IP address of the login." example:"192.0.2.1"`
	Current    bool      `json:"current" doc:"Whether this request uses the session."`
}

func newSessionAnswer(s service.OwnSession) sessionAnswer {
	return sessionAnswer{
		ID: s.ID, CreatedAt: s.CreatedAt.UTC(), LastSeenAt: s.LastSeenAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(),
		Address: s.Address, Current: s.Current,
	}
}
