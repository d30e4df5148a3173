package repository

import (
	"context"

	"github.com/google/uuid"

	"novamind/models"
)

// DisclosureRepository keeps the disclosures of patient data.
type DisclosureRepository struct{ Base[models.Disclosure] }

// NewDisclosureRepository returns the disclosures of a store.
func NewDisclosureRepository(s *Store) *DisclosureRepository {
	return &DisclosureRepository{Base[models.Disclosure]{s}}
}

// CreateAll inserts rows.
func (r *DisclosureRepository) CreateAll(ctx context.Context, rows []*models.Disclosure) error {
	if len(rows) == 0 {
		return nil
	}
	return translate(r.store.handle(ctx).Create(&rows).Error)
}

// InScope returns a disclosure in scope. It returns a NotFound error if there is none in scope, or an Unreadable
// error.
func (r *DisclosureRepository) InScope(ctx context.Context, id uuid.UUID, scope RecordScope) (*models.Disclosure, error) {
	var d models.Disclosure
	if err := r.store.handle(ctx).Scopes(scope.where(visibleDisclosure)).Where("id = ?", id).Take(&d).Error; err != nil {
		return nil, translate(err)
	}
	return &d, nil
}

// Of returns one page of a patient's disclosures in scope, the latest first, and whether there are more.
func (r *DisclosureRepository) Of(ctx context.Context, patientID uuid.UUID, scope RecordScope, page Page) ([]*models.Disclosure, bool, error) {
	page.Descending = true
	return r.List(ctx, page, ofPatient(patientID), scope.where(visibleDisclosure))
}
