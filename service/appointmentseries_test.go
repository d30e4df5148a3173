package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/service"
)

// clockZones are those whose changes of clocks are tried: by an hour in spring and autumn on either side of the equator, and by half an hour.
var clockZones = []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe"}

// at returns a wall clock's time in a zone.
func at(t *testing.T, zone, wall string) time.Time {
	t.Helper()
	loc, err := schedule.Zone(zone)
	require.NoError(t, err)
	moment, err := time.ParseInLocation("2006-01-02 15:04", wall, loc)
	require.NoError(t, err)
	return moment
}

// weekly returns a series of hours at nine, by the clock of a zone, from the first Tuesday of 2035 on.
func weekly(t *testing.T, p *models.Patient, doctor *models.Account, zone, rule string) service.SeriesInput {
	t.Helper()
	in := visit(p, doctor, 0)
	in.TimeZone, in.StartsAt = zone, at(t, zone, "2035-01-02 09:00")
	in.EndsAt = in.StartsAt.Add(time.Hour)
	return service.SeriesInput{AppointmentInput: in, Rule: rule}
}

// walls returns what clocks show when appointments start.
func walls(t *testing.T, rows []*models.Appointment) []string {
	t.Helper()
	out := make([]string, len(rows))
	for i, a := range rows {
		zone, err := schedule.Zone(a.TimeZone)
		require.NoError(t, err)
		out[i] = a.StartsAt.In(zone).Format("Mon 15:04")
	}
	return out
}

// Weekly nine o'clock stays nine o'clock, when it is booked and when all that follow are moved.
func TestSeriesKeepTheWallClock(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		for _, zone := range clockZones {
			doctor := b.practitioner(t)
			made, err := b.appointments.BookSeries(desk, weekly(t, b.register(t), doctor, zone, "FREQ=WEEKLY;COUNT=52"), service.Idempotency{})
			require.NoError(t, err)
			for _, wall := range walls(t, made.Appointments) {
				require.Equal(t, "Tue 09:00", wall, zone)
			}
			second := made.Appointments[1]
			_, err = b.appointments.Change(desk, second.ID, anyVersion, service.Following, func(a *models.Appointment) (service.AppointmentInput, error) {
				in := said(a)
				in.StartsAt, in.EndsAt = at(t, zone, "2035-01-11 10:30"), at(t, zone, "2035-01-11 12:00")
				return in, nil
			})
			require.NoError(t, err)
			after, err := b.appointments.GetSeries(desk, made.ID)
			require.NoError(t, err)
			require.Equal(t, "Tue 09:00", walls(t, after.Appointments)[0], "the first does not follow")
			for i, wall := range walls(t, after.Appointments)[1:] {
				require.Equal(t, "Thu 10:30", wall, zone)
				require.Equal(t, 90*time.Minute, after.Appointments[i+1].EndsAt.Sub(after.Appointments[i+1].StartsAt))
			}
		}
	})
}

// A preview names every conflict and books nothing; a series with one is booked not at all.
func TestSeriesAreAllOrNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		p, doctor := b.register(t), b.practitioner(t)
		b.book(t, visit(b.register(t), doctor, 7*24*time.Hour))
		b.book(t, visit(p, b.practitioner(t), 21*24*time.Hour+30*time.Minute))
		in := service.SeriesInput{AppointmentInput: visit(p, doctor, 0), Rule: "FREQ=WEEKLY;COUNT=5"}
		in.TimeZone = "UTC"
		preview, err := b.appointments.PreviewSeries(desk, in)
		require.NoError(t, err)
		require.Len(t, preview, 5)
		var found []service.Conflict
		for i, o := range preview {
			require.Equal(t, monday.AddDate(0, 0, 7*i), o.StartsAt)
			found = append(found, o.Conflicts...)
		}
		week, later := monday.AddDate(0, 0, 7), monday.AddDate(0, 0, 21).Add(30*time.Minute)
		require.Equal(t, []service.Conflict{
			{Code: service.PractitionerTaken, StartsAt: week, EndsAt: week.Add(time.Hour)},
			{Code: service.PatientTaken, StartsAt: later, EndsAt: later.Add(time.Hour)},
		}, found)

		_, err = b.appointments.BookSeries(desk, in, service.Idempotency{})
		requireCode(t, apperr.Taken, err)
		var refused *apperr.Error
		require.ErrorAs(t, err, &refused)
		require.Len(t, refused.Fields, 2)
		require.Contains(t, refused.Fields[1].Detail, "Occurrence 4: ")
		require.Equal(t, 2, b.count(t, "appointment"))
		require.Zero(t, b.count(t, "appointmentseries"))

		in.Rule = "FREQ=DAILY;COUNT=2"
		once := service.Idempotency{Key: "k", Request: "r"}
		made, err := b.appointments.BookSeries(desk, in, once)
		require.NoError(t, err)
		again, err := b.appointments.BookSeries(desk, in, once)
		require.NoError(t, err)
		require.Equal(t, made.ID, again.ID)
		require.Len(t, again.Appointments, 2)
		require.Equal(t, 4, b.count(t, "appointment"))
	})
}

// A series can be moved onto its own old times; one conflict among those that follow stops the whole move.
func TestFollowingMoveTogether(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		p, doctor := b.register(t), b.practitioner(t)
		in := service.SeriesInput{AppointmentInput: visit(p, doctor, 0), Rule: "FREQ=DAILY;COUNT=6"}
		in.TimeZone = "UTC"
		made, err := b.appointments.BookSeries(desk, in, service.Idempotency{})
		require.NoError(t, err)
		move := func(i int, by time.Duration, extent service.Extent) error {
			_, err := b.appointments.Change(desk, made.Appointments[i].ID, anyVersion, extent, func(a *models.Appointment) (service.AppointmentInput, error) {
				in := said(a)
				in.StartsAt, in.EndsAt = in.StartsAt.Add(by), in.EndsAt.Add(by)
				return in, nil
			})
			return err
		}
		days := func() (out []int) {
			now, err := b.appointments.GetSeries(desk, made.ID)
			require.NoError(t, err)
			for _, a := range now.Appointments {
				out = append(out, int(a.StartsAt.Sub(monday)/(24*time.Hour)))
			}
			return out
		}
		day := 24 * time.Hour
		require.NoError(t, move(2, day, service.Following))
		require.Equal(t, []int{0, 1, 3, 4, 5, 6}, days())
		require.NoError(t, move(2, -day, service.Following))
		require.Equal(t, []int{0, 1, 2, 3, 4, 5}, days())
		requireCode(t, apperr.Taken, move(2, day, service.OnlyThis))

		b.book(t, visit(b.register(t), doctor, 6*day))
		requireCode(t, apperr.Taken, move(1, day, service.Following))
		require.Equal(t, []int{0, 1, 2, 3, 4, 5}, days(), "none moved")

		_, err = b.appointments.Transition(desk, made.Appointments[1].ID, anyVersion, models.EnteredInError, "", service.OnlyThis)
		require.NoError(t, err)
		_, err = b.appointments.Transition(desk, made.Appointments[3].ID, anyVersion, models.EnteredInError, "", service.OnlyThis)
		require.NoError(t, err)
		_, err = b.appointments.Transition(desk, made.Appointments[2].ID, anyVersion, models.Cancelled, "moves away", service.Following)
		require.NoError(t, err)
		now, err := b.appointments.GetSeries(desk, made.ID)
		require.NoError(t, err)
		var states []string
		for _, a := range now.Appointments {
			states = append(states, a.Status)
		}
		require.Equal(t, []string{models.Booked, models.EnteredInError, models.Cancelled, models.EnteredInError, models.Cancelled, models.Cancelled}, states)
		_, err = b.appointments.Transition(desk, made.Appointments[0].ID, anyVersion, models.Arrived, "", service.Following)
		requireCode(t, apperr.Invalid, err, "only cancelling goes for all that follow")
	})
}

// A move that would put one that follows where clocks skip an hour is refused as a whole.
func TestFollowingCantMoveIntoTheGap(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		in := visit(b.register(t), b.practitioner(t), 0)
		in.TimeZone, in.StartsAt = "America/New_York", at(t, "America/New_York", "2035-03-10 01:00") // clocks skip from 2 to 3 on the 11th
		in.EndsAt = in.StartsAt.Add(time.Hour)
		made, err := b.appointments.BookSeries(desk, service.SeriesInput{AppointmentInput: in, Rule: "FREQ=DAILY;COUNT=3"}, service.Idempotency{})
		require.NoError(t, err)
		_, err = b.appointments.Change(desk, made.Appointments[0].ID, anyVersion, service.Following, func(a *models.Appointment) (service.AppointmentInput, error) {
			in := said(a)
			in.StartsAt, in.EndsAt = in.StartsAt.Add(90*time.Minute), in.EndsAt.Add(90*time.Minute)
			return in, nil
		})
		requireCode(t, apperr.Invalid, err)
	})
}
