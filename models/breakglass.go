package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// BreakGlass lets an account see a patient who is not in its care, until it expires. It holds ids alone; the reason is in the log, sealed.
type BreakGlass struct {
	Base
	Named `gorm:"-"`

	AccountID uuid.UUID  `gorm:"type:uuid;not null;index:breakglass_account_id_idx,priority:1"`
	PatientID uuid.UUID  `gorm:"type:uuid;not null;index:breakglass_patient_id_idx"`
	ExpiresAt time.Time  `gorm:"not null;index:breakglass_account_id_idx,priority:2"`
	ToldAt    *time.Time // when the webhook took it
	Patient   *Patient   `gorm:"constraint:OnDelete:CASCADE"`
}

// People returns the ids of a row beside which names can stand.
func (b *BreakGlass) People() (patients, accounts []uuid.UUID) { return ids(&b.PatientID), nil }

// BeforeSave assigns the id and the times.
func (b *BreakGlass) BeforeSave(*gorm.DB) error {
	b.begin()
	return nil
}
