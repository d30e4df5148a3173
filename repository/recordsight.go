package repository

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/models"
)

// RecordSight is which medical records an account sees: of the patients in sight, those whose sensitivity lets it. The zero RecordSight sees none.
type RecordSight struct {
	Patients      Sight
	AccountID     uuid.UUID
	At            time.Time // consents count that hold then
	Psychotherapy bool      // the account's own psychotherapy notes, which are nobody else's
}

// begun is the query of what an account began: records that it wrote, with every amendment, whoever amended them. Who amends a record gets no sight of it
// by that, and who wrote it loses none. What everybody sees is not among them.
const begun = "WITH RECURSIVE begun (id) AS (SELECT id FROM medicalrecord WHERE author_id = @account AND supersedes_id IS NULL AND sensitivity <> '" +
	models.SensitivityNormal + "' UNION ALL SELECT r.id FROM medicalrecord AS r JOIN begun AS b ON r.supersedes_id = b.id) SELECT id FROM begun"

// consented is the condition under which a consent lets an account see what 42 CFR Part 2 protects: from when it was recorded, and never who recorded it.
const consented = "kind = '" + models.ConsentPart2 + "' AND recorded_by <> @account AND (recipient_id IS NULL OR recipient_id = @account)" +
	" AND created_at <= @at AND (expires_at IS NULL OR expires_at > @at) AND (revoked_at IS NULL OR revoked_at > @at)"

// An assignment and an emergency are about a person, however often registered; a consent is about the row that it was recorded for, so that merging
// opens nothing that 42 CFR Part 2 protects.
var (
	assigned = fmt.Sprintf(samePerson, "SELECT patient_id FROM carerelationship WHERE account_id = @account AND kind = '"+models.CareAssigned+
		"' UNION SELECT patient_id FROM breakglass WHERE @emergency AND account_id = @account AND expires_at > @at")

	// visible is the condition on a record's sensitivity. Psychotherapy notes are in none of it.
	visible = "(sensitivity = '" + models.SensitivityNormal + "'" +
		" OR sensitivity = '" + models.SensitivityRestricted + "' AND (patient_id IN (" + assigned + ") OR id IN (" + begun + "))" +
		" OR sensitivity = '" + models.SensitivityPart2 + "' AND (patient_id IN (SELECT patient_id FROM consent WHERE " + consented + ") OR id IN (" + begun + ")))"

	// visibleConsent is the condition on a consent, which tells that there may be what 42 CFR Part 2 protects: for who recorded it, whom it names or lets see
	// records, and who sees such records of the patient otherwise.
	visibleConsent = "(recorded_by = @account OR recipient_id = @account OR " + consented +
		" OR patient_id IN (SELECT patient_id FROM medicalrecord WHERE sensitivity = '" + models.SensitivityPart2 + "' AND " + visible + "))"

	// visibleFlag is the condition on a flag, which says something of the record that it was found in.
	visibleFlag = "(record_id IS NULL OR record_id IN (SELECT id FROM medicalrecord WHERE " + visible + "))"

	// visibleDisclosure is the condition on a disclosure, which says something of its record and its consent.
	visibleDisclosure = "(record_id IN (SELECT id FROM medicalrecord WHERE " + visible + ")" +
		" OR record_id IS NULL AND (consent_id IS NULL OR consent_id IN (SELECT id FROM consent WHERE " + visibleConsent + ")))"
)

// narrow is the condition on a query of records that leaves what is in sight.
func (s RecordSight) narrow(db *gorm.DB) *gorm.DB {
	condition := visible
	if s.Psychotherapy {
		condition = "(" + visible + " OR sensitivity = '" + models.SensitivityPsychotherapy + "' AND author_id = @account)"
	}
	if s.Patients.Emergency { // which shows no colleague's draft
		lasting := s.Patients
		lasting.Emergency = false
		db = db.Where("status <> '"+models.RecordDraft+"' OR author_id = @account OR "+lasting.condition("patient_id"), lasting.args())
	}
	return s.where(condition)(db)
}

// where is the condition on a query of what belongs to patients, that they are in sight and one of the conditions above holds.
func (s RecordSight) where(condition string) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		return s.Patients.Narrow("patient_id")(db).Where(condition, map[string]any{"account": s.AccountID, "at": s.At.UTC(), "emergency": s.Patients.Emergency})
	}
}
