package repository

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/models"
)

// OlderTokens looks at the next patients after the given id, at most limit. It returns the ids of patients with an
// index token under an older key than the primary. It also returns the id to continue after, or Nil when there are
// no more. Call it inside InTx. It goes through the patients page by page, because replaced tokens stay in the
// index of tokens for a while. A scan of that index would pass all of them each time.
func (r *PatientRepository) OlderTokens(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error) {
	var page []uuid.UUID
	db := Page{Limit: limit, After: after}.apply(r.store.handle(ctx).Model(&models.Patient{}))
	if err := db.Limit(limit).Pluck("id", &page).Error; err != nil || len(page) == 0 {
		return nil, uuid.Nil, translate(err)
	}
	var ids []uuid.UUID
	err := r.olderTokens(ctx).Distinct("patient_id").Where("patient_id IN ?", page).Pluck("patient_id", &ids).Error
	return ids, lastOf(page, limit), translate(err)
}

// CountOlderTokens returns the number of patients with an index token under an older key than the primary. Call it
// inside InTx.
func (r *PatientRepository) CountOlderTokens(ctx context.Context) (int64, error) {
	var n int64
	err := r.olderTokens(ctx).Distinct("patient_id").Count(&n).Error
	return n, translate(err)
}

// olderTokens selects the index tokens under an older key than the primary.
func (r *PatientRepository) olderTokens(ctx context.Context) *gorm.DB {
	current := "bi1:" + r.store.keyring.Indexer().Primary() + ":"
	return r.store.handle(ctx).Model(&models.BlindIndex{}).Where("token < ? OR token >= ?", current, current[:len(current)-1]+";")
}

// Reindex replaces patients' tokens by tokens under the primary key. Call it inside InTx. It shows no patient to
// anyone.
func (r *PatientRepository) Reindex(ctx context.Context, ids []uuid.UUID) (Moved, error) {
	db := r.store.handle(ctx)
	rows, _, err := r.List(ctx, Page{Limit: len(ids)}, withIDs(ids), func(db *gorm.DB) *gorm.DB {
		if r.store.engine == PostgreSQL { // no change of the patient may slip in between reading and writing tokens
			db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
		}
		return db
	})
	if err != nil {
		return Moved{}, err
	}
	withhold(ctx, rows)
	var moved Moved
	var readable []*models.Patient
	for _, p := range rows {
		if p.Unreadable() {
			moved.Unreadable = append(moved.Unreadable, p.ID)
			continue
		}
		subject, err := models.SubjectOf(p)
		if err != nil {
			return Moved{}, translate(err)
		}
		readable, moved.Subjects = append(readable, p), append(moved.Subjects, subject)
	}
	return moved, translate(models.Reindex(db, readable))
}
