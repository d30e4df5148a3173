package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Session is a login. Only the client knows its token; the database has a hash.
type Session struct {
	Base
	AccountID uuid.UUID `gorm:"type:uuid;not null;index:session_account_id_idx"`
	Account   *Account  `gorm:"constraint:OnDelete:CASCADE"`
	TokenHash string    `gorm:"not null;uniqueIndex:session_token_hash_key"` // hex SHA-256 of a 256-bit random token
	ExpiresAt time.Time `gorm:"not null"`
	// LastSeenAt is up to a minute behind: not every request writes it.
	LastSeenAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	Address    *string   // the network address that the login came from
}

// BeforeSave assigns the id and the times.
func (s *Session) BeforeSave(*gorm.DB) error {
	s.begin()
	return nil
}
