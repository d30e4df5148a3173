package models

import (
	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

// Patient is a person in the clinic's care (specification 3.1).
type Patient struct {
	Base
	Versioned
	FirstName   phi.Text `gorm:"not null"`
	LastName    phi.Text `gorm:"not null"`
	DateOfBirth phi.Date `gorm:"not null"`
	// not GORM's default: it would store true for false
	Active           bool                  `gorm:"not null" migrate:"default=true"`
	ContactInfo      phi.JSON[ContactInfo] `gorm:"not null"`
	Address          phi.JSON[Address]
	Insurance        phi.JSON[Insurance]
	EmergencyContact phi.JSON[EmergencyContact]
	// the kept row of the same person
	MergedIntoID *uuid.UUID `gorm:"type:uuid;index;check:patient_not_merged_into_itself,merged_into_id <> id"`
	MergedInto   *Patient

	goesAlong []audit.Subject // the rows that are removed when the patient is purged
}

// BeforeSave seals the row.
func (p *Patient) BeforeSave(tx *gorm.DB) error { return seal(tx, p) }

// AfterSave keeps the blind indexes in step and notes the change.
func (p *Patient) AfterSave(tx *gorm.DB) error {
	if err := p.index(tx); err != nil {
		return err
	}
	return noteChange(tx, p)
}

// AfterFind notes the access and opens the row.
func (p *Patient) AfterFind(tx *gorm.DB) error { return open(tx, p) }

// BeforeDelete keeps others from adding rows of the patient, and finds the rows that are removed along. If there
// are any, it stores the event of the purge at once; the event names them all. Without the event, the database
// refuses to remove a signed record.
func (p *Patient) BeforeDelete(tx *gorm.DB) error {
	var locked []uuid.UUID
	db := tx.Model(&Patient{}).Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	if err := db.Where("id = ?", p.ID).Pluck("id", &locked).Error; err != nil {
		return err
	}
	var err error
	if p.goesAlong, err = dependants(tx, "patient_id", p.ID); err != nil || len(p.goesAlong) == 0 {
		return err
	}
	if err := noteRemoval(tx, p, p.goesAlong...); err != nil {
		return err
	}
	return storeChanges(tx)
}

// AfterDelete notes the purge, unless BeforeDelete did.
func (p *Patient) AfterDelete(tx *gorm.DB) error {
	if len(p.goesAlong) > 0 {
		return nil
	}
	return noteRemoval(tx, p)
}
