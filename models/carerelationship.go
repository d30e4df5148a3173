package models

import (
	"time"

	"github.com/google/uuid"
)

// The reasons why a patient is in an account's care.
const (
	CareRegistered  = "registered"  // the account registered the patient
	CareAssigned    = "assigned"    // the patient was assigned to the account
	CareAppointment = "appointment" // the patient has an appointment with the account; derived from the appointment
	CareRecord      = "record"      // the account wrote a record of the patient; derived from the record
)

// CareRelationship brings a patient into an account's care until it is removed. It holds ids alone. As in the log,
// there is no foreign key to the account: accounts are never removed.
type CareRelationship struct {
	AccountID uuid.UUID `gorm:"type:uuid;primaryKey;priority:1"`
	PatientID uuid.UUID `gorm:"type:uuid;primaryKey;priority:2;index:carerelationship_patient_id_idx"`
	Kind      string    `gorm:"primaryKey;priority:3;check:carerelationship_kind,kind IN ('registered', 'assigned')"`
	CreatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	Patient   *Patient  `gorm:"constraint:OnDelete:CASCADE"`
}
