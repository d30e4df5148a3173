package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
	"novamind/service"
)

type auditLogAnswer struct {
	ID           uuid.UUID      `json:"id"`
	OccurredAt   time.Time      `json:"occurred_at"`
	UserID       *uuid.UUID     `json:"user_id"`
	ActorRoles   []string       `json:"actor_roles"`
	OnBehalfOf   *string        `json:"on_behalf_of"`
	SessionID    *uuid.UUID     `json:"session_id"`
	APIKeyID     *uuid.UUID     `json:"api_key_id"`
	Address      *string        `json:"address"`
	Route        *string        `json:"route"`
	Purpose      *string        `json:"purpose"`
	DataCategory *string        `json:"data_category"`
	Action       string         `json:"action"`
	EntityType   string         `json:"entity_type"`
	EntityID     *uuid.UUID     `json:"entity_id"`
	Subjects     []uuid.UUID    `json:"subjects"`
	Changes      models.Changes `json:"changes"`
	Details      *string        `json:"details"`
	Reason       *string        `json:"reason"`
	Outcome      string         `json:"outcome"`
	Origin       string         `json:"origin"`
	RequestID    *string        `json:"request_id"`
}

func newAuditLogAnswer(e *models.AuditLog) auditLogAnswer {
	answer := auditLogAnswer{
		ID: e.ID, OccurredAt: e.OccurredAt.UTC(), UserID: e.UserID, ActorRoles: append([]string{}, e.ActorRoles...),
		OnBehalfOf: e.OnBehalfOf, SessionID: e.SessionID, APIKeyID: e.APIKeyID, Address: e.Address, Route: e.Route, Purpose: e.Purpose,
		DataCategory: e.DataCategory, Action: e.Action, EntityType: e.EntityType, EntityID: e.EntityID,
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
	return a.answerAuditLogs(c, uuid.Nil, "subject")
}

// listPatientAuditLogs lists the events that concern a patient, newest first; also those of one who is gone.
func (a *API) listPatientAuditLogs(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	return a.answerAuditLogs(c, id)
}

// answerAuditLogs answers a list of events, of one subject unless it is nil. more are parameters besides those that every list of events takes.
func (a *API) answerAuditLogs(c *gin.Context, subject uuid.UUID, more ...string) error {
	q, err := readQuery(c, append(more, "user_id", "entity_id", "action", "entity_type", "outcome", "origin", "request_id", "from", "to", "limit", "cursor")...)
	if err != nil {
		return err
	}
	known := func(name string) string { return valueOr(q.OneOf(name, service.AuditFilters()[name]), "") }
	query := service.AuditLogQuery{
		UserID: valueOr(q.UUID("user_id"), uuid.Nil), EntityID: valueOr(q.UUID("entity_id"), uuid.Nil), Subject: valueOr(q.UUID("subject"), subject),
		Action: known("action"), EntityType: known("entity_type"), Outcome: known("outcome"), Origin: known("origin"),
		RequestID: valueOr(q.Text("request_id", 128), ""),
		From:      valueOr(q.Time("from"), time.Time{}), To: valueOr(q.Time("to"), time.Time{}),
	}
	if !query.From.IsZero() && !query.To.IsZero() && query.To.Before(query.From) {
		q.add("to", "out_of_range", "Must not lie before from.")
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
	found, hasMore, err := a.AuditLogs.Search(c.Request.Context(), query, page)
	if err != nil {
		return err
	}
	return writePage(c, span, AuditLogAnswers(found), lastID(found, hasMore, func(e *models.AuditLog) uuid.UUID { return e.ID }))
}

// AuditLogAnswers returns events as the API shows them.
func AuditLogAnswers(events []*models.AuditLog) []any {
	items := make([]any, len(events))
	for i, e := range events {
		if e.Unreadable() {
			items[i] = unreadableAnswer{e.ID, true}
		} else {
			items[i] = newAuditLogAnswer(e)
		}
	}
	return items
}

// getAuditLog answers one event.
func (a *API) getAuditLog(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	e, err := a.AuditLogs.Get(c.Request.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, newAuditLogAnswer(e))
}

type diffAnswer struct {
	ID   uuid.UUID  `json:"id"`
	Diff audit.Diff `json:"diff"`
}

// getAuditLogDiff answers what an event changed, from what to what.
func (a *API) getAuditLogDiff(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	diff, err := a.AuditLogs.OpenDiff(c.Request.Context(), id)
	if err != nil {
		return err
	}
	if diff == nil {
		diff = audit.Diff{}
	}
	return writeJSON(c, http.StatusOK, diffAnswer{id, diff})
}
