package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// RiskFlag warns everybody that treats a patient of a risk, until somebody has reviewed it.
type RiskFlag struct {
	Base
	Versioned
	Named `gorm:"-"`

	PatientID uuid.UUID `gorm:"type:uuid;not null;index:riskflag_patient_id_idx"`
	// the record that the risk was found in: one flag for a record
	RecordID   *uuid.UUID `gorm:"type:uuid;uniqueIndex:riskflag_record_id_key"`
	Reason     phi.Text   `gorm:"not null"`
	RaisedBy   uuid.UUID  `gorm:"type:uuid;not null"`
	RaisedAt   time.Time  `gorm:"not null"`
	ReviewAt   time.Time  `gorm:"not null;index:riskflag_review_at_idx"`
	ResolvedAt *time.Time
	ResolvedBy *uuid.UUID `gorm:"type:uuid"`
	Resolution phi.Text   // the finding of the last review
	// 42 CFR Part 2 protects its record; set only if the service that shows the flag has checked
	Part2    bool     `gorm:"-"`
	Patient  *Patient `gorm:"constraint:OnDelete:CASCADE"`
	Record   *MedicalRecord
	Raiser   *Account `gorm:"foreignKey:RaisedBy"`
	Resolver *Account `gorm:"foreignKey:ResolvedBy"`
}

// People returns the patient and account ids of the row. Names can be shown beside them.
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
