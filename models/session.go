package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Session is a login. Its token is known to the client alone; the database has a hash.
type Session struct {
	Base
	AccountID uuid.UUID `gorm:"type:uuid;not null;index:session_account_id_idx"`
	Account   *Account  `gorm:"constraint:OnDelete:CASCADE"`
	TokenHash string    `gorm:"not null;uniqueIndex:session_token_hash_key"` // hex SHA-256 of a 256-bit random token
	ExpiresAt time.Time `gorm:"not null"`
}

// BeforeSave assigns the id.
func (s *Session) BeforeSave(*gorm.DB) error {
	s.assignID()
	return nil
}
