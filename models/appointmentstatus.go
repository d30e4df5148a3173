package models

import "slices"

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

// transitions says what may follow a state. A no-show may arrive late, if the time is still free.
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

// occupying are the states in which an appointment takes its time; the others free it. The database has the same list.
var occupying = []string{Pending, Booked, Arrived, CheckedIn, Fulfilled}

// Occupies reports whether an appointment in this state takes its time.
func Occupies(state string) bool { return slices.Contains(occupying, state) }

// changeable are the states in which what is said of an appointment may still change.
var changeable = []string{Pending, Booked, Arrived, CheckedIn}

// Changeable reports whether an appointment in this state may be moved and rewritten.
func Changeable(state string) bool { return slices.Contains(changeable, state) }
