package models

import "time"

// LoginTally counts the failed logins for one e-mail address: from one network address, or from all addresses that
// are not familiar. It holds neither address, only a keyed hash of both.
type LoginTally struct {
	KeyHash       string     `gorm:"primaryKey"`
	Failures      int64      `gorm:"not null"`
	LastAt        time.Time  `gorm:"not null"`
	BlockedUntil  *time.Time // no attempt is allowed before this time
	FamiliarUntil *time.Time // until then the address is familiar, because a login from it succeeded recently
	ExpiresAt     time.Time  `gorm:"not null;index:logintally_expires_at_idx"`
}
