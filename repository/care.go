package repository

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/models"
)

// CareRepository keeps the care relationships between accounts and patients.
type CareRepository struct{ store *Store }

// NewCareRepository returns the care relationships of a store.
func NewCareRepository(s *Store) *CareRepository { return &CareRepository{s} }

// Scope is the scope of patients that a caller may see: all patients, or the patients in the care of an account.
// The latter scope can include patients under the account's emergency access. The zero Scope contains no patient.
type Scope struct {
	All       bool
	AccountID uuid.UUID
	Now       time.Time
	// An appointment counts if it is within Window of Now, before or after. A record counts if it was written
	// within Window before Now.
	Window    time.Duration
	Emergency bool // include the patients under the account's emergency access
}

// Queries of the ids of patients in the care of an account, one for each reason.
const (
	lastingCare     = "SELECT patient_id FROM carerelationship WHERE account_id = @account"
	appointmentCare = "SELECT patient_id FROM appointment WHERE practitioner_id = @account AND " + keptAppointment +
		" AND (expires_at IS NULL OR expires_at > @now) AND ends_at >= @from AND starts_at <= @to"
	recordCare    = "SELECT patient_id FROM medicalrecord WHERE author_id = @account AND " + keptRecord + " AND created_at >= @from AND COALESCE(signed_at, created_at) >= @from"
	emergencyCare = "SELECT patient_id FROM breakglass WHERE " + openEmergency

	openEmergency   = "account_id = @account AND expires_at > @now"
	keptAppointment = "status NOT IN ('" + models.Cancelled + "', '" + models.EnteredInError + "')" +
		" AND NOT EXISTS (SELECT 1 FROM breakglassentry WHERE entry_id = appointment.id)"
	keptRecord = "status <> '" + models.RecordInError + "' AND NOT EXISTS (SELECT 1 FROM breakglassentry WHERE entry_id = medicalrecord.id)"
)

// samePerson extends patients to all rows of the same people: merged patients, and the patients that they were
// merged into.
const samePerson = "WITH care (patient_id) AS (%s), kept (patient_id) AS (SELECT patient_id FROM care UNION SELECT merged_into_id FROM patient" +
	" WHERE merged_into_id IS NOT NULL AND id IN (SELECT patient_id FROM care))" +
	" SELECT patient_id FROM kept UNION SELECT id FROM patient WHERE merged_into_id IN (SELECT patient_id FROM kept)"

// person is the condition that a patient is one of the rows of @patient's person.
const person = " AND patient_id IN (SELECT p.id FROM patient AS asked JOIN patient AS p ON p.id = COALESCE(asked.merged_into_id, asked.id)" +
	" OR p.merged_into_id = COALESCE(asked.merged_into_id, asked.id) WHERE asked.id = @patient)"

// patients returns the query of the patients in scope that satisfy condition.
func (s Scope) patients(condition string) string {
	sources := []string{lastingCare, appointmentCare, recordCare}
	if s.Emergency {
		sources = append(sources, emergencyCare)
	}
	return strings.Join(sources, condition+" UNION ") + condition
}

func (s Scope) args() map[string]any {
	return map[string]any{
		"account": s.AccountID, "now": s.Now.UTC(), "from": s.Now.Add(-s.Window).UTC(), "to": s.Now.Add(s.Window).UTC(),
	}
}

// Narrow returns the condition that restricts a list to the scope. column holds the patient's id; its name comes
// from our code. A scope that contains one row of a person contains all rows merged with it.
func (s Scope) Narrow(column string) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		if s.All {
			return db
		}
		return db.Where(s.condition(column), s.args())
	}
}

func (s Scope) condition(column string) string {
	return column + " IN (" + fmt.Sprintf(samePerson, s.patients("")) + ")"
}

// Sees reports whether a patient is in scope, and whether by emergency access alone. It opens no row. With the
// scope All, it is always true. Otherwise, false does not tell whether the patient exists.
func (r *CareRepository) Sees(ctx context.Context, s Scope, patientID uuid.UUID) (sees, emergency bool, err error) {
	if s.All {
		return true, false, nil
	}
	lasting := s
	lasting.Emergency = false
	if sees, err = r.sees(ctx, lasting, patientID); err != nil || sees || !s.Emergency {
		return sees, false, err
	}
	sees, err = r.sees(ctx, s, patientID)
	return sees, sees, err
}

func (r *CareRepository) sees(ctx context.Context, s Scope, patientID uuid.UUID) (bool, error) {
	args := s.args()
	args["patient"] = patientID
	var n int64
	err := r.store.handle(ctx).Model(&models.Patient{}).Where("id = @patient AND EXISTS ("+s.patients(person)+")", args).Count(&n).Error
	return n > 0, translate(err)
}

// HasEmergency reports whether an account has emergency access to any patient.
func (r *CareRepository) HasEmergency(ctx context.Context, accountID uuid.UUID, now time.Time) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.BreakGlass{}).Where(openEmergency, map[string]any{"account": accountID, "now": now.UTC()}).Count(&n).Error
	return n > 0, translate(err)
}

// Note brings a patient into an account's care until Remove. An existing relationship stays as it is.
func (r *CareRepository) Note(ctx context.Context, patientID, accountID uuid.UUID, kind string, at time.Time) error {
	row := &models.CareRelationship{PatientID: patientID, AccountID: accountID, Kind: kind, CreatedAt: at.UTC().Truncate(time.Microsecond)}
	return translate(r.store.handle(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(row).Error)
}

// Remove ends the relationships of these kinds between an account and any row of a patient's person. Note began
// them. Remove reports whether there were any.
func (r *CareRepository) Remove(ctx context.Context, patientID, accountID uuid.UUID, kinds ...string) (bool, error) {
	ids, err := NewPatientRepository(r.store).SamePerson(ctx, patientID)
	if err != nil {
		return false, err
	}
	result := r.store.handle(ctx).Where("patient_id IN ? AND account_id = ? AND kind IN ?", ids, accountID, kinds).
		Delete(&models.CareRelationship{})
	return result.RowsAffected > 0, translate(result.Error)
}

// Except keeps appointments or records of a patient from bringing the patient into an account's care.
func (r *CareRepository) Except(ctx context.Context, patientID uuid.UUID, entries ...uuid.UUID) error {
	rows, now := make([]models.BreakGlassEntry, len(entries)), time.Now().UTC().Truncate(time.Microsecond)
	for i, id := range entries {
		rows[i] = models.BreakGlassEntry{EntryID: id, PatientID: patientID, CreatedAt: now}
	}
	return translate(r.store.handle(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error)
}

// Accept ends the exception that Except began.
func (r *CareRepository) Accept(ctx context.Context, entries ...uuid.UUID) error {
	return translate(r.store.handle(ctx).Where("entry_id IN ?", entries).Delete(&models.BreakGlassEntry{}).Error)
}

// CareReason is a reason why a patient is, or was, in an account's care.
type CareReason struct {
	AccountID     uuid.UUID
	Kind          string
	Since, LastAt time.Time // the beginning, and the time of the latest appointment or record
}

// reasons is the query of all reasons why a patient is, or was, in an account's care.
const reasons = "SELECT account_id, kind, created_at, created_at FROM carerelationship WHERE patient_id IN (@)" +
	" UNION ALL SELECT practitioner_id, '" + models.CareAppointment + "', created_at, starts_at FROM appointment WHERE patient_id IN (@) AND " + keptAppointment +
	" UNION ALL SELECT author_id, '" + models.CareRecord + "', created_at, COALESCE(signed_at, created_at) FROM medicalrecord WHERE patient_id IN (@) AND " + keptRecord

// Of returns the reasons why any row of a patient's person is, or was, in an account's care, the oldest first.
// There is one reason for all appointments of an account, and one for all its records.
func (r *CareRepository) Of(ctx context.Context, patientID uuid.UUID) ([]CareReason, error) {
	ids, err := NewPatientRepository(r.store).SamePerson(ctx, patientID)
	if err != nil {
		return nil, err
	}
	var values []any
	for range strings.Count(reasons, "@") {
		for _, id := range ids {
			values = append(values, id.String())
		}
	}
	statement := strings.ReplaceAll(reasons, "@", strings.Join(slices.Repeat([]string{"?"}, len(ids)), ", "))
	// Bypasses the guard, which can't know that this query shows no content.
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, r.store.rebind(statement), values...)
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = rows.Close() }()
	type whose struct {
		account uuid.UUID
		kind    string
	}
	found := map[whose]CareReason{}
	for rows.Next() {
		var c CareReason
		if err := rows.Scan(&c.AccountID, &c.Kind, &c.Since, &c.LastAt); err != nil {
			return nil, translate(err)
		}
		key := whose{c.AccountID, c.Kind}
		if known, ok := found[key]; ok {
			c.Since, c.LastAt = slices.MinFunc([]time.Time{known.Since, c.Since}, time.Time.Compare), slices.MaxFunc([]time.Time{known.LastAt, c.LastAt}, time.Time.Compare)
		}
		found[key] = c
	}
	return slices.SortedFunc(maps.Values(found), func(a, b CareReason) int {
		return cmp.Or(a.Since.Compare(b.Since), bytes.Compare(a.AccountID[:], b.AccountID[:]), cmp.Compare(a.Kind, b.Kind))
	}), translate(rows.Err())
}
