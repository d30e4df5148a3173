package models

import (
	"time"

	"gorm.io/datatypes"
	"gorm.io/gorm"
)

// Account is the login of a person.
type Account struct {
	Base
	Versioned
	Email string                      `gorm:"not null;uniqueIndex:account_email_key"` // normalised
	Name  string                      `gorm:"not null"`
	Roles datatypes.JSONSlice[string] `gorm:"not null"`
	// Argon2id in PHC string format; empty: no password yet
	PasswordHash       string `gorm:"not null" audit:"secret"`
	MustChangePassword bool   `gorm:"not null"`
	Disabled           bool   `gorm:"not null"`
	// when the second factor was confirmed; nil: the login does not ask for one
	MFASince *time.Time
}

// BeforeSave assigns the id, the times and the next version.
func (a *Account) BeforeSave(tx *gorm.DB) error { return seal(tx, a) }

// AfterSave notes the change.
func (a *Account) AfterSave(tx *gorm.DB) error { return noteChange(tx, a) }

// AfterFind remembers the row, so that a change can name the touched columns.
func (a *Account) AfterFind(*gorm.DB) error {
	remember(a)
	return nil
}
