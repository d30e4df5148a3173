package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/datatypes"
)

// AuditOutbox names an event that is not a leaf of the tree yet. A trigger adds the row together with the event.
type AuditOutbox struct {
	EventID uuid.UUID `gorm:"type:uuid;primaryKey"`
}

// AuditLeaf maps a leaf of the tree to its event.
type AuditLeaf struct {
	LeafIndex int64     `gorm:"primaryKey;autoIncrement:false"`
	EventID   uuid.UUID `gorm:"type:uuid;not null;uniqueIndex:auditleaf_event_id_key"`
}

// AuditTile is a tile of the tree: up to 256 hashes.
type AuditTile struct {
	Level     int64  `gorm:"primaryKey;autoIncrement:false"`
	TileIndex int64  `gorm:"primaryKey;autoIncrement:false"`
	Hashes    []byte `gorm:"not null"`
}

// AuditCheckpoint is a signed head of the tree.
type AuditCheckpoint struct {
	TreeSize  int64     `gorm:"primaryKey;autoIncrement:false"`
	CreatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	Epoch     int64     `gorm:"not null"`
	Note      string    `gorm:"not null"`
}

// AuditWitness is a change of a patient's row, or of its index tokens, that PostgreSQL saw. It waits to be matched
// with the event that the program wrote in the same transaction. A witness without such an event becomes an event
// itself.
type AuditWitness struct {
	ID            int64                       `gorm:"primaryKey;autoIncrement:false"`
	CreatedAt     time.Time                   `gorm:"not null;default:CURRENT_TIMESTAMP"`
	TransactionID int64                       `gorm:"not null"`
	TableName     string                      `gorm:"not null"`
	RowID         *uuid.UUID                  `gorm:"type:uuid"`
	Operation     string                      `gorm:"not null"`
	RowDigest     string                      `gorm:"not null"` // audit.Removed, or * for tokens
	Fields        datatypes.JSONSlice[string] `gorm:"not null"`
	DatabaseUser  string                      `gorm:"not null"`
	Address       *string
}
