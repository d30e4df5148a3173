package handler_test

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/service"
)

// slot is a valid appointment of people that do not exist.
const (
	slotStart = `{"patient_id":"0190b5f4-0000-7000-8000-0000000000aa","practitioner_id":"0190b5f4-0000-7000-8000-0000000000bb",` +
		`"starts_at":"2035-03-05T09:00:00Z","ends_at":"2035-03-05T10:00:00Z","time_zone":"America/New_York","type":"individual","modality":"video"`
	slot         = slotStart + `}`
	slotEachWeek = slotStart + `,"rule":"FREQ=WEEKLY;COUNT=3"}`
)

// visit returns a valid appointment of one hour for a patient and a practitioner. It begins the given number of hours
// after a Monday morning.
func visit(patient, practitioner string, hours int, more string) string {
	start := time.Date(2035, 3, 5, 9, 0, 0, 0, time.UTC).Add(time.Duration(hours) * time.Hour)
	return `{"patient_id":"` + patient + `","practitioner_id":"` + practitioner + `","starts_at":"` + start.Format(time.RFC3339) +
		`","ends_at":"` + start.Add(time.Hour).Format(time.RFC3339) + `"` + more + `}`
}

// practitioner makes an account that can be booked, and returns its id.
func (s *stack) practitioner() string {
	s.t.Helper()
	return s.person(uuid.NewString()+"@example.org", service.RoleClinician).id.String()
}

// booked returns the answer to an appointment of a patient in the caller's care, or to a series of them.
func (s *stack) booked(c caller, path, more string) reply {
	s.t.Helper()
	r := s.do("POST", path, visit(s.inCareOf(c.id, ada), s.practitioner(), 0, more))
	require.Equal(s.t, http.StatusCreated, r.status, r.text)
	return r
}

// appointmentPath returns the path of an appointment of a patient in the caller's care.
func appointmentPath(rest string) func(*stack, caller) string {
	return func(s *stack, c caller) string {
		return "/api/v1/appointments/" + s.booked(c, "/api/v1/appointments", "").at("id").(string) + rest
	}
}

func seriesPath(s *stack, c caller) string {
	return "/api/v1/appointment-series/" + s.booked(c, "/api/v1/appointment-series", `,"rule":"FREQ=WEEKLY;COUNT=2"`).at("id").(string)
}

// practitionerPath returns the path of another clinician.
func practitionerPath(rest string) func(*stack, caller) string {
	return func(s *stack, _ caller) string { return "/api/v1/practitioners/" + s.practitioner() + rest }
}

// ownHours returns the path of the caller's own hours, if the caller is a clinician.
func ownHours(s *stack, c caller) string {
	me := s.as(c.token).do("GET", "/api/v1/auth/me", "")
	if roles, ok := me.at("roles").([]any); ok && slices.Contains(roles, any(service.RoleClinician)) {
		return "/api/v1/practitioners/" + c.id.String() + "/availability"
	}
	return practitionerPath("/availability")(s, c)
}
