package repository

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/models"
)

// Page is a position in a list ordered by id (keyset paging). Rows that are added, changed or removed in the
// meantime shift nothing.
type Page struct {
	Limit      int
	After      uuid.UUID // Nil: from the start
	Descending bool      // newest first

	ByTime    string    // the column of a time by which the list is ordered first; empty: by id alone
	AfterTime time.Time // the value of that column in the row After

	ByUpdate bool   // in the order of updated_at, regardless of the list's own order
	Since    *Since // changes since a time, in that order; nil: all rows
}

func (p Page) apply(db *gorm.DB) *gorm.DB {
	if p.Since != nil {
		db = db.Where("updated_at >= ?", p.Since.From.UTC())
	}
	if p.Since != nil || p.ByUpdate {
		p.ByTime, p.Descending = "updated_at", false
	}
	past, direction := " > ", ""
	if p.Descending {
		past, direction = " < ", " DESC"
	}
	if p.ByTime != "" {
		if p.After != uuid.Nil {
			db = db.Where("("+p.ByTime+", id)"+past+"(?, ?)", p.AfterTime.UTC(), p.After)
		}
		return db.Order(p.ByTime + direction + ", id" + direction)
	}
	if p.After != uuid.Nil {
		db = db.Where("id"+past+"?", p.After)
	}
	return db.Order("id" + direction)
}

// Base has the methods that every repository shares (specification 4.1), for a model M.
type Base[M any] struct{ store *Store }

// ByID returns the row with this id. It returns a NotFound or an Unreadable error.
func (r Base[M]) ByID(ctx context.Context, id uuid.UUID) (*M, error) {
	var m M
	if err := r.store.handle(ctx).Where("id = ?", id).Take(&m).Error; err != nil {
		return nil, translate(err)
	}
	return &m, nil
}

// List returns one page of rows, at most page.Limit, narrowed by where, and whether there are more. Rows that can't
// be opened are marked Unreadable.
func (r Base[M]) List(ctx context.Context, page Page, where ...func(*gorm.DB) *gorm.DB) ([]*M, bool, error) {
	if page.Since != nil {
		if err := page.Since.mark(ctx, r.store); err != nil {
			return nil, false, err
		}
	}
	var rows []*M
	db := page.apply(r.store.handle(models.TolerateUnreadable(ctx)).Scopes(where...))
	if err := db.Limit(page.Limit + 1).Find(&rows).Error; err != nil {
		return nil, false, translate(err)
	}
	found, more := onePage(ctx, rows, page.Limit)
	return found, more, nil
}

// onePage cuts off the extra row, which was read only to learn whether there are more.
func onePage[M any](ctx context.Context, rows []M, limit int) ([]M, bool) {
	if len(rows) <= limit {
		return rows, false
	}
	withhold(ctx, rows[limit:])
	if unit, err := audit.Current(ctx); err == nil {
		patient := models.PatientOf(rows[limit])
		if !slices.ContainsFunc(rows[:limit], func(row M) bool { return models.PatientOf(row) == patient }) {
			unit.Withhold(patient)
		}
	}
	return rows[:limit], true
}

// known returns the subset of ids that are rows already. It shows nothing of them, and is not an access.
func (r Base[M]) known(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	var known []uuid.UUID
	if err := r.store.handle(ctx).Model(new(M)).Where("id IN ?", ids).Pluck("id", &known).Error; err != nil {
		return nil, translate(err)
	}
	out := make(map[uuid.UUID]bool, len(known))
	for _, id := range known {
		out[id] = true
	}
	return out, nil
}

// withhold takes rows out of the event of the current unit. The rows were read, but are not part of the answer.
func withhold[M any](ctx context.Context, rows []M) {
	unit, err := audit.Current(ctx)
	if err != nil {
		return
	}
	for _, row := range rows {
		if identified, ok := any(row).(interface{ Identity() uuid.UUID }); ok {
			unit.Withhold(identified.Identity())
		}
	}
}

// Create inserts a row. It assigns an id, unless the row has one. It returns a Duplicate error.
func (r Base[M]) Create(ctx context.Context, m *M) error {
	return translate(r.store.handle(ctx).Create(m).Error)
}

// Update writes all columns of a row that was read before. It returns a Stale error if the row has changed since.
func (r Base[M]) Update(ctx context.Context, m *M) error {
	return translate(r.store.handle(ctx).Model(m).Select("*").Updates(m).Error)
}

// Delete removes a row that was read before, and the rows that belong to it. It returns a Stale error if the row
// has changed since.
func (r Base[M]) Delete(ctx context.Context, m *M) error {
	return translate(r.store.handle(ctx).Delete(m).Error)
}
