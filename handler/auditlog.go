package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

// auditOperations are the operations on audit events, their proofs and reviews.
func (a *API) auditOperations() []rest.Operation {
	const patient = "/api/v1/patients/:id"
	const events = "/api/v1/audit-logs"
	const review = "/api/v1/audit-reviews/:week"
	opening := []rest.Need{
		{Permission: service.AuditLogOpenDiff},
		rest.When(service.PatientRead, "with the scope all, if the event is about patients or appointments"),
	}
	return []rest.Operation{
		rest.Row(
			"GET", patient+"/audit-logs", "List the audit events of a patient", web.Session, rest.May(service.AuditLogRead),
			rest.List(a.listPatientAuditLogs, newAuditLogAnswer),
		),
		rest.Row(
			"GET", patient+"/accounting", "Print an accounting of accesses", web.Session, rest.May(service.AuditLogAccounting),
			rest.Raw("text/html", a.printAccounting),
		),
		rest.Row(
			"GET", events, "List audit events", web.Session, rest.May(service.AuditLogRead),
			rest.List(a.listAuditLogs, newAuditLogAnswer),
		),
		rest.Row("GET", events+"/checkpoint", "Show the newest checkpoint", web.Own, nil, rest.Get(a.checkpoint, rest.Same)),
		rest.Row(
			"GET", events+"/:id", "Show an audit event", web.Session, rest.May(service.AuditLogRead),
			rest.Get(a.AuditLogs.Get, newAuditLogAnswer),
		),
		rest.Row("GET", events+"/:id/diff", "Open an audit diff", web.Session, opening, rest.Get(a.openDiff, rest.Same)),
		rest.Row(
			"GET", events+"/:id/proof", "Prove an audit event", web.Session, rest.May(service.AuditLogRead),
			rest.Get(a.prove, rest.Same),
		),
		rest.Row(
			"GET", review, "Show an audit review", web.Session, rest.May(service.ReviewRead),
			rest.Get(a.review, NewReviewAnswer),
		),
		rest.Row(
			"POST", review+"/sign-off", "Sign off an audit review", web.Session, rest.May(service.ReviewSign),
			rest.Post(204, "", a.signOff, signedOff, rest.Same), apperr.Duplicate,
		),
	}
}

type auditLogAnswer struct {
	ID           uuid.UUID      `json:"id"`
	OccurredAt   time.Time      `json:"occurred_at"`
	UserID       *uuid.UUID     `json:"user_id" doc:"The account that acted. Null for a job and for an unknown caller."`
	ActorRoles   []string       `json:"actor_roles" doc:"The roles of the account at that time."`
	OnBehalfOf   *string        `json:"on_behalf_of" doc:"The operating-system user that started the command or job."`
	SessionID    *uuid.UUID     `json:"session_id"`
	APIKeyID     *uuid.UUID     `json:"api_key_id"`
	Address      *string        `json:"address" doc:"The IP address of the caller." example:"192.0.2.7"`
	Route        *string        `json:"route" doc:"The pattern of the route, without ids." example:"/api/v1/patients/:id"`
	Purpose      *string        `json:"purpose" doc:"The purpose of use, a code of HL7 v3 PurposeOfUse." example:"TREAT"`
	DataCategory *string        `json:"data_category" doc:"The category of the data that the event is about." example:"demographics"`
	Action       string         `json:"action" example:"read"`
	EntityType   string         `json:"entity_type" doc:"The type of the row in entity_id, such as patient." example:"patient"`
	EntityID     *uuid.UUID     `json:"entity_id" doc:"The row that the action was about, if there was a single one."`
	Subjects     []uuid.UUID    `json:"subjects" doc:"All rows that were shown or changed."`
	Changes      models.Changes `json:"changes" doc:"The fields that were changed, without their values."`
	Details      *string        `json:"details" doc:"Further information, such as an error code or the names of search filters."`
	Reason       *string        `json:"reason" doc:"The reason that the caller gave."`
	Outcome      string         `json:"outcome" values:"audit outcome"`
	Origin       string         `json:"origin" doc:"The source of the action: the API, a command, a job, or SQL that bypassed the program." example:"api"`
	RequestID    *string        `json:"request_id" doc:"The X-Request-Id of the request."`
}

func newAuditLogAnswer(e *models.AuditLog) auditLogAnswer {
	answer := auditLogAnswer{
		ID: e.ID, OccurredAt: e.OccurredAt.UTC(), UserID: e.UserID, ActorRoles: append([]string{}, e.ActorRoles...),
		OnBehalfOf: e.OnBehalfOf, SessionID: e.SessionID, APIKeyID: e.APIKeyID, Address: e.Address, Route: e.Route,
		Purpose: e.Purpose, DataCategory: e.DataCategory, Action: e.Action, EntityType: e.EntityType,
		EntityID: e.EntityID, Subjects: make([]uuid.UUID, len(e.Subjects)), Changes: e.Changes.Data(),
		Details: e.Details, Reason: e.Reason.Optional(), Outcome: e.Outcome, Origin: e.Origin, RequestID: e.RequestID,
	}
	for i, s := range e.Subjects {
		answer.Subjects[i] = s.EntityID
	}
	return answer
}

// AuditLogAnswers returns events in the API's form for lists, to be written as JSON.
func AuditLogAnswers(events []*models.AuditLog) any { return rest.ItemsOf(events, newAuditLogAnswer) }

// auditLogFilters are the common parameters of all lists of events.
type auditLogFilters struct {
	UserID     []uuid.UUID `json:"user_id" query:"user_id" doc:"Only events of these accounts."`
	EntityID   []uuid.UUID `json:"entity_id" query:"entity_id" doc:"Only events of actions that were about one of these rows alone."`
	Action     []string    `json:"action" query:"action" values:"audit action"`
	EntityType []string    `json:"entity_type" query:"entity_type" values:"audit entity_type" doc:"Only events about rows of these types."`
	Outcome    []string    `json:"outcome" query:"outcome" values:"audit outcome"`
	Origin     []string    `json:"origin" query:"origin" values:"audit origin" doc:"Only actions from these sources."`
	RequestID  string      `json:"request_id" query:"request_id" max:"128" doc:"Only events of the request with this X-Request-Id."`
	From       time.Time   `json:"from" query:"from" doc:"Only events at this time or later."`
	To         time.Time   `json:"to" query:"to" doc:"Only events before this time."`

	web.PageParams
}

type auditLogList struct {
	Subject []uuid.UUID `json:"subject" query:"subject" doc:"Only events that showed or changed one of these rows."`

	auditLogFilters
}

type patientAuditLogList struct {
	rest.ByID
	auditLogFilters
}

// listAuditLogs lists events, newest first.
func (a *API) listAuditLogs(
	ctx context.Context, in auditLogList, page service.Page,
) ([]*models.AuditLog, bool, error) {
	return a.searchAuditLogs(ctx, in.Subject, in.auditLogFilters, page)
}

// listPatientAuditLogs lists the events that concern a patient, newest first, even if the patient was purged.
func (a *API) listPatientAuditLogs(
	ctx context.Context, in patientAuditLogList, page service.Page,
) ([]*models.AuditLog, bool, error) {
	return a.searchAuditLogs(ctx, []uuid.UUID{in.ID}, in.auditLogFilters, page)
}

// searchAuditLogs returns the events that match the filters. If subjects are given, it returns only events about
// them.
func (a *API) searchAuditLogs(
	ctx context.Context, subjects []uuid.UUID, in auditLogFilters, page service.Page,
) ([]*models.AuditLog, bool, error) {
	if !in.From.IsZero() && !in.To.IsZero() && in.To.Before(in.From) {
		return nil, false, apperr.InvalidFields(apperr.Field{
			Pointer: web.InQuery("to"), Code: "out_of_range", Detail: "Must not be before from.",
		})
	}
	page.Descending = true
	return a.AuditLogs.Search(ctx, service.AuditLogQuery{
		UserID: in.UserID, EntityID: in.EntityID, Subject: subjects, Action: in.Action, EntityType: in.EntityType,
		Outcome: in.Outcome, Origin: in.Origin, RequestID: in.RequestID, From: in.From, To: in.To,
	}, page)
}

type diffAnswer struct {
	ID   uuid.UUID  `json:"id"`
	Diff audit.Diff `json:"diff" doc:"The old and the new value of each changed field. A missing value is left out."`
}

// openDiff returns the old and the new value of each field that an event changed.
func (a *API) openDiff(ctx context.Context, id uuid.UUID) (diffAnswer, error) {
	diff, err := a.AuditLogs.OpenDiff(ctx, id)
	return diffAnswer{id, diff}, err
}
