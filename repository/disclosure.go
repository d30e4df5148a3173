package repository

import (
	"context"

	"github.com/google/uuid"

	"novamind/models"
)

// DisclosureRepository keeps what was disclosed.
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

// Of returns one page of what was disclosed of a patient, the latest first, and whether there is more.
func (r *DisclosureRepository) Of(ctx context.Context, patientID uuid.UUID, page Page) ([]*models.Disclosure, bool, error) {
	page.Descending = true
	return r.List(ctx, page, ofPatient(patientID))
}
