package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/datatypes"
	"gorm.io/gorm"
)

// APIKey lets a machine in. It is shown once; the database has a hash. A key is never changed, only revoked, which removes it.
type APIKey struct {
	Base
	Versioned
	Named `gorm:"-"`

	AccountID uuid.UUID                   `gorm:"type:uuid;not null;index:apikey_account_id_idx"` // who answers for it
	Account   *Account                    `gorm:"constraint:apikey_account_id_fkey,OnDelete:CASCADE"`
	Name      string                      `gorm:"not null"`
	KeyHash   string                      `gorm:"not null;uniqueIndex:apikey_key_hash_key" audit:"secret"` // hex SHA-256 of 256 random bits
	Scopes    datatypes.JSONSlice[string] `gorm:"not null"`                                                // the permissions that it has
	ExpiresAt time.Time                   `gorm:"not null"`
	Use       *APIKeyUse                  `gorm:"foreignKey:APIKeyID;constraint:apikeyuse_api_key_id_fkey,OnDelete:CASCADE"`
}

// People returns the ids of a row beside which names can stand.
func (k *APIKey) People() (patients, accounts []uuid.UUID) { return nil, ids(&k.AccountID) }

// BeforeSave assigns the id, the times and the version.
func (k *APIKey) BeforeSave(tx *gorm.DB) error { return seal(tx, k) }

// AfterSave notes the change.
func (k *APIKey) AfterSave(tx *gorm.DB) error { return noteChange(tx, k) }

// AfterFind remembers the row, so that a change can say what it touched.
func (k *APIKey) AfterFind(*gorm.DB) error {
	remember(k)
	return nil
}

// AfterDelete notes the removal.
func (k *APIKey) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, k) }

// APIKeyUse is when a key was used last. It stands apart from the key, whose row is what the log says of it.
type APIKeyUse struct {
	APIKeyID   uuid.UUID `gorm:"type:uuid;primaryKey"`
	LastUsedAt time.Time `gorm:"not null"` // behind by up to a minute
}
