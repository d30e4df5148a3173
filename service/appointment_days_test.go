package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/service"
)

// A whole day can be booked even if it has 23 or 25 hours. An appointment across midnight is like any other.
func TestAppointmentsOfWholeDays(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		for _, c := range []struct {
			from, to string
			code     apperr.Code
		}{
			{"2035-06-01 00:00", "2035-06-02 00:00", ""},
			{"2035-11-04 00:00", "2035-11-05 00:00", ""}, // 25 hours
			{"2035-03-11 00:00", "2035-03-12 00:00", ""}, // 23 hours
			{"2035-06-05 23:00", "2035-06-06 01:00", ""},
			{"2035-06-07 00:00", "2035-06-08 00:01", apperr.Invalid},
			{"2035-11-03 00:00", "2035-11-04 00:01", apperr.Invalid},
		} {
			in := visit(b.register(t), b.practitioner(t), 0)
			in.TimeZone = "America/New_York"
			in.StartsAt, in.EndsAt = at(t, in.TimeZone, c.from), at(t, in.TimeZone, c.to)
			a, err := b.appointments.Book(as(t, service.RoleFrontDesk), in)
			requireCode(t, c.code, err, c.from)
			if err != nil {
				continue
			}
			in.PatientID, in.StartsAt = b.register(t).ID, in.EndsAt.Add(-time.Minute)
			in.EndsAt = in.StartsAt.Add(time.Hour)
			_, err = b.appointments.Book(as(t, service.RoleFrontDesk), in)
			requireCode(t, apperr.Taken, err, "its last minute")
			require.True(t, a.EndsAt.After(a.StartsAt))
		}
	})
}
