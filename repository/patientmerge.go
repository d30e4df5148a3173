package repository

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/models"
)

// Locked returns a patient, and keeps others from changing the patient until the transaction of ctx ends. It
// returns a NotFound or an Unreadable error.
func (r *PatientRepository) Locked(ctx context.Context, id uuid.UUID) (*models.Patient, error) {
	db := r.store.handle(ctx)
	if r.store.engine == PostgreSQL { // SQLite has one writer at a time
		db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	var p models.Patient
	if err := db.Where("id = ?", id).Take(&p).Error; err != nil {
		return nil, translate(err)
	}
	return &p, nil
}

func mergedInto(id uuid.UUID) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB { return db.Where("merged_into_id = ?", id) }
}

// MergedInto returns the patients that were merged into a patient.
func (r *PatientRepository) MergedInto(ctx context.Context, id uuid.UUID) ([]*models.Patient, error) {
	found, _, err := r.List(ctx, everyone, mergedInto(id))
	return found, err
}

// SamePerson returns the ids of all rows of a patient's person, or none if there is no such patient. It shows
// nothing of them.
func (r *PatientRepository) SamePerson(ctx context.Context, id uuid.UUID) ([]uuid.UUID, error) {
	return r.store.ids(ctx, fmt.Sprintf(samePerson, "SELECT id FROM patient WHERE id = ?"), id.String())
}

// IsKept reports whether other patients were merged into a patient. It shows nothing of them.
func (r *PatientRepository) IsKept(ctx context.Context, id uuid.UUID) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Patient{}).Scopes(mergedInto(id)).Count(&n).Error
	return n > 0, translate(err)
}

// IsReferredTo reports whether records of other patients name an appointment of this patient. Records of the same
// person may do so. It shows nothing of them.
func (r *PatientRepository) IsReferredTo(ctx context.Context, id uuid.UUID) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.MedicalRecord{}).
		Where("patient_id <> ? AND appointment_id IN (SELECT id FROM appointment WHERE patient_id = ?)", id, id).Count(&n).Error
	return n > 0, translate(err)
}

// IsMerged reports whether a patient was merged into another. It shows nothing of the patient.
func (r *PatientRepository) IsMerged(ctx context.Context, id uuid.UUID) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Patient{}).Where("id = ? AND merged_into_id IS NOT NULL", id).Count(&n).Error
	return n > 0, translate(err)
}
