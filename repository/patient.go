package repository

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/models"
)

// PatientRepository finds and keeps patients (specification 4.2).
type PatientRepository struct{ Base[models.Patient] }

// NewPatientRepository returns the patients of a store.
func NewPatientRepository(s *Store) *PatientRepository {
	return &PatientRepository{Base[models.Patient]{s}}
}

// everyone is a page that takes all rows.
var everyone = Page{Limit: 1 << 30}

// ByEmail returns the patients with this e-mail address, however written. Members of a family may share one.
func (r *PatientRepository) ByEmail(ctx context.Context, email string) ([]*models.Patient, error) {
	found, _, err := r.Search(ctx, models.PatientQuery{Email: &email}, everyone, Scope{All: true})
	return found, err
}

// ByPhone returns the patients with this phone number, however written.
func (r *PatientRepository) ByPhone(ctx context.Context, phone string) ([]*models.Patient, error) {
	found, _, err := r.Search(ctx, models.PatientQuery{Phone: &phone}, everyone, Scope{All: true})
	return found, err
}

// ByName returns the patients with these names. Case, accents and spacing don't matter; one part of a compound name
// is enough.
func (r *PatientRepository) ByName(ctx context.Context, first, last string) ([]*models.Patient, error) {
	found, _, err := r.Search(ctx, models.PatientQuery{FirstName: &first, LastName: &last}, everyone, Scope{All: true})
	return found, err
}

// Active returns a page of the active patients.
func (r *PatientRepository) Active(ctx context.Context, page Page) ([]*models.Patient, bool, error) {
	yes := true
	return r.Search(ctx, models.PatientQuery{Active: &yes}, page, Scope{All: true})
}

// Search returns one page of the patients in scope that match q, and whether there are more. An index token of a
// name stands for many names, so rows are read until a page of true matches is full. Patients that only share a
// token count as not seen.
func (r *PatientRepository) Search(ctx context.Context, q models.PatientQuery, page Page, scope Scope) ([]*models.Patient, bool, error) {
	where, err := r.narrow(q)
	if err != nil {
		return nil, false, err
	}
	unit, err := audit.Current(ctx)
	if err != nil {
		return nil, false, translate(err)
	}
	indexer := r.store.keyring.Indexer()
	var found []*models.Patient
	batch := page
	batch.Limit = min(page.Limit, 200) + 1
	for {
		rows, more, err := r.List(ctx, batch, where, scope.Narrow("id"))
		if err != nil {
			return nil, false, err
		}
		for i, p := range rows {
			switch {
			case p.Unreadable():
			case q.Redirected(p, indexer):
				p.Refuse(unit)
			case !q.Matches(p, indexer):
				unit.Withhold(p.ID)
				continue
			}
			if len(found) == page.Limit {
				withhold(ctx, rows[i:])
				return found, true, nil
			}
			found = append(found, p)
		}
		if !more {
			return found, false, nil
		}
		last := rows[len(rows)-1]
		batch.After, batch.AfterTime = last.ID, last.UpdatedAt
	}
}

// narrow returns the conditions of q that the database can evaluate.
func (r *PatientRepository) narrow(q models.PatientQuery) (func(*gorm.DB) *gorm.DB, error) {
	candidates, err := q.Candidates(r.store.keyring.Indexer())
	if err != nil {
		return nil, translate(err)
	}
	return func(db *gorm.DB) *gorm.DB {
		if q.Active != nil {
			db = db.Where("active = ?", *q.Active)
		}
		for _, tokens := range candidates {
			db = db.Where("id IN (SELECT patient_id FROM blindindex WHERE token IN ?)", tokens)
		}
		return db
	}, nil
}

// Known returns the subset of ids that are patients already. It shows nothing of them, and is not an access.
func (r *PatientRepository) Known(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	return r.known(ctx, ids)
}

// Among returns the patients in scope among ids, in no order. Rows that can't be opened are marked Unreadable.
func (r *PatientRepository) Among(ctx context.Context, ids []uuid.UUID, scope Scope,
) (found []*models.Patient, err error) {
	db := r.store.handle(models.TolerateUnreadable(ctx)).Scopes(withIDs(ids), scope.Narrow("id"))
	return found, translate(db.Find(&found).Error)
}

// HoldOff keeps all other transactions from writing patients until the transaction of ctx ends. Reading goes on. On
// SQLite, every transaction does so.
func (r *PatientRepository) HoldOff(ctx context.Context) error {
	if r.store.engine == SQLite {
		return nil
	}
	_, err := r.store.handle(ctx).Statement.ConnPool.ExecContext(ctx, "LOCK TABLE patient IN SHARE ROW EXCLUSIVE MODE")
	return translate(err)
}

// Count returns the number of patients.
func (r *PatientRepository) Count(ctx context.Context) (int64, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Patient{}).Count(&n).Error
	return n, translate(err)
}
