package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// ConsentPart2 permits the disclosure of records that 42 CFR Part 2 protects (2.31).
const ConsentPart2 = "part2"

// Consent is a patient's agreement to a disclosure. It takes effect when it is recorded, and never for the account
// that recorded it. A consent can be revoked, and never changes otherwise.
type Consent struct {
	Base
	Versioned
	Named `gorm:"-"`

	PatientID uuid.UUID `gorm:"type:uuid;not null;index:consent_patient_id_idx"`
	Kind      string    `gorm:"not null;check:consent_kind,kind IN ('part2')"`
	// the account that may see the records; nil: every account that treats the patient here
	RecipientID *uuid.UUID `gorm:"type:uuid"`
	Purpose     phi.Text   `gorm:"not null"`
	GrantedAt   time.Time  `gorm:"not null"` // when the patient signed it
	ExpiresAt   *time.Time
	RevokedAt   *time.Time
	RecordedBy  uuid.UUID `gorm:"type:uuid;not null"`
	Patient     *Patient  `gorm:"constraint:OnDelete:CASCADE"`
	Recipient   *Account
	Recorder    *Account `gorm:"foreignKey:RecordedBy"`
}

// People returns the patient and account ids of the row. Names can be shown beside them.
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
