package service

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/accounting"
	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
)

// Access is an event in a patient's accounting.
type Access struct {
	*models.AuditLog
	Who string // the account's name; empty if a job or an unknown caller acted
}

// Accounting lists the accesses to a patient's data (45 CFR 164.528), in all rows of the same person, oldest first.
// begin gets the patient first, then show gets page after page. begin gets nil if the record is gone or can't be
// opened, or if no role of the actor sees all patients. Each page is recorded before it is shown. Accounting returns
// a Forbidden error.
func (s *AuditLogService) Accounting(ctx context.Context, patient uuid.UUID, from, to time.Time, begin func(*models.Patient) error, show func([]Access) error) error {
	begun := false
	q := AuditLogQuery{Subject: []uuid.UUID{patient}, From: from, To: to, Outcome: []string{audit.Success}}
	intent := audit.Intent{Action: audit.Read, EntityType: "patient", EntityID: patient, Details: "accounting of accesses"}
	var person *models.Patient
	return inChunks(ctx, s.store, AuditLogAccounting, intent, func(ctx context.Context, page Page) ([]Access, uuid.UUID, bool, error) {
		rows, err := s.patients.SamePerson(ctx, patient)
		if err != nil {
			return nil, uuid.Nil, false, err
		}
		others := slices.DeleteFunc(rows, func(id uuid.UUID) bool { return id == patient })
		q.Subject = append([]uuid.UUID{patient}, others...)
		if !begun && seesDemographics(ctx) {
			if person, err = s.patients.ByID(ctx, patient); err != nil && !apperr.Is(err, apperr.NotFound) && !apperr.Is(err, apperr.Unreadable) {
				return nil, uuid.Nil, false, err
			}
		}
		found, more, err := s.events.Search(ctx, q, page)
		if err != nil || len(found) == 0 {
			return nil, uuid.Nil, false, err
		}
		accesses, err := s.accesses(ctx, found)
		return accesses, found[len(found)-1].ID, more, err
	}, func(accesses []Access) error {
		if !begun {
			begun = true
			if err := begin(person); err != nil {
				return err
			}
		}
		return show(accesses)
	})
}

func (s *AuditLogService) accesses(ctx context.Context, events []*models.AuditLog) ([]Access, error) {
	var ids []uuid.UUID
	for _, e := range events {
		if e.UserID != nil {
			ids = append(ids, *e.UserID)
		}
	}
	names, err := s.accounts.Names(ctx, ids)
	if err != nil {
		return nil, err
	}
	accesses := make([]Access, len(events))
	for i, e := range events {
		accesses[i].AuditLog = e
		if e.UserID != nil {
			accesses[i].Who = names[*e.UserID]
		}
	}
	return accesses, nil
}

// AccountingLines returns accesses as lines of the accounting's page.
func AccountingLines(accesses []Access) []accounting.Line {
	lines := make([]accounting.Line, len(accesses))
	for i, a := range accesses {
		lines[i] = accounting.Line{
			When: a.OccurredAt, Who: a.Who, Roles: a.ActorRoles, Action: a.Action, Data: a.EntityType, Fields: a.Changes.Data().Fields, Purpose: deref(a.Purpose),
		}
		if lines[i].Who == "" {
			lines[i].Who = a.Origin
		}
		if !a.Unreadable() {
			lines[i].Reason = a.Reason.Plain()
		}
	}
	return lines
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
