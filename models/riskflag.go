package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// RiskFlag tells everybody who treats a patient to look out, until somebody has reviewed it.
type RiskFlag struct {
	Base
	Versioned
	Named `gorm:"-"`

	PatientID  uuid.UUID  `gorm:"type:uuid;not null;index:riskflag_patient_id_idx"`
	RecordID   *uuid.UUID `gorm:"type:uuid;uniqueIndex:riskflag_record_id_key"` // that it was found in: one flag for a record
	Reason     phi.Text   `gorm:"not null"`
	RaisedBy   uuid.UUID  `gorm:"type:uuid;not null"`
	RaisedAt   time.Time  `gorm:"not null"`
	ReviewAt   time.Time  `gorm:"not null;index:riskflag_review_at_idx"`
	ResolvedAt *time.Time
	ResolvedBy *uuid.UUID `gorm:"type:uuid"`
	Resolution phi.Text   // what the last review found
	Part2      bool       `gorm:"-"` // 42 CFR Part 2 protects its record, as far as who shows it has looked
	Patient    *Patient   `gorm:"constraint:OnDelete:CASCADE"`
	Record     *MedicalRecord
	Raiser     *Account `gorm:"foreignKey:RaisedBy"`
	Resolver   *Account `gorm:"foreignKey:ResolvedBy"`
}

// People returns the ids of a row beside which names can stand.
func (f *RiskFlag) People() (patients, accounts []uuid.UUID) {
	return ids(&f.PatientID), ids(&f.RaisedBy, f.ResolvedBy)
}

// BeforeSave seals the row.
func (f *RiskFlag) BeforeSave(tx *gorm.DB) error { return seal(tx, f) }

// AfterSave notes the change.
func (f *RiskFlag) AfterSave(tx *gorm.DB) error { return noteChange(tx, f) }

// AfterFind notes the access and opens the row.
func (f *RiskFlag) AfterFind(tx *gorm.DB) error { return open(tx, f) }

// AfterDelete notes the purge.
func (f *RiskFlag) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, f) }
