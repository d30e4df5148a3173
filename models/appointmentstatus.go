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

// AppointmentStates lists the states of an appointment.
func AppointmentStates() []string {
	return []string{Pending, Booked, Arrived, CheckedIn, Fulfilled, Cancelled, NoShow, EnteredInError}
}

// transitions lists the states that may follow a state. EarliestFor returns from when on. A no-show may arrive
// late, if the time is still free.
var transitions = map[string][]string{
	Pending:   {Booked, Cancelled, EnteredInError},
	Booked:    {Arrived, CheckedIn, Fulfilled, Cancelled, NoShow, EnteredInError},
	Arrived:   {CheckedIn, Fulfilled, Cancelled, EnteredInError},
	CheckedIn: {Fulfilled, Cancelled, EnteredInError},
	Fulfilled: {EnteredInError},
	Cancelled: {EnteredInError},
	NoShow:    {Arrived, EnteredInError},
}

// MayBecome reports whether an appointment may go from state from to state to.
func MayBecome(from, to string) bool { return slices.Contains(transitions[from], to) }

// EarliestFor returns the earliest time at which the appointment may enter a state, or the zero time if there is no
// limit. A patient may arrive or check in on the day of the appointment or later. The day is that of the clock by
// which the appointment was made. A fulfilled or missed appointment must have begun. It returns schedule.ErrZone if
// that clock is unknown.
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

// occupying lists the states in which an appointment takes up its time; the other states free it. The database has
// the same list.
var occupying = []string{Pending, Booked, Arrived, CheckedIn, Fulfilled}

// Occupies reports whether an appointment in this state takes up its time.
func Occupies(state string) bool { return slices.Contains(occupying, state) }

// changeable lists the states in which the details of an appointment may still change.
var changeable = []string{Pending, Booked, Arrived, CheckedIn}

// Changeable reports whether an appointment in this state may be moved and rewritten.
func Changeable(state string) bool { return slices.Contains(changeable, state) }
