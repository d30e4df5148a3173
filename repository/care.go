package repository

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/models"
)

// CareRepository keeps who cares for which patient.
type CareRepository struct{ store *Store }

// NewCareRepository returns the care relationships of a store.
func NewCareRepository(s *Store) *CareRepository { return &CareRepository{s} }

// Sight is which patients someone sees: all, or those in the care of an account, and those to whom it has emergency access. The zero Sight sees nobody.
type Sight struct {
	All       bool
	AccountID uuid.UUID
	Since     time.Time // an appointment or a record counts that was at this time or later
	Now       time.Time // an emergency access counts that has not expired by then; none does at the zero time
}

const (
	inCare      = "account_id = ? AND (kind IN ('" + models.CareRegistered + "', '" + models.CareAssigned + "') OR last_at >= ?)"
	byEmergency = "account_id = ? AND expires_at > ?"
)

// samePerson makes of patients all rows of the same people: merged ones, and those that they were merged into.
const samePerson = "WITH care (patient_id) AS (%s), kept (patient_id) AS (SELECT patient_id FROM care UNION SELECT merged_into_id FROM patient" +
	" WHERE merged_into_id IS NOT NULL AND id IN (SELECT patient_id FROM care))" +
	" SELECT patient_id FROM kept UNION SELECT id FROM patient WHERE merged_into_id IN (SELECT patient_id FROM kept)"

// Narrow returns the condition on a list that leaves what is in sight. column holds the patient's id; it is a name of ours. Who sees one row of a person
// sees those that are merged with it.
func (s Sight) Narrow(column string) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		if s.All {
			return db
		}
		patients := "SELECT patient_id FROM carerelationship WHERE " + inCare
		args := []any{s.AccountID, s.Since.UTC()}
		if !s.Now.IsZero() {
			patients += " UNION SELECT patient_id FROM breakglass WHERE " + byEmergency
			args = append(args, s.AccountID, s.Now.UTC())
		}
		return db.Where(column+" IN ("+fmt.Sprintf(samePerson, patients)+")", args...)
	}
}

// Sees reports whether a patient is in sight, and whether by emergency access alone. It opens no row, and where not all are in sight it does not say
// whether there is such a patient.
func (r *CareRepository) Sees(ctx context.Context, s Sight, patientID uuid.UUID) (sees, emergency bool, err error) {
	if s.All {
		return true, false, nil
	}
	lasting := s
	lasting.Now = time.Time{}
	if sees, err = r.sees(ctx, lasting, patientID); err != nil || sees || s.Now.IsZero() {
		return sees, false, err
	}
	sees, err = r.sees(ctx, s, patientID)
	return sees, sees, err
}

func (r *CareRepository) sees(ctx context.Context, s Sight, patientID uuid.UUID) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Patient{}).Where("id = ?", patientID).Scopes(s.Narrow("id")).Count(&n).Error
	return n > 0, translate(err)
}

// HasEmergency reports whether an account has emergency access to anybody.
func (r *CareRepository) HasEmergency(ctx context.Context, accountID uuid.UUID, now time.Time) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.BreakGlass{}).Where(byEmergency, accountID, now.UTC()).Count(&n).Error
	return n > 0, translate(err)
}

// Note records that a patient came into an account's care, or is in it still: the later time counts. It belongs into the transaction of
// what brought them together.
func (r *CareRepository) Note(ctx context.Context, patientID, accountID uuid.UUID, kind string, at time.Time) error {
	row := &models.CareRelationship{PatientID: patientID, AccountID: accountID, Kind: kind, LastAt: at.UTC().Truncate(time.Microsecond)}
	return translate(r.store.handle(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "account_id"}, {Name: "patient_id"}, {Name: "kind"}},
		DoUpdates: clause.AssignmentColumns([]string{"last_at"}),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "carerelationship.last_at < excluded.last_at"}}},
	}).Create(row).Error)
}

// Remove ends the relationships of these kinds between a patient and an account, and reports whether there were any.
func (r *CareRepository) Remove(ctx context.Context, patientID, accountID uuid.UUID, kinds ...string) (bool, error) {
	result := r.store.handle(ctx).Where("patient_id = ? AND account_id = ? AND kind IN ?", patientID, accountID, kinds).
		Delete(&models.CareRelationship{})
	return result.RowsAffected > 0, translate(result.Error)
}

// Of returns the care relationships of a patient, the oldest first.
func (r *CareRepository) Of(ctx context.Context, patientID uuid.UUID) ([]models.CareRelationship, error) {
	var rows []models.CareRelationship
	err := r.store.handle(ctx).Where("patient_id = ?", patientID).Order("created_at, account_id, kind").Find(&rows).Error
	return rows, translate(err)
}
