package handler

import (
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
	"novamind/service"
)

type auditLogAnswer struct {
	ID         uuid.UUID      `json:"id"`
	OccurredAt time.Time      `json:"occurred_at"`
	UserID     *uuid.UUID     `json:"user_id"`
	Action     string         `json:"action"`
	EntityType string         `json:"entity_type"`
	EntityID   *uuid.UUID     `json:"entity_id"`
	Subjects   []uuid.UUID    `json:"subjects"`
	Changes    models.Changes `json:"changes"`
	Details    *string        `json:"details"`
	Reason     *string        `json:"reason"`
	Outcome    string         `json:"outcome"`
	Origin     string         `json:"origin"`
	RequestID  *string        `json:"request_id"`
}

func newAuditLogAnswer(e *models.AuditLog) auditLogAnswer {
	answer := auditLogAnswer{
		ID: e.ID, OccurredAt: e.OccurredAt.UTC(), UserID: e.UserID, Action: e.Action, EntityType: e.EntityType, EntityID: e.EntityID,
		Subjects: make([]uuid.UUID, len(e.Subjects)), Changes: e.Changes.Data(), Details: e.Details, Reason: e.Reason.Optional(),
		Outcome: e.Outcome, Origin: e.Origin, RequestID: e.RequestID,
	}
	for i, s := range e.Subjects {
		answer.Subjects[i] = s.EntityID
	}
	return answer
}

// listAuditLogs lists events, newest first.
func (a *API) listAuditLogs(c *gin.Context) error {
	q, err := readQuery(c, "user_id", "entity_id", "subject", "action", "entity_type", "outcome", "request_id", "from", "to", "limit", "cursor")
	if err != nil {
		return err
	}
	query := service.AuditLogQuery{
		UserID: valueOr(q.UUID("user_id"), uuid.Nil), EntityID: valueOr(q.UUID("entity_id"), uuid.Nil), Subject: valueOr(q.UUID("subject"), uuid.Nil),
		Action: valueOr(q.Text("action", 50), ""), EntityType: valueOr(q.Text("entity_type", 100), ""),
		Outcome: valueOr(q.Text("outcome", 50), ""), RequestID: valueOr(q.Text("request_id", 128), ""),
		From: valueOr(q.Time("from"), time.Time{}), To: valueOr(q.Time("to"), time.Time{}),
	}
	params := q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	span, err := a.cursors.span(c, params, query)
	if err != nil {
		return err
	}
	page := pageOf(span)
	page.Descending = true
	found, more, err := a.AuditLogs.Search(c.Request.Context(), query, page)
	if err != nil {
		return err
	}
	items := make([]any, len(found))
	for i, e := range found {
		if e.Unreadable() {
			items[i] = unreadableAnswer{e.ID, true}
		} else {
			items[i] = newAuditLogAnswer(e)
		}
	}
	return writePage(c, span, items, lastID(found, more, func(e *models.AuditLog) uuid.UUID { return e.ID }))
}
