package models

import (
	"time"

	"github.com/google/uuid"
)

// The kinds of care relationships.
const (
	CareRegistered  = "registered"  // the account registered the patient
	CareAssigned    = "assigned"    // the patient was assigned to the account
	CareAppointment = "appointment" // the patient has an appointment with the account
	CareRecord      = "record"      // the account wrote a record of the patient
)

// CareRelationship says why a patient is in an account's care. It holds ids alone. There is no foreign key to the account, as in the
// log: accounts are never removed.
type CareRelationship struct {
	AccountID uuid.UUID `gorm:"type:uuid;primaryKey;priority:1"`
	PatientID uuid.UUID `gorm:"type:uuid;primaryKey;priority:2;index:carerelationship_patient_id_idx"`
	Kind      string    `gorm:"primaryKey;priority:3;check:carerelationship_kind,kind IN ('registered', 'assigned', 'appointment', 'record')"`
	CreatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	LastAt    time.Time `gorm:"not null"` // of the latest appointment or record
	Patient   *Patient  `gorm:"constraint:OnDelete:CASCADE"`
}
