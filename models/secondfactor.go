package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// SecondFactor is the secret from which an account's time-based one-time passwords (RFC 6238) are made.
type SecondFactor struct {
	Base
	Versioned
	AccountID   uuid.UUID  `gorm:"type:uuid;not null;uniqueIndex:secondfactor_account_id_key"`
	Account     *Account   `gorm:"constraint:secondfactor_account_id_fkey,OnDelete:CASCADE"`
	Secret      phi.Text   `gorm:"not null" audit:"secret"` // base32
	ConfirmedAt *time.Time // nil: the login does not ask for the second factor yet
}

// BeforeSave assigns id and version, and seals the row.
func (f *SecondFactor) BeforeSave(tx *gorm.DB) error { return seal(tx, f) }

// AfterSave notes the change.
func (f *SecondFactor) AfterSave(tx *gorm.DB) error { return noteChange(tx, f) }

// AfterFind notes the access, then opens the row.
func (f *SecondFactor) AfterFind(tx *gorm.DB) error { return open(tx, f) }

// AfterDelete notes the removal.
func (f *SecondFactor) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, f) }

// TOTPUse remembers the newest time step whose code an account logged in with. Neither that code nor an older one
// is accepted again.
type TOTPUse struct {
	AccountID uuid.UUID `gorm:"type:uuid;primaryKey"`
	Account   *Account  `gorm:"constraint:totpuse_account_id_fkey,OnDelete:CASCADE"`
	Step      int64     `gorm:"not null"` // of 30 seconds since 1970
}

// RecoveryCode replaces the second factor, once.
type RecoveryCode struct {
	Base
	AccountID uuid.UUID `gorm:"type:uuid;not null;uniqueIndex:recoverycode_account_id_code_hash_key,priority:1"`
	Account   *Account  `gorm:"constraint:recoverycode_account_id_fkey,OnDelete:CASCADE"`
	// hex SHA-256 of 80 random bits
	CodeHash string `gorm:"not null;uniqueIndex:recoverycode_account_id_code_hash_key,priority:2"`
}

// BeforeSave assigns the id and the times.
func (c *RecoveryCode) BeforeSave(*gorm.DB) error {
	c.begin()
	return nil
}
