package models

import (
	"github.com/google/uuid"
	"gorm.io/datatypes"
	"gorm.io/gorm"

	"novamind/internal/schedule"
)

// Availability is when a practitioner sees patients. Who has none can always be booked.
type Availability struct {
	Base
	Versioned
	Named `gorm:"-"`

	PractitionerID uuid.UUID                                 `gorm:"type:uuid;not null;uniqueIndex:availability_practitioner_id_key"`
	Practitioner   *Account                                  `gorm:"constraint:OnDelete:CASCADE"`
	TimeZone       string                                    `gorm:"not null"` // of the wall clock that all hours are of
	Weekly         datatypes.JSONSlice[schedule.WeeklyHours] `gorm:"not null"`
	Exceptions     datatypes.JSONSlice[schedule.DayHours]    `gorm:"not null"` // days that differ from the week
	TimeOff        datatypes.JSONSlice[schedule.TimeOff]     `gorm:"not null"`
}

// People returns the ids of a row beside which names can stand.
func (a *Availability) People() (patients, accounts []uuid.UUID) { return nil, ids(&a.PractitionerID) }

// BeforeSave assigns the id, the times and the next version.
func (a *Availability) BeforeSave(tx *gorm.DB) error { return seal(tx, a) }

// AfterSave notes the change.
func (a *Availability) AfterSave(tx *gorm.DB) error { return noteChange(tx, a) }

// AfterFind remembers the row, so that a change can say what it touched.
func (a *Availability) AfterFind(*gorm.DB) error {
	remember(a)
	return nil
}
