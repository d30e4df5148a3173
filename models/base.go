// Package models holds the clinic's entities as GORM models. Their hooks seal and open what is sensitive, and tell the
// unit of work in the context what was touched.
package models

import (
	"reflect"
	"time"

	"github.com/google/uuid"

	"novamind/internal/phi"
)

// Base is what every entity has (specification 2.2).
type Base struct {
	ID        uuid.UUID `gorm:"type:uuid;primaryKey"`
	CreatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`
	UpdatedAt time.Time `gorm:"not null;default:CURRENT_TIMESTAMP"`

	before     any  // the row as it was last read or written, to name what a change touches
	counted    bool // the version was counted up for a write that has not ended yet
	unreadable bool
}

func (b *Base) base() *Base { return b }

// Identity returns the row's id.
func (b *Base) Identity() uuid.UUID { return b.ID }

// ChangedAt returns when the row was last changed.
func (b *Base) ChangedAt() time.Time { return b.UpdatedAt }

// Unreadable reports that the row's sealed values could not be opened: nothing of it may be shown but its id.
func (b *Base) Unreadable() bool { return b.unreadable }

// begin gives a new row its id, before sealing binds values to it, and its times, which the database would take from another clock, and SQLite to the
// millisecond alone: its defaults are for who writes SQL.
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

// Versioned rows count their changes. The version is bound into every sealed value, and a change that does not start
// from the current one fails.
type Versioned struct {
	Version int64 `gorm:"not null;default:1"`
}

func (v *Versioned) rowVersion() *int64 { return &v.Version }

// ToMap returns a row as a map from column to value, as the specification's to_dict; sealed columns show as [PHI].
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
