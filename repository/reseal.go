package repository

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// ResealRepository moves the sealed values of one model's rows to the primary key.
type ResealRepository struct {
	store   *Store
	model   reflect.Type
	table   string
	columns []models.SealedColumn
}

// NewResealRepositories returns one repository for each model of patient data.
func NewResealRepositories(s *Store) []*ResealRepository {
	var out []*ResealRepository
	for _, m := range models.SealedRows() {
		table := models.TableOf(m)
		out = append(out, &ResealRepository{store: s, model: reflect.TypeOf(m).Elem(), table: table, columns: sealedColumnsOf(table)})
	}
	return out
}

func sealedColumnsOf(table string) []models.SealedColumn {
	var columns []models.SealedColumn
	for _, c := range models.SealedColumns() {
		if c.Table == table {
			columns = append(columns, c)
		}
	}
	return columns
}

// Table returns the name of the model's table.
func (r *ResealRepository) Table() string { return r.table }

// OlderValues returns the ids of the next rows after the given id that hold a value under an older key than the
// primary, at most limit. It also returns the id to continue after, Nil when there are no more. Call it inside
// InTx.
func (r *ResealRepository) OlderValues(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error) {
	primary := r.store.keyring.Sealer(phi.Data).Primary()
	var ids []uuid.UUID
	db := r.store.handle(ctx).Model(reflect.New(r.model).Interface()).Scopes(withKeyOtherThan(r.columns, primary))
	err := Page{Limit: limit, After: after}.apply(db).Limit(limit).Pluck("id", &ids).Error
	return ids, lastOf(ids, limit), translate(err)
}

// CountOlderValues returns the number of rows that hold a value under an older key than the primary. Call it inside
// InTx.
func (r *ResealRepository) CountOlderValues(ctx context.Context) (int64, error) {
	var n int64
	primary := r.store.keyring.Sealer(phi.Data).Primary()
	err := r.store.handle(ctx).Model(reflect.New(r.model).Interface()).Scopes(withKeyOtherThan(r.columns, primary)).Count(&n).Error
	return n, translate(err)
}

// lastOf returns the last id of a full page, and Nil for any other page.
func lastOf(page []uuid.UUID, limit int) uuid.UUID {
	if len(page) < limit {
		return uuid.Nil
	}
	return page[len(page)-1]
}

// Moved is the result of moving rows to a new key.
type Moved struct {
	Subjects   []audit.Subject // the rows that moved
	Unreadable []uuid.UUID     // rows that can't be opened: moving them would hide the damage
}

// Reseal seals rows again under the primary key. It skips a row that is changed in the meantime, because that
// change seals the row anew. Call it inside InTx. It shows no row to anyone.
func (r *ResealRepository) Reseal(ctx context.Context, ids []uuid.UUID) (Moved, error) {
	rows, err := r.read(ctx, ids)
	if err != nil || len(rows) == 0 {
		return Moved{}, err
	}
	withhold(ctx, rows)
	var moved Moved
	var readable []models.SealedRow
	for _, row := range rows {
		if row.Unreadable() {
			moved.Unreadable = append(moved.Unreadable, row.Identity())
		} else {
			readable = append(readable, row)
		}
	}
	moved.Subjects, err = r.write(ctx, readable)
	return moved, err
}

// read opens the rows of ids that nobody else has moved in the meantime. Rows that can't be opened are marked
// Unreadable.
func (r *ResealRepository) read(ctx context.Context, ids []uuid.UUID) ([]models.SealedRow, error) {
	found := reflect.New(reflect.SliceOf(reflect.PointerTo(r.model)))
	older := withKeyOtherThan(r.columns, r.store.keyring.Sealer(phi.Data).Primary())
	if err := r.store.handle(models.TolerateUnreadable(ctx)).Scopes(withIDs(ids), older).Order("id").Find(found.Interface()).Error; err != nil {
		return nil, translate(err)
	}
	rows := make([]models.SealedRow, found.Elem().Len())
	for i := range rows {
		rows[i], _ = reflect.TypeAssert[models.SealedRow](found.Elem().Index(i))
	}
	return rows, nil
}

func withIDs(ids []uuid.UUID) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB { return db.Where("id IN ?", ids) }
}

// write updates the sealed columns of rows in one statement, if their version is still the one that was read. It
// returns the rows that it wrote.
func (r *ResealRepository) write(ctx context.Context, rows []models.SealedRow) ([]audit.Subject, error) {
	db := r.store.handle(ctx)
	var values []string
	var args []any
	subjects := make(map[uuid.UUID]audit.Subject, len(rows))
	for _, row := range rows {
		sealed, err := models.Renew(db, row)
		if err != nil {
			return nil, translate(err)
		}
		subject, err := models.SubjectOf(row)
		if err != nil {
			return nil, translate(err)
		}
		subjects[subject.ID] = subject
		args = append(args, subject.ID.String(), *subject.RowVersion)
		for _, v := range sealed {
			args = append(args, v)
		}
		values = append(values, r.placeholders(len(args)-len(sealed)-2))
	}
	if len(values) == 0 {
		return nil, nil
	}
	// Bypasses the guard: hooks would record a change although the content stays. The values are sealed, and the
	// database checks that.
	written, err := db.Statement.ConnPool.QueryContext(ctx, r.update(values), args...)
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

// update returns the UPDATE statement for values. Each of values is one row of VALUES.
func (r *ResealRepository) update(values []string) string {
	var names, sets []string
	for _, c := range r.columns {
		names = append(names, c.Column)
		sets = append(sets, c.Column+" = v."+c.Column)
	}
	return fmt.Sprintf("WITH v (id, version, %[1]s) AS (VALUES %[2]s) UPDATE %[4]s SET %[3]s FROM v "+
		"WHERE %[4]s.id = v.id AND %[4]s.version = v.version RETURNING %[4]s.id",
		strings.Join(names, ", "), strings.Join(values, ", "), strings.Join(sets, ", "), r.table)
}

// placeholders returns one row of VALUES, whose first parameter comes after n others.
func (r *ResealRepository) placeholders(n int) string {
	types := []string{"uuid", "bigint"}
	for _, c := range r.columns {
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
