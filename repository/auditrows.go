package repository

import (
	"context"
	"reflect"
	"strings"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
)

// RowState compares a stored row with the last event of the program that changed the row.
type RowState struct {
	Table   string
	ID      uuid.UUID
	Digest  string // audit.Removed if the row does not exist
	Logged  string // the digest in the event; empty if no event has a digest
	EventID uuid.UUID
	Version *int64 // the row's version in the event
	Older   bool   // changed by an older version of the program, whose events had no digests
}

// Sound reports whether the stored row is the one that the event describes.
func (s RowState) Sound() bool { return s.Digest == s.Logged }

const rowsBatch = 500

// Rows calls do with every row of the models whose changes are events. It also calls do with every row that events
// name but that no longer exists. It shows no row to anyone, so it is not an access.
func (r *AuditTreeRepository) Rows(ctx context.Context, do func(RowState) error) error {
	for _, model := range models.DigestedRows() {
		if err := r.present(ctx, model, do); err != nil {
			return err
		}
		if err := r.gone(ctx, models.TableOf(model), do); err != nil {
			return err
		}
	}
	return nil
}

// present calls do with the stored rows of a model, in the order of their ids.
func (r *AuditTreeRepository) present(ctx context.Context, model any, do func(RowState) error) error {
	after := uuid.Nil
	for {
		states, err := r.batch(ctx, model, after)
		if err != nil || len(states) == 0 {
			return err
		}
		if err := r.settle(ctx, states); err != nil {
			return err
		}
		for _, state := range states {
			if err := do(state); err != nil {
				return err
			}
		}
		after = states[len(states)-1].ID
	}
}

// batch returns the digests of the next rows as they are stored, without opening the rows.
func (r *AuditTreeRepository) batch(ctx context.Context, model any, after uuid.UUID) ([]RowState, error) {
	db := r.store.handle(ctx)
	table := models.TableOf(model)
	rows, err := db.Statement.ConnPool.QueryContext(ctx,
		r.store.rebind("SELECT "+strings.Join(models.ColumnsOf(model), ", ")+" FROM "+table+" WHERE id > ? ORDER BY id LIMIT ?"), after.String(), rowsBatch)
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = rows.Close() }()
	var states []RowState
	for rows.Next() {
		row := reflect.New(reflect.TypeOf(model).Elem()).Interface()
		if err := rows.Scan(destinations(row)...); err != nil {
			return nil, translate(err)
		}
		digest, err := models.RowDigest(row)
		if err != nil {
			return nil, translate(err)
		}
		identified, _ := row.(interface{ Identity() uuid.UUID })
		states = append(states, RowState{Table: table, ID: identified.Identity(), Digest: digest})
	}
	return states, translate(rows.Err())
}

// gone calls do with the rows that events name but that no longer exist.
func (r *AuditTreeRepository) gone(ctx context.Context, table string, do func(RowState) error) error {
	after := uuid.Nil
	for {
		states, err := r.goneBatch(ctx, table, after)
		if err != nil || len(states) == 0 {
			return err
		}
		if err := r.settle(ctx, states); err != nil {
			return err
		}
		for _, state := range states {
			if err := do(state); err != nil {
				return err
			}
		}
		after = states[len(states)-1].ID
	}
}

// goneBatch bypasses the guard, which can't know that this query shows no row.
func (r *AuditTreeRepository) goneBatch(ctx context.Context, table string, after uuid.UUID) ([]RowState, error) {
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, r.store.rebind(
		"SELECT DISTINCT entity_id FROM auditsubject WHERE entity_type = ? AND row_digest IS NOT NULL AND entity_id > ? "+
			"AND NOT EXISTS (SELECT 1 FROM "+table+" WHERE id = entity_id) ORDER BY entity_id LIMIT ?"), table, after.String(), rowsBatch)
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = rows.Close() }()
	var states []RowState
	for rows.Next() {
		state := RowState{Table: table, Digest: audit.Removed}
		if err := rows.Scan(&state.ID); err != nil {
			return nil, translate(err)
		}
		states = append(states, state)
	}
	return states, translate(rows.Err())
}

// markOlder marks the rows without digests that events of an older version name. Rows that no event names stay
// unmarked.
func (r *AuditTreeRepository) markOlder(ctx context.Context, states []RowState) error {
	for i := range states {
		if states[i].Logged != "" {
			continue
		}
		row := r.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx,
			r.store.rebind("SELECT EXISTS (SELECT 1 FROM auditlog WHERE entity_id = ? AND mac IS NULL)"), states[i].ID.String())
		if err := row.Scan(&states[i].Older); err != nil {
			return translate(err)
		}
	}
	return nil
}

// settle fills in the last event on each row: the event with the highest row version, and of several such events
// the newest.
func (r *AuditTreeRepository) settle(ctx context.Context, states []RowState) error {
	places := make(map[uuid.UUID]int, len(states))
	ids := make([]uuid.UUID, len(states))
	for i, state := range states {
		places[state.ID], ids[i] = i, state.ID
	}
	var subjects []models.AuditSubject
	err := r.store.handle(ctx).Where(r.store.among("entity_id", ids)).Where("row_digest IS NOT NULL").Order("row_version, event_id").Find(&subjects).Error
	if err != nil {
		return translate(err)
	}
	for _, s := range subjects {
		state := &states[places[s.EntityID]]
		state.Logged, state.EventID, state.Version = *s.RowDigest, s.EventID, s.RowVersion
	}
	return r.markOlder(ctx, states)
}
