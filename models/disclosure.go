package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// Disclosure says that something of a patient's was disclosed, and to whom (45 CFR 164.528; 42 CFR 2.25): to an account, or to somebody outside.
type Disclosure struct {
	Base
	Versioned
	Named `gorm:"-"`

	PatientID   uuid.UUID  `gorm:"type:uuid;not null;index:disclosure_patient_id_idx"`
	RecordID    *uuid.UUID `gorm:"type:uuid;index:disclosure_record_id_idx"`
	ConsentID   *uuid.UUID `gorm:"type:uuid;index:disclosure_consent_id_idx"`
	DisclosedBy *uuid.UUID `gorm:"type:uuid"` // nil: a job of the program; its event names who started it
	RecipientID *uuid.UUID `gorm:"type:uuid"`
	Recipient   phi.Text   // outside of the clinic
	Purpose     phi.Text   `gorm:"not null"`
	Notice      bool       `gorm:"not null"` // the notice that redisclosure is prohibited went with it (42 CFR 2.32)
	DisclosedAt time.Time  `gorm:"not null"`
	Patient     *Patient   `gorm:"constraint:OnDelete:CASCADE"`
	Record      *MedicalRecord
	Consent     *Consent
	Discloser   *Account `gorm:"foreignKey:DisclosedBy"`
	Addressee   *Account `gorm:"foreignKey:RecipientID"`
}

// People returns the ids of a row beside which names can stand.
func (d *Disclosure) People() (patients, accounts []uuid.UUID) {
	return ids(&d.PatientID), ids(d.DisclosedBy, d.RecipientID)
}

// BeforeSave seals the row.
func (d *Disclosure) BeforeSave(tx *gorm.DB) error { return seal(tx, d) }

// AfterSave notes the change.
func (d *Disclosure) AfterSave(tx *gorm.DB) error { return noteChange(tx, d) }

// AfterFind notes the access and opens the row.
func (d *Disclosure) AfterFind(tx *gorm.DB) error { return open(tx, d) }

// BeforeUpdate refuses: what was disclosed was disclosed.
func (*Disclosure) BeforeUpdate(*gorm.DB) error { return ErrFrozen }

// AfterDelete notes the purge.
func (d *Disclosure) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, d) }
