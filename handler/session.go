package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
)

type sessionAnswer struct {
	ID         uuid.UUID `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	Address    *string   `json:"address"`
	Current    bool      `json:"current"`
}

func newSessionAnswer(s *models.Session, current uuid.UUID) sessionAnswer {
	return sessionAnswer{
		ID: s.ID, CreatedAt: s.CreatedAt.UTC(), LastSeenAt: s.LastSeenAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(), Address: s.Address,
		Current: s.ID == current,
	}
}

func (a *API) listSessions(c *gin.Context) error {
	q, err := readQuery(c, "limit", "cursor")
	if err != nil {
		return err
	}
	params := q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	actor, err := audit.ActorFrom(c.Request.Context())
	if err != nil {
		return err
	}
	span, err := a.cursors.span(c, params, actor.ID)
	if err != nil {
		return err
	}
	found, more, err := a.Auth.Sessions(c.Request.Context(), pageOf(span))
	if err != nil {
		return err
	}
	items := make([]sessionAnswer, len(found))
	for i, s := range found {
		items[i] = newSessionAnswer(s, actor.SessionID)
	}
	return writePage(c, span, items, lastID(found, more, func(s *models.Session) uuid.UUID { return s.ID }))
}

// endSession takes no If-Match: a session has no versions, and nothing may stand in the way of ending it.
func (a *API) endSession(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Auth.EndSession(c.Request.Context(), id); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
