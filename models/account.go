package models

import (
	"time"

	"gorm.io/datatypes"
	"gorm.io/gorm"
)

// Account is a person who may log in.
type Account struct {
	Base
	Versioned
	Email              string                      `gorm:"not null;uniqueIndex:account_email_key"` // normalised
	Name               string                      `gorm:"not null"`
	Roles              datatypes.JSONSlice[string] `gorm:"not null"`
	PasswordHash       string                      `gorm:"not null" audit:"secret"` // Argon2id in PHC string format; empty: no password yet
	MustChangePassword bool                        `gorm:"not null"`
	Disabled           bool                        `gorm:"not null"`
	MFASince           *time.Time                  // when the second factor was confirmed; without one it is not asked for
}

// BeforeSave assigns the id, the times and the next version.
func (a *Account) BeforeSave(tx *gorm.DB) error { return seal(tx, a) }

// AfterSave notes the change.
func (a *Account) AfterSave(tx *gorm.DB) error { return noteChange(tx, a) }

// AfterFind remembers the row, so that a change can say what it touched.
func (a *Account) AfterFind(*gorm.DB) error {
	remember(a)
	return nil
}
