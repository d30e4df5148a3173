package service

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/repository"
)

// AvailabilityInput is the hours in which a practitioner sees patients. Without weekly hours, the practitioner is
// always available, except for the exceptions and the time off.
type AvailabilityInput struct {
	TimeZone   string                 `json:"time_zone" max:"64" doc:"The IANA time zone of the hours." example:"America/New_York"`
	Weekly     []schedule.WeeklyHours `json:"weekly" maxItems:"500" doc:"The hours of each weekday. If empty, the practitioner can be booked at any time, except for exceptions and time_off."`
	Exceptions []schedule.DayHours    `json:"exceptions" maxItems:"500" doc:"Days whose hours differ from weekly."`
	TimeOff    []schedule.TimeOff     `json:"time_off" maxItems:"500"`
}

// maxAvailability is how many entries each list of an availability may have.
const maxAvailability = 500

// Availability returns the hours in which a practitioner sees patients. Its version is 0 if none are configured. It
// returns a NotFound error.
func (s *AppointmentService) Availability(ctx context.Context, practitionerID uuid.UUID) (*models.Availability, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "account", EntityID: practitionerID, Details: "hours"}
	return guarded(ctx, s.store, AvailabilityRead, intent, s.store.Read,
		func(ctx context.Context) (*models.Availability, error) {
			if _, err := s.practitioner(ctx, practitionerID); err != nil {
				return nil, err
			}
			return s.availability(ctx, practitionerID)
		})
}

// SetAvailability replaces the hours of a practitioner. Booked appointments stay. It returns a NotFound, a Forbidden,
// a Stale or an Invalid error, or the error of edit.
func (s *AppointmentService) SetAvailability(ctx context.Context, practitionerID uuid.UUID, current Precondition,
	edit func(*models.Availability) (AvailabilityInput, error),
) (*models.Availability, error) {
	intent := audit.Intent{Action: audit.Update, EntityType: "account", EntityID: practitionerID, Details: "hours"}
	return guarded(ctx, s.store, AvailabilityUpdate, intent, s.store.InTx,
		func(ctx context.Context) (*models.Availability, error) {
			actor, err := audit.ActorFrom(ctx)
			if err != nil {
				return nil, err
			}
			if grantFrom(ctx) != All && actor.ID != practitionerID {
				return nil, apperr.New(apperr.Forbidden, "You may only set your own hours.")
			}
			if _, err := s.practitioner(ctx, practitionerID); err != nil {
				return nil, err
			}
			a, err := s.availability(ctx, practitionerID)
			if err != nil {
				return nil, err
			}
			in, err := edited(ctx, s.store.names, a, a.Version, current, edit)
			if err != nil {
				return nil, err
			}
			if err := in.applyTo(a); err != nil {
				return nil, err
			}
			if a.Version == 0 {
				return a, s.availabilities.Create(ctx, a)
			}
			return a, s.availabilities.Update(ctx, a)
		})
}

// SlotQuery asks for free time of a practitioner. An empty type matches any type.
type SlotQuery struct {
	From, To time.Time
	Minutes  int // the length of a slot
	Type     string
	TimeZone string // for practitioners without configured hours; empty: the clinic's
}

// maxSlotPeriod bounds how much free time one request lists.
const maxSlotPeriod = 31 * 24 * time.Hour

// Slots are free times of a practitioner, in order, with the zone of their wall clock.
type Slots struct {
	Free     []schedule.Interval
	TimeZone string
}

// Slots returns the free slots of a practitioner from now on. A disabled account has none. It returns a NotFound or
// an Invalid error.
func (s *AppointmentService) Slots(ctx context.Context, practitionerID uuid.UUID, q SlotQuery) (Slots, error) {
	if q.TimeZone == "" {
		q.TimeZone = s.zone
	}
	intent := audit.Intent{Action: audit.List, EntityType: "account", EntityID: practitionerID, Details: "free slots"}
	return guarded(ctx, s.store, AvailabilityRead, intent, s.store.Read, func(ctx context.Context) (Slots, error) {
		if err := q.check(); err != nil {
			return Slots{}, err
		}
		practitioner, err := s.practitioner(ctx, practitionerID)
		if err != nil {
			return Slots{}, err
		}
		a, err := s.availability(ctx, practitionerID)
		if err != nil {
			return Slots{}, err
		}
		if a.Version == 0 {
			a.TimeZone = q.TimeZone
		}
		if practitioner.Disabled {
			return Slots{TimeZone: a.TimeZone}, nil
		}
		return s.slots(ctx, a, q)
	})
}

func (s *AppointmentService) slots(ctx context.Context, a *models.Availability, q SlotQuery) (Slots, error) {
	week, err := weekOf(a)
	if err != nil {
		return Slots{}, err
	}
	now := time.Now()
	span := schedule.Interval{Start: slices.MaxFunc([]time.Time{q.From, now}, time.Time.Compare), End: q.To}
	taken, err := s.appointments.Taken(ctx, repository.Parties{PractitionerID: a.PractitionerID}, q.From, q.To, now, nil)
	if err != nil {
		return Slots{}, err
	}
	busy := make([]schedule.Interval, len(taken))
	for i, t := range taken {
		busy[i] = schedule.Interval{Start: t.Start, End: t.End}
	}
	return Slots{week.Slots(span, time.Duration(q.Minutes)*time.Minute, q.Type, busy), a.TimeZone}, nil
}

func (q SlotQuery) check() error {
	var v validation
	if !q.To.After(q.From) || q.To.Sub(q.From) > maxSlotPeriod {
		v.add("?to", "out_of_range", "Must be after from, by at most 31 days.")
	}
	if q.Minutes < 5 || q.Minutes > int(maxAppointment/time.Minute) {
		v.add("?minutes", "out_of_range", "Must be from 5 to 1440.")
	}
	if q.Type != "" {
		v.oneOf("?type", q.Type, models.AppointmentTypes())
	}
	v.zone("?time_zone", q.TimeZone)
	return v.err()
}

// practitioner returns the account of a clinician, or a NotFound error.
func (s *AppointmentService) practitioner(ctx context.Context, id uuid.UUID) (*models.Account, error) {
	grantFrom(ctx) // any scope is enough: hours are no secret between staff
	account, err := s.accounts.ByID(ctx, id)
	if err == nil && !slices.Contains(account.Roles, RoleClinician) {
		err = apperr.New(apperr.NotFound, "There is no such practitioner.")
	}
	return account, err
}

// availability returns a practitioner's hours, or empty hours with version 0.
func (s *AppointmentService) availability(ctx context.Context, practitionerID uuid.UUID) (*models.Availability, error) {
	a, err := s.availabilities.Of(ctx, practitionerID)
	if apperr.Is(err, apperr.NotFound) {
		return &models.Availability{
			PractitionerID: practitionerID, TimeZone: s.zone,
			Weekly: []schedule.WeeklyHours{}, Exceptions: []schedule.DayHours{}, TimeOff: []schedule.TimeOff{},
		}, nil
	}
	return a, err
}

// week returns a practitioner's hours.
func (s *AppointmentService) week(ctx context.Context, practitionerID uuid.UUID) (schedule.Week, error) {
	a, err := s.availability(ctx, practitionerID)
	if err != nil {
		return schedule.Week{}, err
	}
	return weekOf(a)
}

func weekOf(a *models.Availability) (schedule.Week, error) {
	zone, err := schedule.Zone(a.TimeZone)
	if err != nil {
		return schedule.Week{}, err
	}
	week := schedule.Week{Zone: zone, Weekly: a.Weekly, Days: a.Exceptions, TimeOff: a.TimeOff}
	if len(a.Weekly) == 0 {
		week.Weekly = schedule.Always(zone).Weekly
	}
	return week, nil
}

// Faults returns the rules that the input breaks.
func (in AvailabilityInput) Faults(Rules) []apperr.Field {
	return fieldsOf(in.applyTo(&models.Availability{}))
}

// applyTo checks the input and writes it into a. It returns an Invalid error that names every offending member; a
// then stays unchanged.
func (in AvailabilityInput) applyTo(a *models.Availability) error {
	var v validation
	v.zone("/time_zone", in.TimeZone)
	for i, weekly := range atMost(&v, "/weekly", in.Weekly) {
		pointer := "/weekly/" + itoa(i)
		if !schedule.IsWeekday(weekly.Weekday) {
			v.add(pointer+"/weekday", "unknown_value", "Must be a weekday, from monday to sunday.")
		}
		v.hours(pointer, weekly.Hours)
	}
	for i, day := range atMost(&v, "/exceptions", in.Exceptions) {
		pointer := "/exceptions/" + itoa(i)
		v.date(pointer+"/date", day.Date)
		if slices.ContainsFunc(in.Exceptions[:i], func(other schedule.DayHours) bool { return other.Date == day.Date }) {
			v.add(pointer+"/date", "repeated", "Must appear only once in the list.")
		}
		for j, hours := range atMost(&v, pointer+"/hours", day.Hours) {
			v.hours(pointer+"/hours/"+itoa(j), hours)
		}
	}
	for i, off := range atMost(&v, "/time_off", in.TimeOff) {
		pointer := "/time_off/" + itoa(i)
		if v.date(pointer+"/from", off.From) && v.date(pointer+"/to", off.To) && off.To < off.From {
			v.add(pointer+"/to", "too_early", "Must not be before from.")
		}
	}
	if err := v.err(); err != nil {
		return err
	}
	a.TimeZone = in.TimeZone
	a.Weekly, a.Exceptions, a.TimeOff = list(in.Weekly), list(in.Exceptions), list(in.TimeOff)
	return nil
}

// list returns a copy of a list that is never nil, also if the client left the list out.
func list[T any](given []T) []T { return append([]T{}, given...) }

// atMost returns a list that is short enough to be checked, or nil.
func atMost[T any](v *validation, pointer string, given []T) []T {
	if len(given) > maxAvailability {
		v.add(pointer, "too_long", "Must have at most "+itoa(maxAvailability)+" entries.")
		return nil
	}
	return given
}

func (v *validation) hours(pointer string, hours schedule.Hours) {
	from, fromErr := schedule.ParseClock(hours.From)
	to, toErr := schedule.ParseClock(hours.To)
	switch {
	case fromErr != nil:
		v.add(pointer+"/from", "time_of_day", "Must be a time of day as HH:MM.")
	case toErr != nil:
		v.add(pointer+"/to", "time_of_day", "Must be a time of day as HH:MM, at most 24:00.")
	case to <= from:
		v.add(pointer+"/to", "too_early", "Must be after from. Send hours across midnight as two entries.")
	}
	for i, typ := range hours.Types {
		v.oneOf(pointer+"/types/"+itoa(i), typ, models.AppointmentTypes())
	}
}

func (v *validation) date(pointer, text string) bool {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		v.add(pointer, "date", "Must be a date as YYYY-MM-DD.")
		return false
	}
	return true
}
