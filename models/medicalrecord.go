package models

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// The kinds of medical records.
const (
	KindIntake            = "intake"
	KindProgressNote      = "progress_note"
	KindTreatmentPlan     = "treatment_plan"
	KindAssessment        = "assessment"
	KindDiagnosis         = "diagnosis"
	KindMedication        = "medication"
	KindPsychotherapyNote = "psychotherapy_note"  // 45 CFR 164.501
	KindSUDCounselingNote = "sud_counseling_note" // 42 CFR 2.11
	KindDocument          = "document"
)

// RecordKinds lists the kinds.
func RecordKinds() []string {
	return []string{
		KindIntake, KindProgressNote, KindTreatmentPlan, KindAssessment, KindDiagnosis, KindMedication,
		KindPsychotherapyNote, KindSUDCounselingNote, KindDocument,
	}
}

// The sensitivities: they decide which accounts may see a record of a patient in their care.
const (
	SensitivityNormal = "normal" // every account that may see medical records
	// SensitivityRestricted: the author of the first version, accounts assigned to the patient, and accounts with
	// emergency access.
	SensitivityRestricted    = "restricted"
	SensitivityPsychotherapy = "psychotherapy" // the author alone
	// SensitivityPart2: the author of the first version, and recipients named by the patient's consent (42 CFR Part 2).
	SensitivityPart2 = "part2"
)

// Sensitivities lists the sensitivities.
func Sensitivities() []string {
	return []string{SensitivityNormal, SensitivityRestricted, SensitivityPsychotherapy, SensitivityPart2}
}

// The states of a record.
const (
	RecordDraft   = "draft"
	RecordFinal   = "final"
	RecordAmended = "amended" // another record supersedes it
	RecordInError = "entered-in-error"
)

// recordSteps lists the states that may follow a state. The database has the same table (medicalrecord_frozen).
var recordSteps = map[string][]string{
	RecordDraft:   {RecordFinal, RecordInError},
	RecordFinal:   {RecordAmended, RecordInError},
	RecordAmended: {RecordInError},
}

// RecordMayBecome reports whether a record may go from state from to state to.
func RecordMayBecome(from, to string) bool { return slices.Contains(recordSteps[from], to) }

// ErrFrozen is returned for a change of a record that is no longer a draft.
var ErrFrozen = errors.New("models: what was signed stays as it is")

// Coding is a code of a terminology: ICD-10-CM, LOINC.
type Coding struct {
	phi.Private `json:"-"`

	System  string `json:"system" max:"200" doc:"The URI of the code system." example:"http://hl7.org/fhir/sid/icd-10-cm"`
	Code    string `json:"code" max:"50" example:"F41.1"`
	Display string `json:"display,omitempty" max:"200" example:"Generalized anxiety disorder"`
}

// MedicalRecord is an entry of a patient's chart. The log has no old and new values of its sealed columns: a draft
// is its author's, and a signed record does not change.
type MedicalRecord struct {
	Base
	Versioned
	Named `gorm:"-"`

	PatientID       uuid.UUID               `gorm:"type:uuid;not null;index:medicalrecord_patient_id_idx,priority:1"`
	AppointmentID   *uuid.UUID              `gorm:"type:uuid;index:medicalrecord_appointment_id_idx"`
	AuthorID        uuid.UUID               `gorm:"type:uuid;not null;index:medicalrecord_author_id_idx"`
	Kind            string                  `gorm:"not null;check:medicalrecord_kind,kind IN ('intake', 'progress_note', 'treatment_plan', 'assessment', 'diagnosis', 'medication', 'psychotherapy_note', 'sud_counseling_note', 'document')"`
	Sensitivity     string                  `gorm:"not null;check:medicalrecord_sensitivity,sensitivity IN ('normal', 'restricted', 'psychotherapy', 'part2')"`
	Status          string                  `gorm:"not null;check:medicalrecord_status,status IN ('draft', 'final', 'amended', 'entered-in-error')"`
	OccurredAt      time.Time               `gorm:"not null;index:medicalrecord_patient_id_idx,priority:2;index:medicalrecord_occurred_at_idx,priority:1"`
	Title           phi.Text                `gorm:"not null" audit:"secret"`
	Content         phi.Text                `gorm:"not null" audit:"secret"` // Markdown
	Codes           phi.JSON[[]Coding]      `audit:"secret"`
	Questionnaire   phi.JSON[Questionnaire] `audit:"secret"`
	SignedAt        *time.Time
	SignedBy        *uuid.UUID `gorm:"type:uuid"`
	SupersedesID    *uuid.UUID `gorm:"type:uuid;uniqueIndex:medicalrecord_supersedes_id_key"`
	AmendmentReason phi.Text   `audit:"secret"`
	ErrorReason     phi.Text   `audit:"secret"` // the reason why the record was entered in error
	Patient         *Patient   `gorm:"constraint:OnDelete:CASCADE"`
	Author          *Account
	Signer          *Account `gorm:"foreignKey:SignedBy"`
	Supersedes      *MedicalRecord
	Appointment     *Appointment
}

// People returns the patient and account ids of the row. Names can be shown beside them.
func (m *MedicalRecord) People() (patients, accounts []uuid.UUID) {
	return ids(&m.PatientID), ids(&m.AuthorID, m.SignedBy)
}

// Frozen reports whether the record is no longer a draft.
func (m *MedicalRecord) Frozen() bool { return m.Status != RecordDraft }

// BeforeSave seals the row. It returns ErrFrozen for a change that the record's state does not allow.
func (m *MedicalRecord) BeforeSave(tx *gorm.DB) error {
	if old, ok := m.before.(*MedicalRecord); ok {
		if err := m.follows(old); err != nil {
			return err
		}
	}
	return seal(tx, m)
}

// follows checks a change. A draft may change in any way. In a signed record, only the status may change, by one
// step, and the reason of an error together with it.
func (m *MedicalRecord) follows(old *MedicalRecord) error {
	if m.Status != old.Status && !RecordMayBecome(old.Status, m.Status) {
		return ErrFrozen
	}
	if !old.Frozen() {
		return nil
	}
	was, is := reflect.ValueOf(old).Elem(), reflect.ValueOf(m).Elem()
	for _, c := range layoutOf(m).columns {
		goesOn := c.name == "status" || bookkeeping[c.name] || c.name == "error_reason" && m.Status != old.Status && m.Status == RecordInError
		if !goesOn && !c.same(was, is) {
			return ErrFrozen
		}
	}
	return nil
}

// AfterSave notes the change.
func (m *MedicalRecord) AfterSave(tx *gorm.DB) error { return noteChange(tx, m) }

// AfterFind notes the access and opens the row.
func (m *MedicalRecord) AfterFind(tx *gorm.DB) error { return open(tx, m) }

// BeforeDelete notes the purge, and stores its event at once. Without the event, the database refuses to remove a
// signed record.
func (m *MedicalRecord) BeforeDelete(tx *gorm.DB) error {
	if err := noteRemoval(tx, m); err != nil {
		return err
	}
	return storeChanges(tx)
}
