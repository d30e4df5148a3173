package repository

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
)

// ofPatientDigest stands for the digest of rows about a patient: index tokens, and rows that decide on access to
// the patient. An event of the same transaction that names the patient covers such rows, because no other
// transaction has one of our events.
const ofPatientDigest = "*"

// change is a change that a witness saw and that an event may cover.
type change struct {
	transaction int64
	row         uuid.UUID
	digest      string
}

// coverage is the set of changes that genuine events report.
type coverage map[change]bool

func (c coverage) add(e audit.Entry) {
	if e.TransactionID == nil {
		return
	}
	for _, s := range e.Subjects {
		if s.RowDigest != nil {
			c[change{*e.TransactionID, s.EntityID, *s.RowDigest}] = true
		}
		c[change{*e.TransactionID, s.EntityID, ofPatientDigest}] = true
	}
}

// missing returns the witnesses of changes that no event reports.
func (c coverage) missing(witnesses []models.AuditWitness) []models.AuditWitness {
	return slices.DeleteFunc(slices.Clone(witnesses), func(w models.AuditWitness) bool {
		return w.RowID != nil && c[change{w.TransactionID, *w.RowID, w.RowDigest}]
	})
}

// uncovered returns an event for each change that the database saw and that no event of the program covers. A
// covering event belongs to the same transaction, and names the row and its new digest. An event that somebody
// wrote by hand lacks the program's MAC. genuine are the events of this batch. Other events became leaves before,
// or wait behind the batch.
func (q *Sequencer) uncovered(ctx context.Context, witnesses []models.AuditWitness, genuine []audit.Entry) ([]audit.Event, error) {
	covered := coverage{}
	for _, e := range genuine {
		covered.add(e)
	}
	witnesses = covered.missing(witnesses)
	if err := q.addOthers(ctx, witnesses, covered); err != nil {
		return nil, err
	}
	var findings []audit.Event
	for _, w := range covered.missing(witnesses) {
		findings = append(findings, finding(w))
	}
	return findings, nil
}

// addOthers adds the genuine events outside of the batch that name the witnesses' rows.
func (q *Sequencer) addOthers(ctx context.Context, witnesses []models.AuditWitness, covered coverage) error {
	ids, since := rowsOf(witnesses)
	if len(ids) == 0 {
		return nil
	}
	var subjects []models.AuditSubject
	err := q.store.handle(ctx).Where(q.store.among("entity_id", ids)).
		Where("event_id >= ?", audit.FirstID(since.Add(-time.Hour))).Find(&subjects).Error
	if err != nil {
		return err
	}
	events := make([]uuid.UUID, len(subjects))
	for i, s := range subjects {
		events[i] = s.EventID
	}
	entries, err := q.tree.Entries(ctx, events)
	if err != nil {
		return err
	}
	authenticator := q.store.keyring.LogMAC()
	for _, e := range entries {
		if e.MAC != nil && authenticator.Verify(e.Authenticated(), *e.MAC) {
			covered.add(e)
		}
	}
	return nil
}

// rowsOf returns the ids of the rows that witnesses saw changed, and the time of the first change.
func rowsOf(witnesses []models.AuditWitness) ([]uuid.UUID, time.Time) {
	seen := map[uuid.UUID]bool{}
	var ids []uuid.UUID
	var since time.Time
	for _, w := range witnesses {
		if w.RowID != nil && !seen[*w.RowID] {
			seen[*w.RowID] = true
			ids = append(ids, *w.RowID)
		}
		if since.IsZero() || w.CreatedAt.Before(since) {
			since = w.CreatedAt
		}
	}
	return ids, since
}

// witnessed maps the operations of witnesses to the actions of events.
var witnessed = map[string]string{"insert": audit.Create, "update": audit.Update, "delete": audit.Purge, "truncate": audit.Truncate}

// finding returns the event of a change that the program did not make.
func finding(w models.AuditWitness) audit.Event {
	e := audit.Event{
		Action: witnessed[w.Operation], EntityType: w.TableName, Fields: w.Fields, Outcome: audit.Success,
		OccurredAt: w.CreatedAt.UTC(), Details: "database user " + w.DatabaseUser,
	}
	if w.Address != nil {
		e.Address = *w.Address
	}
	if w.RowID != nil {
		e.EntityID = *w.RowID
		e.Subjects = []audit.Subject{{ID: *w.RowID, EntityType: w.TableName}}
	}
	return e
}
