package repository

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/models"
)

// ConsentRepository keeps the consents of patients.
type ConsentRepository struct{ Base[models.Consent] }

// NewConsentRepository returns the consents of a store.
func NewConsentRepository(s *Store) *ConsentRepository {
	return &ConsentRepository{Base[models.Consent]{s}}
}

// Holding returns, by patient, the consent under which an account may see the patient's part 2 records at a time.
func (r *ConsentRepository) Holding(ctx context.Context, patients []uuid.UUID, accountID uuid.UUID, at time.Time) (map[uuid.UUID]*models.Consent, error) {
	var rows []*models.Consent
	err := r.store.handle(ctx).Where("patient_id IN ?", patients).
		Where(consented, map[string]any{"account": accountID, "at": at.UTC()}).Order("id").Find(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	out := make(map[uuid.UUID]*models.Consent, len(rows))
	for _, row := range rows {
		if out[row.PatientID] == nil {
			out[row.PatientID] = row
		}
	}
	return out, nil
}

// InScope returns a consent in scope. It returns a NotFound error if there is none in scope, or an Unreadable
// error.
func (r *ConsentRepository) InScope(ctx context.Context, id uuid.UUID, scope RecordScope) (*models.Consent, error) {
	var c models.Consent
	if err := r.store.handle(ctx).Scopes(scope.where(visibleConsent)).Where("id = ?", id).Take(&c).Error; err != nil {
		return nil, translate(err)
	}
	return &c, nil
}

// Of returns one page of a patient's consents in scope, and whether there are more.
func (r *ConsentRepository) Of(ctx context.Context, patientID uuid.UUID, scope RecordScope, page Page) ([]*models.Consent, bool, error) {
	return r.List(ctx, page, ofPatient(patientID), scope.where(visibleConsent))
}

// Standing returns a patient's consents that are neither revoked nor expired, regardless of the caller's scope. The
// caller must not show them. It returns an Unreadable error.
func (r *ConsentRepository) Standing(ctx context.Context, patientID uuid.UUID, at time.Time) ([]*models.Consent, error) {
	var rows []*models.Consent
	err := r.store.handle(ctx).Scopes(ofPatient(patientID)).Where("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", at.UTC()).Order("id").Find(&rows).Error
	return rows, translate(err)
}

// ofPatient returns the condition that a row belongs to a patient, or to a patient merged into that one.
func ofPatient(id uuid.UUID) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		return db.Where("(patient_id = ? OR patient_id IN (SELECT id FROM patient WHERE merged_into_id = ?))", id, id)
	}
}
