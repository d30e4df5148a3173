package models

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

// Appointment is a time that a patient and a practitioner reserve for each other. The database refuses overlaps.
type Appointment struct {
	Base
	Versioned
	Named `gorm:"-"`

	PatientID      uuid.UUID          `gorm:"type:uuid;not null;index:appointment_patient_id_idx,priority:1"`
	Patient        *Patient           `gorm:"constraint:OnDelete:CASCADE"`
	PractitionerID uuid.UUID          `gorm:"type:uuid;not null;index:appointment_practitioner_id_idx,priority:1"`
	Practitioner   *Account           `gorm:"constraint:OnDelete:RESTRICT"`
	SeriesID       *uuid.UUID         `gorm:"type:uuid;index:appointment_series_id_idx"`
	Series         *AppointmentSeries `gorm:"constraint:OnDelete:CASCADE"`
	StartsAt       time.Time          `gorm:"not null;index:appointment_starts_at_idx"`
	EndsAt         time.Time          `gorm:"not null;index:appointment_patient_id_idx,priority:2;index:appointment_practitioner_id_idx,priority:2;check:appointment_ends_later,ends_at > starts_at"`
	TimeZone       string             `gorm:"not null"` // IANA name of the clock by which the appointment was made
	Status         string             `gorm:"not null;check:appointment_status_known,status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled', 'cancelled', 'noshow', 'entered-in-error')"`
	Type           string             `gorm:"not null;check:appointment_type_known,type IN ('intake', 'individual', 'group', 'medication', 'assessment')"`
	Modality       string             `gorm:"not null;check:appointment_modality_known,modality IN ('in_person', 'video', 'phone')"`
	ExpiresAt      *time.Time         `gorm:"index:appointment_expires_at_idx;check:appointment_holds_expire,(status = 'pending') = (expires_at IS NOT NULL)"`
	AllowOverlap   bool               `gorm:"not null;check:appointment_overlap_has_reason,NOT allow_overlap OR overlap_reason IS NOT NULL"`
	Reason         phi.Text
	VideoURL       phi.Text
	OverlapReason  phi.Text
	CancelReason   phi.Text `gorm:"check:appointment_cancellation_has_reason,status <> 'cancelled' OR cancel_reason IS NOT NULL"`
}

// People returns the patient and account ids of the row. Names can be shown beside them.
func (a *Appointment) People() (patients, accounts []uuid.UUID) {
	return ids(&a.PatientID), ids(&a.PractitionerID)
}

// Appointment types.
const (
	TypeIntake     = "intake"
	TypeIndividual = "individual"
	TypeGroup      = "group"
	TypeMedication = "medication"
	TypeAssessment = "assessment"
)

// AppointmentTypes lists the appointment types.
func AppointmentTypes() []string {
	return []string{TypeIntake, TypeIndividual, TypeGroup, TypeMedication, TypeAssessment}
}

// Modalities lists the ways in which patient and practitioner may meet.
func Modalities() []string { return []string{"in_person", "video", "phone"} }

// BeforeSave seals the row. Times are kept in UTC, which SQLite compares as text.
func (a *Appointment) BeforeSave(tx *gorm.DB) error {
	a.StartsAt, a.EndsAt = stored(a.StartsAt), stored(a.EndsAt)
	if a.ExpiresAt != nil {
		at := stored(*a.ExpiresAt)
		a.ExpiresAt = &at
	}
	return seal(tx, a)
}

func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// AfterSave notes the change. A change of the status is noted as a transition.
func (a *Appointment) AfterSave(tx *gorm.DB) error {
	old, changed := a.before.(*Appointment)
	if !changed || old.Status == a.Status {
		return noteChange(tx, a)
	}
	return noteChangeAs(tx, a, audit.Transition, old.Status+" → "+a.Status)
}

// AfterFind notes the access and opens the row.
func (a *Appointment) AfterFind(tx *gorm.DB) error { return open(tx, a) }

// AfterDelete notes the purge.
func (a *Appointment) AfterDelete(tx *gorm.DB) error { return noteRemoval(tx, a) }

// AppointmentSeries is the rule that made several appointments.
type AppointmentSeries struct {
	Base
	Named `gorm:"-"`

	PatientID uuid.UUID `gorm:"type:uuid;not null;index:appointmentseries_patient_id_idx"`
	Patient   *Patient  `gorm:"constraint:OnDelete:CASCADE"`
	Rule      string    `gorm:"not null"` // RFC 5545, RRULE
	TimeZone  string    `gorm:"not null"`
}

// People returns the patient and account ids of the row. Names can be shown beside them.
func (s *AppointmentSeries) People() (patients, accounts []uuid.UUID) { return ids(&s.PatientID), nil }

// BeforeSave assigns the id and the times.
func (s *AppointmentSeries) BeforeSave(*gorm.DB) error {
	s.begin()
	return nil
}

// AfterSave notes the change.
func (s *AppointmentSeries) AfterSave(tx *gorm.DB) error { return noteChange(tx, s) }
