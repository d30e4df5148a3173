package models

import (
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// Patient is a person in the clinic's care (specification 3.1).
type Patient struct {
	Base
	Versioned
	FirstName        phi.Text              `gorm:"not null"`
	LastName         phi.Text              `gorm:"not null"`
	DateOfBirth      phi.Date              `gorm:"not null"`
	Active           bool                  `gorm:"not null"`
	ContactInfo      phi.JSON[ContactInfo] `gorm:"not null"`
	Address          phi.JSON[Address]
	Insurance        phi.JSON[Insurance]
	EmergencyContact phi.JSON[EmergencyContact]
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

// AfterDelete notes the purge.
func (p *Patient) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, p) }
