package models

import "time"

// LoginTally counts the failed logins for one e-mail address: from one network address, or from all that are not familiar. It
// holds neither address, only a keyed hash of both.
type LoginTally struct {
	KeyHash       string     `gorm:"primaryKey"`
	Failures      int64      `gorm:"not null"`
	LastAt        time.Time  `gorm:"not null"`
	BlockedUntil  *time.Time // no attempt before
	FamiliarUntil *time.Time // a login from there succeeded not long ago
	ExpiresAt     time.Time  `gorm:"not null;index:logintally_expires_at_idx"`
}
