package repository

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/models"
)

// RecordScope is the scope of medical records that an account may see: of the patients in scope, the records whose
// sensitivity permits it. The zero RecordScope contains no record.
type RecordScope struct {
	Patients      Scope
	AccountID     uuid.UUID
	At            time.Time // consents that hold at this time count
	Psychotherapy bool      // include the account's own psychotherapy notes, which nobody else may see
}

// begun is the query of the records that an account began: records that it wrote, with every amendment by any
// author. Amending a record does not bring it into the amending author's scope, and the first author's scope keeps
// it. Records of normal sensitivity are left out, because everybody sees them.
const begun = "WITH RECURSIVE begun (id) AS (SELECT id FROM medicalrecord WHERE author_id = @account AND supersedes_id IS NULL AND sensitivity <> '" +
	models.SensitivityNormal + "' UNION ALL SELECT r.id FROM medicalrecord AS r JOIN begun AS b ON r.supersedes_id = b.id) SELECT id FROM begun"

// consented is the condition under which a consent lets an account see records that 42 CFR Part 2 protects. A
// consent counts from the time when it was recorded, and never for the account that recorded it.
const consented = "kind = '" + models.ConsentPart2 + "' AND recorded_by <> @account AND (recipient_id IS NULL OR recipient_id = @account)" +
	" AND created_at <= @at AND (expires_at IS NULL OR expires_at > @at) AND (revoked_at IS NULL OR revoked_at > @at)"

// An assignment and an emergency access apply to a person, however often registered. A consent applies to the row
// that it was recorded for, so that merging discloses nothing that 42 CFR Part 2 protects.
var (
	assigned = fmt.Sprintf(samePerson, "SELECT patient_id FROM carerelationship WHERE account_id = @account AND kind = '"+models.CareAssigned+
		"' UNION SELECT patient_id FROM breakglass WHERE @emergency AND account_id = @account AND expires_at > @at")

	// visible is the condition on a record's sensitivity. It contains no psychotherapy notes.
	visible = "(sensitivity = '" + models.SensitivityNormal + "'" +
		" OR sensitivity = '" + models.SensitivityRestricted + "' AND (patient_id IN (" + assigned + ") OR id IN (" + begun + "))" +
		" OR sensitivity = '" + models.SensitivityPart2 + "' AND (patient_id IN (SELECT patient_id FROM consent WHERE " + consented + ") OR id IN (" + begun + ")))"

	// visibleConsent is the condition on a consent, which hints at records that 42 CFR Part 2 protects. An account
	// sees a consent that it recorded, that names it, or that lets it see records. An account also sees a consent
	// if it sees such records of the patient otherwise.
	visibleConsent = "(recorded_by = @account OR recipient_id = @account OR " + consented +
		" OR patient_id IN (SELECT patient_id FROM medicalrecord WHERE sensitivity = '" + models.SensitivityPart2 + "' AND " + visible + "))"

	// visibleFlag is the condition on a risk flag, which tells something about the record that it was found in.
	visibleFlag = "(record_id IS NULL OR record_id IN (SELECT id FROM medicalrecord WHERE " + visible + "))"

	// visibleDisclosure is the condition on a disclosure, which tells something about its record and its consent.
	visibleDisclosure = "(record_id IN (SELECT id FROM medicalrecord WHERE " + visible + ")" +
		" OR record_id IS NULL AND (consent_id IS NULL OR consent_id IN (SELECT id FROM consent WHERE " + visibleConsent + ")))"
)

// narrow restricts a query of records to the scope.
func (s RecordScope) narrow(db *gorm.DB) *gorm.DB {
	condition := visible
	if s.Psychotherapy {
		condition = "(" + visible + " OR sensitivity = '" + models.SensitivityPsychotherapy + "' AND author_id = @account)"
	}
	if s.Patients.Emergency { // emergency access shows no colleague's draft
		lasting := s.Patients
		lasting.Emergency = false
		db = db.Where("status <> '"+models.RecordDraft+"' OR author_id = @account OR "+lasting.condition("patient_id"), lasting.args())
	}
	return s.where(condition)(db)
}

// where returns the condition that rows belong to patients in scope, and satisfy one of the conditions above.
func (s RecordScope) where(condition string) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		return s.Patients.Narrow("patient_id")(db).Where(condition, map[string]any{"account": s.AccountID, "at": s.At.UTC(), "emergency": s.Patients.Emergency})
	}
}
