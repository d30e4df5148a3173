package repository

import (
	"context"

	"github.com/google/uuid"

	"novamind/models"
)

// AvailabilityRepository finds and keeps the availability of practitioners.
type AvailabilityRepository struct{ Base[models.Availability] }

// NewAvailabilityRepository returns the availabilities of a store.
func NewAvailabilityRepository(s *Store) *AvailabilityRepository {
	return &AvailabilityRepository{Base[models.Availability]{s}}
}

// Of returns the availability of a practitioner. It returns a NotFound error if none is configured.
func (r *AvailabilityRepository) Of(ctx context.Context, practitionerID uuid.UUID) (*models.Availability, error) {
	var a models.Availability
	if err := r.store.handle(ctx).Where("practitioner_id = ?", practitionerID).Take(&a).Error; err != nil {
		return nil, translate(err)
	}
	return &a, nil
}
