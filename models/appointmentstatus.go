package models

import (
	"slices"
	"time"

	"novamind/internal/schedule"
)

// The states of an appointment, by FHIR's codes (AppointmentStatus).
const (
	Pending        = "pending" // a hold, which expires by itself
	Booked         = "booked"
	Arrived        = "arrived"
	CheckedIn      = "checked-in"
	Fulfilled      = "fulfilled"
	Cancelled      = "cancelled"
	NoShow         = "noshow"
	EnteredInError = "entered-in-error"
)

// AppointmentStates lists them.
func AppointmentStates() []string {
	return []string{Pending, Booked, Arrived, CheckedIn, Fulfilled, Cancelled, NoShow, EnteredInError}
}

// transitions says what may follow a state; EarliestFor says from when on. A no-show may arrive late, if the time is still free.
var transitions = map[string][]string{
	Pending:   {Booked, Cancelled, EnteredInError},
	Booked:    {Arrived, CheckedIn, Fulfilled, Cancelled, NoShow, EnteredInError},
	Arrived:   {CheckedIn, Fulfilled, Cancelled, EnteredInError},
	CheckedIn: {Fulfilled, Cancelled, EnteredInError},
	Fulfilled: {EnteredInError},
	Cancelled: {EnteredInError},
	NoShow:    {Arrived, EnteredInError},
}

// MayBecome reports whether an appointment in state from may go on to state to.
func MayBecome(from, to string) bool { return slices.Contains(transitions[from], to) }

// EarliestFor returns from when on the appointment may come to a state; the zero time where always. Who comes does so on the day of it, by the clock that it was made
// by, or later; what was held or missed has begun. It returns schedule.ErrZone where that clock is unknown.
func (a *Appointment) EarliestFor(state string) (time.Time, error) {
	switch state {
	case Arrived, CheckedIn:
		zone, err := schedule.Zone(a.TimeZone)
		if err != nil {
			return time.Time{}, err
		}
		midnight, _ := schedule.Moment(a.StartsAt.In(zone), 0, zone)
		return midnight.UTC(), nil
	case Fulfilled, NoShow:
		return a.StartsAt.UTC(), nil
	default:
		return time.Time{}, nil
	}
}

// occupying are the states in which an appointment takes its time; the others free it. The database has the same list.
var occupying = []string{Pending, Booked, Arrived, CheckedIn, Fulfilled}

// Occupies reports whether an appointment in this state takes its time.
func Occupies(state string) bool { return slices.Contains(occupying, state) }

// changeable are the states in which what is said of an appointment may still change.
var changeable = []string{Pending, Booked, Arrived, CheckedIn}

// Changeable reports whether an appointment in this state may be moved and rewritten.
func Changeable(state string) bool { return slices.Contains(changeable, state) }
