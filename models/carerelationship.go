package models

import (
	"time"

	"github.com/google/uuid"
)

// Why a patient is in an account's care.
const (
	CareRegistered  = "registered"  // the account registered the patient
	CareAssigned    = "assigned"    // the patient was assigned to the account
	CareAppointment = "appointment" // the patient has an appointment with the account: the appointment says so itself
	CareRecord      = "record"      // the account wrote a record of the patient: the record says so itself
)

// CareRelationship brings a patient into an account's care until it is removed. It holds ids alone. There is no foreign key to the account, as in
// the log: accounts are never removed.
type CareRelationship struct {
	AccountID uuid.UUID `gorm:"type:uuid;primaryKey;priority:1"`
	PatientID uuid.UUID `gorm:"type:uuid;primaryKey;priority:2;index:carerelationship_patient_id_idx"`
	Kind      string    `gorm:"primaryKey;priority:3;check:carerelationship_kind,kind IN ('registered', 'assigned')"`
	CreatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	Patient   *Patient  `gorm:"constraint:OnDelete:CASCADE"`
}
