package repository

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// OlderValues returns the next patients after the given id who hold a value under an older key than the primary, at most limit, and the id to go
// on after, Nil when there are no more. It belongs into InTx.
func (r *PatientRepository) OlderValues(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error) {
	primary := r.store.keyring.Sealer(phi.Data).Primary()
	ids, err := r.ids(ctx, Page{Limit: limit, After: after}, withKeyOtherThan(patientColumns(), primary))
	return ids, lastOf(ids, limit), err
}

// OlderTokens is OlderValues for index tokens. It looks at patients page by page, since the tokens that were replaced stay in their index for a
// while: whoever looked there would pass by all of them each time.
func (r *PatientRepository) OlderTokens(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error) {
	page, err := r.ids(ctx, Page{Limit: limit, After: after})
	if err != nil || len(page) == 0 {
		return nil, uuid.Nil, err
	}
	current := "bi1:" + r.store.keyring.Indexer().Primary() + ":"
	var ids []uuid.UUID
	err = r.store.handle(ctx).Model(&models.BlindIndex{}).Distinct("patient_id").
		Where("patient_id IN ? AND (token < ? OR token >= ?)", page, current, current[:len(current)-1]+";").Pluck("patient_id", &ids).Error
	return ids, lastOf(page, limit), translate(err)
}

func (r *PatientRepository) ids(ctx context.Context, page Page, where ...func(*gorm.DB) *gorm.DB) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	db := page.apply(r.store.handle(ctx).Model(&models.Patient{}).Scopes(where...))
	return ids, translate(db.Limit(page.Limit).Pluck("id", &ids).Error)
}

// lastOf returns the last id of a full page.
func lastOf(page []uuid.UUID, limit int) uuid.UUID {
	if len(page) < limit {
		return uuid.Nil
	}
	return page[len(page)-1]
}

// Reseal seals patients again under the primary key, and returns what became of them. A row that is changed meanwhile is left to its change,
// which seals it anew by itself. It belongs into InTx; nobody is shown anything.
func (r *PatientRepository) Reseal(ctx context.Context, ids []uuid.UUID) ([]audit.Subject, error) {
	rows, _, err := r.List(ctx, Page{Limit: len(ids)}, withIDs(ids))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	withhold(ctx, rows)
	return r.write(ctx, patientColumns(), rows)
}

func withIDs(ids []uuid.UUID) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB { return db.Where("id IN ?", ids) }
}

func patientColumns() []models.SealedColumn {
	var columns []models.SealedColumn
	for _, c := range models.SealedColumns() {
		if c.Table == "patient" {
			columns = append(columns, c)
		}
	}
	return columns
}

// write updates the sealed columns of rows in one statement, where their version is still the one that was read. It returns those that it wrote.
func (r *PatientRepository) write(ctx context.Context, columns []models.SealedColumn, rows []*models.Patient) ([]audit.Subject, error) {
	db := r.store.handle(ctx)
	var values []string
	var args []any
	subjects := make(map[uuid.UUID]audit.Subject, len(rows))
	for _, p := range rows {
		if p.Unreadable() {
			continue // found and recorded when it is read; sealing it again would hide it
		}
		sealed, err := p.Renew(db)
		if err != nil {
			return nil, translate(err)
		}
		if subjects[p.ID], err = p.Subject(); err != nil {
			return nil, translate(err)
		}
		args = append(args, p.ID.String(), p.Version)
		for _, v := range sealed {
			args = append(args, v)
		}
		values = append(values, r.placeholders(len(args)-len(sealed)-2, columns))
	}
	if len(values) == 0 {
		return nil, nil
	}
	var names, sets []string
	for _, c := range columns {
		names = append(names, c.Column)
		sets = append(sets, c.Column+" = v."+c.Column)
	}
	// Past the guard: hooks would count a change that is none. The values are sealed, and the database checks that.
	written, err := db.Statement.ConnPool.QueryContext(ctx, fmt.Sprintf(
		"WITH v (id, version, %s) AS (VALUES %s) UPDATE patient SET %s FROM v WHERE patient.id = v.id AND patient.version = v.version RETURNING patient.id",
		strings.Join(names, ", "), strings.Join(values, ", "), strings.Join(sets, ", ")), args...)
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = written.Close() }()
	out := make([]audit.Subject, 0, len(subjects))
	for written.Next() {
		var id uuid.UUID
		if err := written.Scan(&id); err != nil {
			return nil, translate(err)
		}
		out = append(out, subjects[id])
	}
	return out, translate(written.Err())
}

// placeholders returns one row of VALUES whose first parameter comes after n others.
func (r *PatientRepository) placeholders(n int, columns []models.SealedColumn) string {
	types := []string{"uuid", "bigint"}
	for _, c := range columns {
		if c.JSON {
			types = append(types, "jsonb")
		} else {
			types = append(types, "text")
		}
	}
	parts := make([]string, len(types))
	for i, typ := range types {
		if r.store.engine == SQLite {
			parts[i] = fmt.Sprintf("?%d", n+i+1)
		} else {
			parts[i] = fmt.Sprintf("$%d::%s", n+i+1, typ)
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Reindex replaces patients' tokens by those under the primary key, and returns whose. It belongs into InTx; nobody is shown anything.
func (r *PatientRepository) Reindex(ctx context.Context, ids []uuid.UUID) ([]audit.Subject, error) {
	db := r.store.handle(ctx)
	rows, _, err := r.List(ctx, Page{Limit: len(ids)}, withIDs(ids), func(db *gorm.DB) *gorm.DB {
		if r.store.engine == PostgreSQL { // a change of the patient must not slip in between reading and writing tokens
			db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
		}
		return db
	})
	if err != nil {
		return nil, err
	}
	withhold(ctx, rows)
	var tokens []models.BlindIndex
	subjects := make([]audit.Subject, len(rows))
	for i, p := range rows {
		if p.Unreadable() {
			return nil, translate(fmt.Errorf("%w: patient %s", phi.ErrUnreadable, p.ID))
		}
		own, err := p.Tokens(db)
		if err != nil {
			return nil, translate(err)
		}
		tokens = append(tokens, own...)
		if subjects[i], err = p.Subject(); err != nil {
			return nil, translate(err)
		}
	}
	if err := db.Where("patient_id IN ?", ids).Delete(&models.BlindIndex{}).Error; err != nil {
		return nil, translate(err)
	}
	return subjects, r.insertTokens(ctx, tokens)
}

// insertTokens hands PostgreSQL two arrays: reading thousands of parameters would take it, and us, as long as the rest.
func (r *PatientRepository) insertTokens(ctx context.Context, rows []models.BlindIndex) error {
	db := r.store.handle(ctx)
	if len(rows) == 0 {
		return nil
	}
	if r.store.engine == SQLite {
		return translate(db.CreateInBatches(&rows, 1000).Error)
	}
	tokens, ids := make([]string, len(rows)), make([]uuid.UUID, len(rows))
	for i, row := range rows {
		tokens[i], ids[i] = row.Token, row.PatientID
	}
	_, err := db.Statement.ConnPool.ExecContext(ctx,
		"INSERT INTO blindindex (token, patient_id) SELECT * FROM unnest($1::text[], $2::uuid[])", tokens, ids)
	return translate(err)
}
