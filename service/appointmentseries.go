package service

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/schedule"
	"novamind/models"
)

// SeriesInput is the input of a client for a series: its first appointment, and the rule for the others.
type SeriesInput struct {
	AppointmentInput

	Status string `json:"status,omitempty" values:"new series status" doc:"The appointments of a series are always booked."`
	Rule   string `json:"rule" max:"500" doc:"A recurrence rule (RFC 5545) with COUNT or UNTIL." example:"FREQ=WEEKLY;COUNT=8"`
}

// Occurrence is one appointment that a series would have, and its conflicts.
type Occurrence struct {
	StartsAt, EndsAt time.Time
	Conflicts        []Conflict
}

// Series is a rule with the appointments that were made from it.
type Series struct {
	*models.AppointmentSeries

	Appointments []*models.Appointment
}

// Version returns a number that grows with every change of the series. The rule never changes, and no appointment is
// ever removed from the series, so the versions of the appointments are enough.
func (s *Series) Version() int64 {
	var version int64
	for _, a := range s.Appointments {
		version += a.Version
	}
	return version
}

// rows returns the rows that get names beside their ids.
func (s *Series) rows() []any { return []any{s.AppointmentSeries, s.Appointments} }

// PreviewSeries returns the appointments that a series would have, each with every conflict, and books none. It
// returns an Invalid error.
func (s *AppointmentService) PreviewSeries(ctx context.Context, in SeriesInput) ([]Occurrence, error) {
	in.AppointmentInput = in.withDefaults(s.zone)
	intent := audit.Intent{Action: audit.List, EntityType: "appointment", Details: "preview of a series"}
	return guarded(ctx, s.store, AppointmentCreate, intent, s.store.Read,
		func(ctx context.Context) ([]Occurrence, error) {
			rows, _, err := in.expand()
			if err != nil {
				return nil, err
			}
			first := rows[0]
			if err := s.care.inCareFor(ctx, first.PatientID); err != nil {
				return nil, err
			}
			patient, err := s.appointments.StandingOf(ctx, first.PatientID)
			if err != nil {
				return nil, unseen(err)
			}
			if err := s.bookable(ctx, first.PractitionerID, patient, true); err != nil {
				return nil, err
			}
			found, err := s.conflicts(ctx, rows, time.Now())
			occurrences := make([]Occurrence, len(found))
			for i, conflicts := range found {
				occurrences[i] = Occurrence{rows[i].StartsAt, rows[i].EndsAt, conflicts}
			}
			return occurrences, err
		})
}

// BookSeries books every appointment of a series, or none. If any appointment cannot be booked, the Taken or
// OutsideHours error names every conflict. BookSeries also returns an Invalid error.
func (s *AppointmentService) BookSeries(ctx context.Context, in SeriesInput) (*Series, error) {
	in.AppointmentInput = in.withDefaults(s.zone)
	intent := audit.Intent{Action: audit.Create, EntityType: "appointmentseries"}
	return guarded(ctx, s.store, AppointmentCreate, intent, s.store.Retried,
		func(ctx context.Context) (*Series, error) {
			rows, rule, err := in.expand()
			if err != nil {
				return nil, err
			}
			if err := s.care.inCareFor(ctx, in.PatientID); err != nil {
				return nil, err
			}
			if err := s.place(ctx, time.Now(), rows...); err != nil {
				return nil, err
			}
			row := &models.AppointmentSeries{PatientID: in.PatientID, Rule: rule.String(), TimeZone: in.TimeZone}
			if err := s.series.Create(ctx, row); err != nil {
				return nil, err
			}
			for _, a := range rows {
				a.SeriesID = &row.ID
				if err := s.appointments.Create(ctx, a); err != nil {
					return nil, err
				}
			}
			return &Series{row, rows}, nil
		})
}

// seriesInScope returns a series, or a NotFound error if the patient is out of the actor's scope.
func (s *AppointmentService) seriesInScope(ctx context.Context, id uuid.UUID) (*models.AppointmentSeries, error) {
	row, err := s.series.ByID(ctx, id)
	if err != nil {
		return nil, s.care.inCareOf(ctx, uuid.Nil, err)
	}
	return row, s.care.inCareFor(ctx, row.PatientID)
}

// GetSeries returns a series. It returns a NotFound error, or an Unreadable one.
func (s *AppointmentService) GetSeries(ctx context.Context, id uuid.UUID) (*Series, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "appointmentseries", EntityID: id}
	return guarded(ctx, s.store, AppointmentRead, intent, s.store.Read, func(ctx context.Context) (*Series, error) {
		row, err := s.seriesInScope(ctx, id)
		if err != nil {
			return nil, err
		}
		rows, _, err := s.appointments.Search(ctx, AppointmentQuery{SeriesID: []uuid.UUID{id}}, Page{Limit: schedule.MaxOccurrences})
		return &Series{row, rows}, err
	})
}

// Faults returns the rules that the input breaks.
func (in SeriesInput) Faults(rules Rules) []apperr.Field {
	in.AppointmentInput = in.withDefaults(rules.TimeZone)
	_, _, err := in.expand()
	return fieldsOf(err)
}

// expand checks the input and returns its appointments in order, with the state booked.
func (in SeriesInput) expand() ([]*models.Appointment, schedule.Rule, error) {
	v := validation{fieldsOf(in.applyTo(&models.Appointment{}))}
	if cmp.Or(in.Status, in.AppointmentInput.Status) != models.Booked {
		v.add("/status", "unknown_value", "Must be booked for a series.")
	}
	rule, err := schedule.ParseRule(in.Rule)
	if err != nil {
		v.rule(err)
	}
	if err := v.err(); err != nil {
		return nil, rule, err
	}
	zone, err := schedule.Zone(in.TimeZone)
	if err != nil {
		return nil, rule, err
	}
	starts, err := rule.Starts(in.StartsAt.In(zone).Truncate(time.Second))
	if err != nil {
		v.rule(err)
		return nil, rule, v.err()
	}
	length := in.EndsAt.Sub(in.StartsAt)
	rows := make([]*models.Appointment, len(starts))
	for i, start := range starts {
		own := in.AppointmentInput
		own.StartsAt, own.EndsAt = start.UTC(), start.Add(length).UTC()
		rows[i] = &models.Appointment{Status: models.Booked}
		if err := own.applyTo(rows[i]); err != nil {
			return nil, rule, err
		}
	}
	return rows, rule, nil
}

func (v *validation) rule(err error) {
	code, detail := "rule", "Must be a recurrence rule (RFC 5545) with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY that makes at least one appointment."
	switch {
	case errors.Is(err, schedule.ErrRuleEndless):
		code, detail = "endless", "Must have COUNT or UNTIL."
	case errors.Is(err, schedule.ErrRuleTooLong):
		code, detail = "too_long", "Must make at most "+itoa(schedule.MaxOccurrences)+" appointments, and go at most "+itoa(schedule.MaxYears)+" years ahead."
	}
	v.add("/rule", code, detail)
}
