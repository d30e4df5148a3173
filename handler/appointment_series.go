package handler

import (
	"time"

	"github.com/google/uuid"

	"novamind/internal/rest"
	"novamind/models"
	"novamind/service"
)

type seriesAnswer struct {
	rest.Settled `json:"-"`

	Version int64 `json:"-"` // grows with the appointments'

	ID           uuid.UUID                      `json:"id"`
	CreatedAt    time.Time                      `json:"created_at"`
	PatientID    uuid.UUID                      `json:"patient_id"`
	PatientName  *models.Name                   `json:"patient_name" example:"Ada Sample"`
	Rule         string                         `json:"rule" doc:"The recurrence rule (RFC 5545)." example:"FREQ=WEEKLY;COUNT=8"`
	TimeZone     string                         `json:"time_zone" example:"America/New_York"`
	Appointments []rest.Item[appointmentAnswer] `json:"appointments"`
}

func newSeriesAnswer(s *service.Series) seriesAnswer {
	return seriesAnswer{
		Settled: rest.Settled(s.NamedBefore(s.UpdatedAt)),
		Version: s.Version(), ID: s.ID, CreatedAt: s.CreatedAt.UTC(), PatientID: s.PatientID,
		PatientName: s.PatientName(s.PatientID), Rule: s.Rule, TimeZone: s.TimeZone, Appointments: rest.ItemsOf(s.Appointments, newAppointmentAnswer),
	}
}

type occurrenceAnswer struct {
	StartsAt  time.Time        `json:"starts_at"`
	EndsAt    time.Time        `json:"ends_at"`
	Conflicts []conflictAnswer `json:"conflicts" doc:"The conflicts with the practitioner's hours and with other appointments."`
}

type conflictAnswer struct {
	Code     string     `json:"code" values:"conflict"`
	StartsAt *time.Time `json:"starts_at" doc:"The start of the conflicting appointment. Null if the time is outside of the practitioner's hours."`
	EndsAt   *time.Time `json:"ends_at" doc:"The end of the conflicting appointment. Null if the time is outside of the practitioner's hours."`
}

func newOccurrenceAnswer(o service.Occurrence) occurrenceAnswer {
	answer := occurrenceAnswer{o.StartsAt, o.EndsAt, make([]conflictAnswer, len(o.Conflicts))}
	for i, c := range o.Conflicts {
		answer.Conflicts[i] = conflictAnswer{Code: c.Code}
		if !c.StartsAt.IsZero() {
			answer.Conflicts[i] = conflictAnswer{c.Code, &c.StartsAt, &c.EndsAt}
		}
	}
	return answer
}
