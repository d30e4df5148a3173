package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// IdempotencyKey remembers the resource that a POST with an Idempotency-Key created, so that a repeat gives the
// same result. It holds neither the response nor the request, only keyed hashes.
type IdempotencyKey struct {
	Base
	AccountID   uuid.UUID `gorm:"type:uuid;not null;uniqueIndex:idempotencykey_account_id_key_hash_key,priority:1"`
	KeyHash     string    `gorm:"not null;uniqueIndex:idempotencykey_account_id_key_hash_key,priority:2"`
	RequestHash string    `gorm:"not null"` // of route and body
	EntityID    uuid.UUID `gorm:"type:uuid;not null"`
	ExpiresAt   time.Time `gorm:"not null;index:idempotencykey_expires_at_idx"`
}

// BeforeSave assigns the id and the times.
func (k *IdempotencyKey) BeforeSave(*gorm.DB) error {
	k.begin()
	return nil
}
