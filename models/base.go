// Package models holds the clinic's entities as GORM models. Their hooks seal and open sensitive values, and note
// every touched row in the unit of work of the context.
package models

import (
	"reflect"
	"time"

	"github.com/google/uuid"

	"novamind/internal/phi"
)

// Base has the columns that every entity shares (specification 2.2).
type Base struct {
	ID        uuid.UUID `gorm:"type:uuid;primaryKey"`
	CreatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	UpdatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`

	before     any  // the row as it was last read or written, to name the columns that a change touches
	counted    bool // the version was incremented for a write that has not ended yet
	unreadable bool
}

func (b *Base) base() *Base { return b }

// Identity returns the row's id.
func (b *Base) Identity() uuid.UUID { return b.ID }

// ChangedAt returns the time of the row's last change.
func (b *Base) ChangedAt() time.Time { return b.UpdatedAt }

// Unreadable reports whether the row's sealed values could not be opened. Then nothing of the row may be shown but
// its id.
func (b *Base) Unreadable() bool { return b.unreadable }

// begin gives a new row its id, before sealing binds values to the id, and its times. The database would take the
// times from another clock, and SQLite only to the millisecond. The defaults of the database are for rows written
// by hand in SQL.
func (b *Base) begin() {
	if b.ID == uuid.Nil {
		b.ID = uuid.Must(uuid.NewV7())
	}
	if b.CreatedAt.IsZero() {
		b.CreatedAt = time.Now().UTC().Truncate(time.Microsecond)
	}
	if b.UpdatedAt.IsZero() {
		b.UpdatedAt = b.CreatedAt
	}
}

// Versioned rows count their changes. Every sealed value is bound to the version, and a change that does not start
// from the current version fails.
type Versioned struct {
	Version int64 `gorm:"not null;default:1"`
}

func (v *Versioned) rowVersion() *int64 { return &v.Version }

// ToMap returns a row as a map from column to value, like the specification's to_dict. Sealed columns show as
// [PHI].
func ToMap(model any) map[string]any {
	l := layoutOf(model)
	row := reflect.Indirect(reflect.ValueOf(model))
	out := make(map[string]any, len(l.columns))
	for _, c := range l.columns {
		if c.sealed {
			out[c.name] = phi.Redacted
		} else {
			out[c.name] = row.FieldByIndex(c.index).Interface()
		}
	}
	return out
}

// TableOf returns the name of a model's table.
func TableOf(model any) string { return layoutOf(model).table }
