package repository

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/models"
)

// ExportRepository reads the data of an export.
type ExportRepository struct {
	store        *Store
	patients     *PatientRepository
	appointments *AppointmentRepository
	records      *MedicalRecordRepository
	accounts     *AccountRepository
}

// NewExportRepository returns the export repository of a store.
func NewExportRepository(s *Store) *ExportRepository {
	return &ExportRepository{s, NewPatientRepository(s), NewAppointmentRepository(s), NewMedicalRecordRepository(s), NewAccountRepository(s)}
}

// Patients returns the ids of the patients after the id after, in order, at most limit. It shows no patient, and is
// not an access.
func (r *ExportRepository) Patients(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	return r.appointments.ids(ctx, "SELECT id FROM patient WHERE id > ? ORDER BY id LIMIT ?", after.String(), limit)
}

// CountPatients returns the number of patients. It shows no patient, and is not an access.
func (r *ExportRepository) CountPatients(ctx context.Context) (int64, error) {
	var n int64
	row := r.appointments.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx, "SELECT count(*) FROM patient")
	return n, translate(row.Scan(&n))
}

// Person returns the ids of all rows of a patient's person, or none if there is no such patient. It shows no
// patient, and is not an access.
func (r *ExportRepository) Person(ctx context.Context, patientID uuid.UUID) ([]uuid.UUID, error) {
	return r.appointments.person(ctx, patientID)
}

// Chart is the data of one patient in an export. Rows that can't be opened are marked Unreadable.
type Chart struct {
	Patient      *models.Patient
	Appointments []*models.Appointment
	Records      []*models.MedicalRecord
	Withheld     int64 // number of records left out because they need a consent
}

// Chart returns the chart of a patient. It contains no holds, and only signed records, but never a psychotherapy
// note. It contains records that 42 CFR Part 2 protects only if consented. A record comes before its amendment. It
// returns a NotFound error.
func (r *ExportRepository) Chart(ctx context.Context, patientID uuid.UUID, consented bool) (*Chart, error) {
	patients, _, err := r.patients.List(ctx, everyone, func(db *gorm.DB) *gorm.DB { return db.Where("id = ?", patientID) })
	if err == nil && len(patients) == 0 {
		err = translate(gorm.ErrRecordNotFound)
	}
	if err != nil {
		return nil, err
	}
	out := &Chart{Patient: patients[0]}
	of := func(db *gorm.DB) *gorm.DB { return db.Where("patient_id = ?", patientID) }
	out.Appointments, _, err = r.appointments.List(ctx, everyone, of, func(db *gorm.DB) *gorm.DB { return db.Where("status <> ?", models.Pending) })
	if err != nil {
		return nil, err
	}
	signed := func(db *gorm.DB) *gorm.DB {
		return db.Where("signed_at IS NOT NULL AND sensitivity <> ? AND kind <> ?", models.SensitivityPsychotherapy, models.KindPsychotherapyNote)
	}
	if !consented {
		protected := func(db *gorm.DB) *gorm.DB { return db.Where("sensitivity = ?", models.SensitivityPart2) }
		if err := r.store.handle(ctx).Model(&models.MedicalRecord{}).Scopes(of, signed, protected).Count(&out.Withheld).Error; err != nil {
			return nil, translate(err)
		}
		of = func(db *gorm.DB) *gorm.DB {
			return db.Where("patient_id = ? AND sensitivity <> ?", patientID, models.SensitivityPart2)
		}
	}
	db := r.store.handle(models.TolerateUnreadable(ctx)).Scopes(of, signed).Order("created_at, id")
	return out, translate(db.Find(&out.Records).Error)
}

// Accounts returns the accounts among ids and, unless role is empty, the accounts that have the role; in order.
func (r *ExportRepository) Accounts(ctx context.Context, ids []uuid.UUID, role string) ([]*models.Account, error) {
	found, _, err := r.accounts.List(ctx, everyone, func(db *gorm.DB) *gorm.DB {
		named := withIDs(ids)(r.store.handle(ctx))
		if role == "" {
			return db.Where(named)
		}
		return db.Where(named.Or(hasRole(role)(r.store.handle(ctx))))
	})
	return found, err
}
