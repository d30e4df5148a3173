package models

import (
	"github.com/google/uuid"
	"gorm.io/datatypes"
	"gorm.io/gorm"

	"novamind/internal/schedule"
)

// Availability is the times at which a practitioner sees patients. A practitioner without a row can always be
// booked.
type Availability struct {
	Base
	Versioned
	Named `gorm:"-"`

	PractitionerID uuid.UUID                                 `gorm:"type:uuid;not null;uniqueIndex:availability_practitioner_id_key"`
	Practitioner   *Account                                  `gorm:"constraint:OnDelete:CASCADE"`
	TimeZone       string                                    `gorm:"not null"` // of the wall clock for all hours
	Weekly         datatypes.JSONSlice[schedule.WeeklyHours] `gorm:"not null"`
	Exceptions     datatypes.JSONSlice[schedule.DayHours]    `gorm:"not null"` // days that differ from the week
	TimeOff        datatypes.JSONSlice[schedule.TimeOff]     `gorm:"not null"`
}

// People returns the patient and account ids of the row. Names can be shown beside them.
func (a *Availability) People() (patients, accounts []uuid.UUID) { return nil, ids(&a.PractitionerID) }

// BeforeSave assigns the id, the times and the next version.
func (a *Availability) BeforeSave(tx *gorm.DB) error { return seal(tx, a) }

// AfterSave notes the change.
func (a *Availability) AfterSave(tx *gorm.DB) error { return noteChange(tx, a) }

// AfterFind remembers the row, so that a change can name the touched columns.
func (a *Availability) AfterFind(*gorm.DB) error {
	remember(a)
	return nil
}
