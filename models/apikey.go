package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/datatypes"
	"gorm.io/gorm"
)

// APIKey authenticates a machine. It is shown once; the database has a hash. A key is never changed, only revoked,
// which removes it.
type APIKey struct {
	Base
	Versioned
	Named `gorm:"-"`

	// the account that answers for the key
	AccountID uuid.UUID `gorm:"type:uuid;not null;index:apikey_account_id_idx"`
	Account   *Account  `gorm:"constraint:apikey_account_id_fkey,OnDelete:CASCADE"`
	Name      string    `gorm:"not null"`
	// hex SHA-256 of 256 random bits
	KeyHash string `gorm:"not null;uniqueIndex:apikey_key_hash_key" audit:"secret"`
	// the permissions of the key
	Scopes    datatypes.JSONSlice[string] `gorm:"not null"`
	ExpiresAt time.Time                   `gorm:"not null"`
	Use       *APIKeyUse                  `gorm:"foreignKey:APIKeyID;constraint:apikeyuse_api_key_id_fkey,OnDelete:CASCADE"`
}

// People returns the patient and account ids of the row. Names can be shown beside them.
func (k *APIKey) People() (patients, accounts []uuid.UUID) { return nil, ids(&k.AccountID) }

// BeforeSave assigns the id, the times and the version.
func (k *APIKey) BeforeSave(tx *gorm.DB) error { return seal(tx, k) }

// AfterSave notes the change.
func (k *APIKey) AfterSave(tx *gorm.DB) error { return noteChange(tx, k) }

// AfterFind remembers the row, so that a change can name the touched columns.
func (k *APIKey) AfterFind(*gorm.DB) error {
	remember(k)
	return nil
}

// AfterDelete notes the removal.
func (k *APIKey) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, k) }

// APIKeyUse is the time of a key's last use. It is kept apart from the key, so that the key's row stays as the log
// describes it.
type APIKeyUse struct {
	APIKeyID   uuid.UUID `gorm:"type:uuid;primaryKey"`
	LastUsedAt time.Time `gorm:"not null"` // up to a minute behind
}
