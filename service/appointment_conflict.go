package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/repository"
)

// The ways in which a time is not to be had.
const (
	PractitionerTaken = "practitioner_taken"
	PatientTaken      = "patient_taken"
	OutsideHours      = "outside_hours"
)

// Conflict is why a time is not to be had, and, where it is taken, from when to when. It never says by whom.
type Conflict struct {
	Code     string
	StartsAt time.Time
	EndsAt   time.Time
}

func (c Conflict) field(pointer, prefix string) apperr.Field {
	detail := "The practitioner does not see patients at this time."
	if c.Code != OutsideHours {
		who := map[string]string{PractitionerTaken: "practitioner", PatientTaken: "patient"}[c.Code]
		detail = fmt.Sprintf("The %s is taken from %s to %s.", who, c.StartsAt.Format(time.RFC3339), c.EndsAt.Format(time.RFC3339))
	}
	return apperr.Field{Pointer: pointer, Code: c.Code, Detail: prefix + detail}
}

// wish is the time that somebody wants of a practitioner and a patient.
type wish struct {
	repository.Parties

	typ    string
	times  []schedule.Interval
	except []uuid.UUID // appointments that give their time up for it
}

// conflicts returns what stands in the way of each time of a wish.
func (s *AppointmentService) conflicts(ctx context.Context, w wish, now time.Time) ([][]Conflict, error) {
	week, err := s.week(ctx, w.PractitionerID)
	if err != nil {
		return nil, err
	}
	first, last := w.times[0].Start, w.times[0].End
	for _, t := range w.times {
		first, last = earliest(first, t.Start), latest(last, t.End)
	}
	taken, err := s.appointments.Taken(ctx, w.Parties, first, last, now, w.except)
	if err != nil {
		return nil, err
	}
	out := make([][]Conflict, len(w.times))
	for i, t := range w.times {
		if !week.Covers(t, w.typ) {
			out[i] = append(out[i], Conflict{Code: OutsideHours})
		}
		for _, other := range taken {
			out[i] = append(out[i], conflictsWith(t, other)...)
		}
		for _, own := range w.times[:i] {
			if own.Overlaps(t) {
				out[i] = append(out[i], Conflict{PatientTaken, own.Start.UTC(), own.End.UTC()})
			}
		}
	}
	return out, nil
}

func conflictsWith(t schedule.Interval, other repository.Taken) (out []Conflict) {
	if !t.Overlaps(schedule.Interval{Start: other.Start, End: other.End}) {
		return nil
	}
	if other.ByPractitioner {
		out = append(out, Conflict{PractitionerTaken, other.Start, other.End})
	}
	if other.ByPatient {
		out = append(out, Conflict{PatientTaken, other.Start, other.End})
	}
	return out
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// free returns a Taken or an OutsideHours error, with every conflict, unless all times of a wish are to be had.
func (s *AppointmentService) free(ctx context.Context, w wish, now time.Time) error {
	found, err := s.conflicts(ctx, w, now)
	if err != nil {
		return err
	}
	return refusal(found)
}

// refusal returns an error with the conflicts of each wanted time, or nil where there are none.
func refusal(found [][]Conflict) error {
	refused := apperr.New(apperr.OutsideHours, "The practitioner does not see patients at this time.")
	for i, conflicts := range found {
		prefix := ""
		if len(found) > 1 {
			prefix = "Occurrence " + itoa(i+1) + ": "
		}
		for _, c := range conflicts {
			if c.Code != OutsideHours {
				refused.Code, refused.Detail = apperr.Taken, "The practitioner or the patient is taken at this time: see errors."
			}
			refused.Fields = append(refused.Fields, c.field("/starts_at", prefix))
		}
	}
	if len(refused.Fields) == 0 {
		return nil
	}
	return refused
}

// claim keeps the time of a practitioner and a patient to this transaction, and ends their holds that have expired: those never stand in the way. It returns a
// NotFound error where there is no such patient.
func (s *AppointmentService) claim(ctx context.Context, p repository.Parties, now time.Time) (repository.Standing, error) {
	standing, err := s.appointments.Claim(ctx, p)
	if err != nil {
		return standing, err
	}
	expired, err := s.appointments.Expired(ctx, p, now)
	if err != nil {
		return standing, err
	}
	for _, hold := range expired {
		if hold.Unreadable() {
			continue // it stands in the way of its own time alone
		}
		if err := s.expire(ctx, hold); err != nil {
			return standing, err
		}
	}
	return standing, nil
}

// bookable returns an Invalid error where nobody can be booked with the practitioner, or the patient is in nobody's care any more, or, for a new appointment,
// is one whose chart is closed because another one stands for the person.
func (s *AppointmentService) bookable(ctx context.Context, practitionerID uuid.UUID, patient repository.Standing, isNew bool) error {
	var v validation
	practitioner, err := s.accounts.ByID(ctx, practitionerID)
	switch {
	case err != nil && !apperr.Is(err, apperr.NotFound):
		return err
	case err != nil || practitioner.Disabled || !slices.Contains(practitioner.Roles, RoleClinician):
		v.add("/practitioner_id", "not_clinician", "Is not a clinician who can be booked.")
	}
	switch {
	case patient.MergedInto != nil && isNew:
		v.add("/patient_id", "merged", "Is a patient who was merged into another: book for that one.")
	case !patient.Active:
		v.add("/patient_id", "inactive", "Is a patient who is not active.")
	}
	return v.err()
}

// withinHours returns an OutsideHours error unless appointments of one practitioner and type lie within the hours for that type, or may overlap.
func (s *AppointmentService) withinHours(ctx context.Context, rows []*models.Appointment) error {
	if len(rows) == 0 || rows[0].AllowOverlap {
		return nil
	}
	week, err := s.week(ctx, rows[0].PractitionerID)
	if err != nil {
		return err
	}
	for _, a := range rows {
		if !week.Covers(interval(a), a.Type) {
			return refusal([][]Conflict{{{Code: OutsideHours}}})
		}
	}
	return nil
}

func interval(a *models.Appointment) schedule.Interval {
	return schedule.Interval{Start: a.StartsAt, End: a.EndsAt}
}
