package models

import (
	"time"

	"gorm.io/datatypes"
	"gorm.io/gorm"
)

// Keyset is a Tink keyset, wrapped by the key-encryption key. Without that key, the keyset is worthless.
type Keyset struct {
	Base
	Versioned
	Purpose string `gorm:"not null;uniqueIndex:keyset_purpose_key"`
	Wrapped string `gorm:"not null" audit:"secret"` // Tink's JSON form of an encrypted keyset
	// IndexScheme is the scheme by which the primary key of the index keyset makes tokens (phi.Indexer.Scheme). It
	// is NULL for other keysets.
	IndexScheme *string
}

// BeforeSave assigns the id, the times and the next version.
func (k *Keyset) BeforeSave(tx *gorm.DB) error { return seal(tx, k) }

// AfterUpdate notes the change. The first keysets are made before anything can be recorded.
func (k *Keyset) AfterUpdate(tx *gorm.DB) error { return noteChange(tx, k) }

// AfterFind remembers the row, so that a change can name the touched columns.
func (k *Keyset) AfterFind(*gorm.DB) error {
	remember(k)
	return nil
}

// RetiredKey is a key under which nothing may be sealed any more. The database refuses values under it.
type RetiredKey struct {
	KeyID       string    `gorm:"primaryKey"`
	CreatedAt   time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	DestroyedAt *time.Time
}

// Backup is an existing copy of the database, with the ids of the keys that are needed to read it.
type Backup struct {
	Base
	RetainedUntil time.Time                   `gorm:"not null"`
	KeyIDs        datatypes.JSONSlice[string] `gorm:"not null"`
}

// BeforeSave assigns the id and the times.
func (b *Backup) BeforeSave(*gorm.DB) error {
	b.begin()
	return nil
}
