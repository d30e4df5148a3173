package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// ConsentPart2 permits the disclosure of records that 42 CFR Part 2 protects (2.31).
const ConsentPart2 = "part2"

// Consent is what a patient agreed to. It takes effect when it is recorded, and opens nothing to who records it. It may be revoked, and is never changed
// otherwise.
type Consent struct {
	Base
	Versioned
	Named `gorm:"-"`

	PatientID   uuid.UUID  `gorm:"type:uuid;not null;index:consent_patient_id_idx"`
	Kind        string     `gorm:"not null;check:consent_kind,kind IN ('part2')"`
	RecipientID *uuid.UUID `gorm:"type:uuid"` // the account that may see; nil: everybody who treats the patient here
	Purpose     phi.Text   `gorm:"not null"`
	GrantedAt   time.Time  `gorm:"not null"` // when the patient signed it
	ExpiresAt   *time.Time
	RevokedAt   *time.Time
	RecordedBy  uuid.UUID `gorm:"type:uuid;not null"`
	Patient     *Patient  `gorm:"constraint:OnDelete:CASCADE"`
	Recipient   *Account
	Recorder    *Account `gorm:"foreignKey:RecordedBy"`
}

// People returns the ids of a row beside which names can stand.
func (c *Consent) People() (patients, accounts []uuid.UUID) {
	return ids(&c.PatientID), ids(c.RecipientID, &c.RecordedBy)
}

// BeforeSave seals the row.
func (c *Consent) BeforeSave(tx *gorm.DB) error { return seal(tx, c) }

// AfterSave notes the change.
func (c *Consent) AfterSave(tx *gorm.DB) error { return noteChange(tx, c) }

// AfterFind notes the access and opens the row.
func (c *Consent) AfterFind(tx *gorm.DB) error { return open(tx, c) }

// AfterDelete notes the purge.
func (c *Consent) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, c) }
