package repository

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
)

// Moment is the time at which an account's event occurred.
type Moment struct {
	EventID    uuid.UUID
	OccurredAt time.Time
}

// Emergencies returns the ids of the events of emergency access in a period: events that opened an emergency
// access, and events under one.
func (r *AuditLogRepository) Emergencies(ctx context.Context, from, to time.Time) ([]uuid.UUID, error) {
	return r.inPeriod(ctx, from, to, "a.action = ? OR a.purpose = ?", audit.BreakGlass, audit.BreakTheGlass)
}

// inPeriod returns the ids of the events in a period that satisfy a condition, in their order.
func (r *AuditLogRepository) inPeriod(ctx context.Context, from, to time.Time, condition string, more ...any) ([]uuid.UUID, error) {
	conditions, values := AuditLogQuery{From: from, To: to}.where("a.id")
	conditions = append(conditions, "("+condition+")")
	return r.store.ids(ctx, "SELECT a.id FROM auditlog AS a WHERE "+strings.Join(conditions, " AND ")+" ORDER BY a.id", append(values, more...)...)
}

// PatientAccesses calls do with each event in a period by which an account saw or changed patient data, in their
// order. It shows no patient data itself.
func (r *AuditLogRepository) PatientAccesses(ctx context.Context, from, to time.Time, do func(Moment)) error {
	conditions, values := AuditLogQuery{From: from, To: to, Outcome: []string{audit.Success}}.where("a.id")
	tables := models.SealedRows()
	conditions = append(conditions, "a.user_id IS NOT NULL", "a.entity_type IN (?"+strings.Repeat(", ?", len(tables)-1)+")")
	for _, row := range tables {
		values = append(values, models.TableOf(row))
	}
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, r.store.rebind(
		"SELECT a.id, a.occurred_at FROM auditlog AS a WHERE "+strings.Join(conditions, " AND ")+" ORDER BY a.id"), values...)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m Moment
		if err := rows.Scan(&m.EventID, &m.OccurredAt); err != nil {
			return translate(err)
		}
		do(m)
	}
	return translate(rows.Err())
}

// OwnRecords returns the ids of events in a period by which an account saw or changed the record of a patient with
// its own e-mail address. The events come account by account and patient by patient, each in their order.
func (r *AuditLogRepository) OwnRecords(ctx context.Context, from, to time.Time) ([]uuid.UUID, error) {
	var accounts []models.Account
	if err := r.store.handle(ctx).Find(&accounts).Error; err != nil {
		return nil, translate(err)
	}
	var found []uuid.UUID
	for _, account := range accounts {
		tokens, err := models.EmailTokens(r.store.keyring.Indexer(), account.Email)
		if err != nil {
			return nil, err
		}
		ids, err := r.ownRecords(ctx, from, to, account.ID, tokens)
		if err != nil {
			return nil, err
		}
		found = append(found, ids...)
	}
	return found, nil
}

func (r *AuditLogRepository) ownRecords(ctx context.Context, from, to time.Time, account uuid.UUID, tokens []string) ([]uuid.UUID, error) {
	var tokened []models.BlindIndex
	if err := r.store.handle(ctx).Where("token IN ?", tokens).Find(&tokened).Error; err != nil {
		return nil, translate(err)
	}
	var found []uuid.UUID
	for _, row := range tokened {
		conditions, values := AuditLogQuery{From: from, To: to, UserID: []uuid.UUID{account}, Outcome: []string{audit.Success}}.where("s.event_id")
		ids, err := r.store.ids(ctx, "SELECT s.event_id FROM auditsubject AS s CROSS JOIN auditlog AS a WHERE a.id = s.event_id AND "+
			strings.Join(conditions, " AND ")+" AND s.entity_id = ? ORDER BY s.event_id", append(values, row.PatientID.String())...)
		if err != nil {
			return nil, err
		}
		found = append(found, ids...)
	}
	return found, nil
}
