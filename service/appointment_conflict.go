package service

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/repository"
)

// The reasons why a time cannot be booked.
const (
	PractitionerTaken = "practitioner_taken"
	PatientTaken      = "patient_taken"
	OutsideHours      = "outside_hours"
)

// Conflict is the reason why a time cannot be booked. For a taken time it has the interval of the other appointment,
// but never its patient.
type Conflict struct {
	Code     string
	StartsAt time.Time
	EndsAt   time.Time
}

func (c Conflict) field(pointer, prefix string) apperr.Field {
	detail := "The practitioner does not see patients at this time."
	if c.Code != OutsideHours {
		who := map[string]string{PractitionerTaken: "practitioner", PatientTaken: "patient"}[c.Code]
		detail = fmt.Sprintf("The %s has another appointment from %s to %s.", who, c.StartsAt.Format(time.RFC3339), c.EndsAt.Format(time.RFC3339))
	}
	return apperr.Field{Pointer: pointer, Code: c.Code, Detail: prefix + detail}
}

// conflicts returns the conflicts of each of rows. The rows are appointments of one patient, not yet stored in this
// form. The old times of rows that are stored already count as free.
func (s *AppointmentService) conflicts(ctx context.Context, rows []*models.Appointment, now time.Time) ([][]Conflict, error) {
	weeks, err := s.weeks(ctx, rows)
	if err != nil {
		return nil, err
	}
	var moving []uuid.UUID
	all := interval(rows[0])
	for _, a := range rows {
		all = schedule.Interval{
			Start: slices.MinFunc([]time.Time{all.Start, a.StartsAt}, time.Time.Compare), End: slices.MaxFunc([]time.Time{all.End, a.EndsAt}, time.Time.Compare),
		}
		if a.ID != uuid.Nil {
			moving = append(moving, a.ID)
		}
	}
	taken := map[uuid.UUID][]repository.Taken{}
	for practitioner := range weeks {
		parties := repository.Parties{PatientID: rows[0].PatientID, PractitionerID: practitioner}
		if taken[practitioner], err = s.appointments.Taken(ctx, parties, all.Start, all.End, now, moving); err != nil {
			return nil, err
		}
	}
	out := make([][]Conflict, len(rows))
	for i, a := range rows {
		if !weeks[a.PractitionerID].Covers(interval(a), a.Type) {
			out[i] = append(out[i], Conflict{Code: OutsideHours})
		}
		for _, other := range taken[a.PractitionerID] {
			out[i] = append(out[i], conflictsWith(interval(a), other)...)
		}
		for j, own := range rows {
			if (j < i || j > i && own.AllowOverlap) && interval(own).Overlaps(interval(a)) {
				out[i] = append(out[i], Conflict{PatientTaken, own.StartsAt.UTC(), own.EndsAt.UTC()})
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

// free returns a Taken or an OutsideHours error with every conflict, unless each of rows can be at its time or may
// overlap.
func (s *AppointmentService) free(ctx context.Context, rows []*models.Appointment, now time.Time) error {
	found, err := s.conflicts(ctx, rows, now)
	if err != nil {
		return err
	}
	for i, a := range rows {
		if a.AllowOverlap {
			found[i] = nil
		}
	}
	return refusal(found)
}

// refusal returns an error with the conflicts of each wanted time, or nil if there are none.
func refusal(found [][]Conflict) error {
	refused := apperr.New(apperr.OutsideHours, "The practitioner does not see patients at this time.")
	for i, conflicts := range found {
		prefix := ""
		if len(found) > 1 {
			prefix = "Occurrence " + itoa(i+1) + ": "
		}
		for _, c := range conflicts {
			if c.Code != OutsideHours {
				refused.Code, refused.Detail = apperr.Taken, "The practitioner or the patient has another appointment at this time: see errors."
			}
			refused.Fields = append(refused.Fields, c.field("/starts_at", prefix))
		}
	}
	if len(refused.Fields) == 0 {
		return nil
	}
	return refused
}

// claim locks the time of a practitioner and a patient for this transaction. It ends their expired holds, because an
// expired hold never blocks a booking. It returns a NotFound error if there is no such patient.
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
			continue // the hold blocks its own time only
		}
		if err := s.expire(ctx, hold); err != nil {
			return standing, err
		}
	}
	return standing, nil
}

// bookable returns an Invalid error if the practitioner cannot be booked, or if the patient's care has ended. For a
// new appointment, it also returns one if the patient's chart is closed because it was merged into another.
func (s *AppointmentService) bookable(ctx context.Context, practitionerID uuid.UUID, patient repository.Standing, isNew bool) error {
	var v validation
	practitioner, err := s.accounts.ByID(ctx, practitionerID)
	switch {
	case err != nil && !apperr.Is(err, apperr.NotFound):
		return err
	case err != nil || practitioner.Disabled || !slices.Contains(practitioner.Roles, RoleClinician):
		v.add("/practitioner_id", "not_clinician", "Must be an enabled account of a clinician.")
	}
	switch {
	case patient.MergedInto != nil && isNew:
		v.add("/patient_id", "merged", "This patient was merged into another one. Book for that one.")
	case !patient.Active:
		v.add("/patient_id", "inactive", "Must be an active patient.")
	}
	return v.err()
}

// withinHours returns an OutsideHours error unless appointments lie within the hours for their types, or may overlap.
func (s *AppointmentService) withinHours(ctx context.Context, rows []*models.Appointment) error {
	weeks, err := s.weeks(ctx, rows)
	if err != nil {
		return err
	}
	for _, a := range rows {
		if !a.AllowOverlap && !weeks[a.PractitionerID].Covers(interval(a), a.Type) {
			return refusal([][]Conflict{{{Code: OutsideHours}}})
		}
	}
	return nil
}

// weeks returns the hours of the appointments' practitioners.
func (s *AppointmentService) weeks(ctx context.Context, rows []*models.Appointment) (map[uuid.UUID]schedule.Week, error) {
	weeks := map[uuid.UUID]schedule.Week{}
	for _, practitioner := range practitionersOf(rows) {
		week, err := s.week(ctx, practitioner)
		if err != nil {
			return nil, err
		}
		weeks[practitioner] = week
	}
	return weeks, nil
}

// practitionersOf returns the appointments' practitioners in a fixed order, so that two transactions that lock
// several of them cannot deadlock.
func practitionersOf(rows []*models.Appointment) []uuid.UUID {
	ids := map[uuid.UUID]bool{}
	for _, a := range rows {
		ids[a.PractitionerID] = true
	}
	return slices.SortedFunc(maps.Keys(ids), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

func interval(a *models.Appointment) schedule.Interval {
	return schedule.Interval{Start: a.StartsAt, End: a.EndsAt}
}
