package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/models"
	"novamind/service"
)

// ReviewAnswer is a review as the API shows it.
type ReviewAnswer struct {
	Week      string                `json:"week" doc:"The ISO week, by the clinic's time zone." example:"2026-W07"`
	From      time.Time             `json:"from"`
	To        time.Time             `json:"to"`
	Count     int64                 `json:"count" doc:"The number of events in all sections."`
	Sections  []reviewSectionAnswer `json:"sections"`
	SignedOff *signOffAnswer        `json:"signed_off" doc:"The sign-off of the week. Null until the week is signed off."`
}

// Tag is the number of events. It keeps a reviewer from signing off events that they did not see.
func (r ReviewAnswer) Tag() int64 { return r.Count }

type reviewSectionAnswer struct {
	Kind  string                      `json:"kind" values:"review section"`
	Count int                         `json:"count" doc:"The number of events of this kind."`
	Items []rest.Item[auditLogAnswer] `json:"items" doc:"The first events of this kind, oldest first. There can be fewer items than count."`
}

type signOffAnswer struct {
	EventID uuid.UUID    `json:"event_id" doc:"The audit event of the sign-off."`
	At      time.Time    `json:"at"`
	By      *uuid.UUID   `json:"by" doc:"The account that signed off."`
	ByName  *models.Name `json:"by_name" example:"Alan Example"`
	Note    *string      `json:"note"`
	Details *string      `json:"details" doc:"The week, its number of events and the size of the audit log at the sign-off."`
}

// NewReviewAnswer returns a review as the API shows it.
func NewReviewAnswer(r *service.Review) ReviewAnswer {
	answer := ReviewAnswer{Week: r.Week.Name, From: r.Week.From.UTC(), To: r.Week.To.UTC(), Count: r.Count()}
	for _, s := range r.Sections {
		section := reviewSectionAnswer{s.Kind, s.Count, rest.ItemsOf(s.Events, newAuditLogAnswer)}
		answer.Sections = append(answer.Sections, section)
	}
	if len(r.SignOffs) > 0 {
		answer.SignedOff = newSignOffAnswer(r, r.SignOffs[0])
	}
	return answer
}

func newSignOffAnswer(r *service.Review, e *models.AuditLog) *signOffAnswer {
	if e.Unreadable() {
		return &signOffAnswer{EventID: e.ID}
	}
	return &signOffAnswer{e.ID, e.OccurredAt.UTC(), e.UserID, r.AccountName(e.UserID), e.Reason.Optional(), e.Details}
}

type reviewRequest struct {
	Week string `path:"week" json:"-" doc:"The ISO week." example:"2026-W07"`
}

// review returns the events of a week that need a review.
func (a *API) review(ctx context.Context, in reviewRequest) (*service.Review, error) {
	week, err := a.Reviews.Week(in.Week)
	if err != nil {
		return nil, err
	}
	return a.Reviews.Review(ctx, week)
}

type signOffRequest struct {
	reviewRequest

	Current service.Precondition `header:"If-Match" json:"-"`
	Note    string               `json:"note,omitzero" max:"200" example:"Nothing unusual"`
}

// Faults returns the rules that the note breaks. There may be none.
func (r signOffRequest) Faults(service.Rules) []apperr.Field {
	if r.Note == "" {
		return nil
	}
	return service.ReasonFaults("/note", r.Note)
}

// signOff records that the caller has reviewed a week.
func (a *API) signOff(ctx context.Context, in signOffRequest) (rest.Nothing, error) {
	week, err := a.Reviews.Week(in.Week)
	if err != nil {
		return rest.Nothing{}, err
	}
	return rest.Nothing{}, a.Reviews.SignOff(ctx, week, in.Current, in.Note)
}

// signedOff is the answer to a repeated sign-off.
func signedOff(context.Context, signOffRequest, uuid.UUID) (rest.Nothing, error) {
	return rest.Nothing{}, nil
}
