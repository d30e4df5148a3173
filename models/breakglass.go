package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// BreakGlass gives an account emergency access to a patient that is not in its care, until the access expires. It
// holds ids alone; the reason is in the log, sealed.
type BreakGlass struct {
	Base
	Named `gorm:"-"`

	AccountID uuid.UUID  `gorm:"type:uuid;not null;index:breakglass_account_id_idx,priority:1"`
	PatientID uuid.UUID  `gorm:"type:uuid;not null;index:breakglass_patient_id_idx"`
	ExpiresAt time.Time  `gorm:"not null;index:breakglass_account_id_idx,priority:2"`
	ToldAt    *time.Time // when the webhook accepted the report
	Patient   *Patient   `gorm:"constraint:OnDelete:CASCADE"`
}

// People returns the patient and account ids of the row. Names can be shown beside them.
func (b *BreakGlass) People() (patients, accounts []uuid.UUID) { return ids(&b.PatientID), nil }

// BeforeSave assigns the id and the times.
func (b *BreakGlass) BeforeSave(*gorm.DB) error {
	b.begin()
	return nil
}
