package models

import (
	"time"

	"github.com/google/uuid"
)

// BreakGlassEntry is an appointment that was booked, or a record that was written, by emergency access alone. It
// brings the patient into nobody's care.
type BreakGlassEntry struct {
	EntryID   uuid.UUID `gorm:"type:uuid;primaryKey"` // of the appointment or the record
	PatientID uuid.UUID `gorm:"type:uuid;not null;index:breakglassentry_patient_id_idx"`
	CreatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	Patient   *Patient  `gorm:"constraint:OnDelete:CASCADE"`
}
