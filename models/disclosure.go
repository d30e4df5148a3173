package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// Disclosure states that data of a patient was disclosed, and to which recipient (45 CFR 164.528; 42 CFR 2.25). The
// recipient is an account, or a person or organization outside the clinic.
type Disclosure struct {
	Base
	Versioned
	Named `gorm:"-"`

	PatientID   uuid.UUID  `gorm:"type:uuid;not null;index:disclosure_patient_id_idx"`
	RecordID    *uuid.UUID `gorm:"type:uuid;index:disclosure_record_id_idx"`
	ConsentID   *uuid.UUID `gorm:"type:uuid;index:disclosure_consent_id_idx"`
	DisclosedBy *uuid.UUID `gorm:"type:uuid"` // nil: a job of the program; its event names the person that started it
	RecipientID *uuid.UUID `gorm:"type:uuid"`
	Recipient   phi.Text   // outside the clinic
	Purpose     phi.Text   `gorm:"not null"`
	Notice      bool       `gorm:"not null"` // the notice that redisclosure is prohibited was included (42 CFR 2.32)
	DisclosedAt time.Time  `gorm:"not null"`
	Patient     *Patient   `gorm:"constraint:OnDelete:CASCADE"`
	Record      *MedicalRecord
	Consent     *Consent
	Discloser   *Account `gorm:"foreignKey:DisclosedBy"`
	Addressee   *Account `gorm:"foreignKey:RecipientID"`
}

// People returns the patient and account ids of the row. Names can be shown beside them.
func (d *Disclosure) People() (patients, accounts []uuid.UUID) {
	return ids(&d.PatientID), ids(d.DisclosedBy, d.RecipientID)
}

// BeforeSave seals the row.
func (d *Disclosure) BeforeSave(tx *gorm.DB) error { return seal(tx, d) }

// AfterSave notes the change.
func (d *Disclosure) AfterSave(tx *gorm.DB) error { return noteChange(tx, d) }

// AfterFind notes the access and opens the row.
func (d *Disclosure) AfterFind(tx *gorm.DB) error { return open(tx, d) }

// BeforeUpdate returns ErrFrozen: a disclosure that took place can't be changed.
func (*Disclosure) BeforeUpdate(*gorm.DB) error { return ErrFrozen }

// AfterDelete notes the purge.
func (d *Disclosure) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, d) }
