package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// AccountLink lets a person choose the password of an account once, after an invitation or a reset. Only the
// recipient knows its token; the database has a hash. An account has one link at a time.
type AccountLink struct {
	Base
	AccountID uuid.UUID `gorm:"type:uuid;not null;uniqueIndex:accountlink_account_id_key"`
	Account   *Account  `gorm:"constraint:OnDelete:CASCADE"`
	TokenHash string    `gorm:"not null;uniqueIndex:accountlink_token_hash_key"` // hex SHA-256 of a 256-bit random token
	ExpiresAt time.Time `gorm:"not null"`
}

// BeforeSave assigns the id and the times.
func (l *AccountLink) BeforeSave(*gorm.DB) error {
	l.begin()
	return nil
}
