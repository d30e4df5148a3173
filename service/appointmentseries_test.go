package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/service"
)

// clockZones are time zones with different clock changes: by an hour in spring and autumn on both sides of the
// equator, and by half an hour.
var clockZones = []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe"}

// at parses a wall clock time in a zone.
func at(t *testing.T, zone, wall string) time.Time {
	t.Helper()
	loc, err := schedule.Zone(zone)
	require.NoError(t, err)
	moment, err := time.ParseInLocation("2006-01-02 15:04", wall, loc)
	require.NoError(t, err)
	return moment
}

// weekly returns a series of one-hour appointments at nine, by the clock of a zone, from the first Tuesday of 2035
// on.
func weekly(t *testing.T, p *models.Patient, doctor *models.Account, zone, rule string) service.SeriesInput {
	t.Helper()
	in := visit(p, doctor, 0)
	in.TimeZone, in.StartsAt = zone, at(t, zone, "2035-01-02 09:00")
	in.EndsAt = in.StartsAt.Add(time.Hour)
	return service.SeriesInput{AppointmentInput: in, Rule: rule}
}

// walls returns the wall clock times of the starts of appointments.
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

// A weekly series at nine o'clock stays at nine o'clock, both when it is booked and when all following appointments
// are moved.
func TestSeriesKeepTheWallClock(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		for _, zone := range clockZones {
			doctor := b.practitioner(t)
			made, err := b.appointments.BookSeries(desk, weekly(t, b.register(t), doctor, zone, "FREQ=WEEKLY;COUNT=52"))
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

// A preview names every conflict and books nothing. A series with one conflict is not booked at all.
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

		_, err = b.appointments.BookSeries(desk, in)
		requireCode(t, apperr.Taken, err)
		var refused *apperr.Error
		require.ErrorAs(t, err, &refused)
		require.Len(t, refused.Fields, 2)
		require.Contains(t, refused.Fields[1].Detail, "Occurrence 4: ")
		require.Equal(t, 2, b.count(t, "appointment"))
		require.Zero(t, b.count(t, "appointmentseries"))

		in.Rule = "FREQ=DAILY;COUNT=2"
		once := service.Idempotency{Key: "k", Request: "r"}
		book := func() (*service.Series, error) {
			return service.Once(desk, service.NewRepeatService(b.store), once, uuid.Nil,
				func(ctx context.Context) (*service.Series, error) {
					return b.appointments.BookSeries(ctx, in)
				}, b.appointments.GetSeries)
		}
		made, err := book()
		require.NoError(t, err)
		again, err := book()
		require.NoError(t, err)
		require.Equal(t, made.ID, again.ID)
		require.Len(t, again.Appointments, 2)
		require.Equal(t, 4, b.count(t, "appointment"))
	})
}

// A series can be moved onto its own old times. One conflict of a following appointment refuses the whole move.
func TestFollowingMoveTogether(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		p, doctor := b.register(t), b.practitioner(t)
		in := service.SeriesInput{AppointmentInput: visit(p, doctor, 0), Rule: "FREQ=DAILY;COUNT=6"}
		in.TimeZone = "UTC"
		made, err := b.appointments.BookSeries(desk, in)
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

// A move is refused as a whole if it would put a following appointment into an hour that clocks skip.
func TestFollowingCantMoveIntoTheGap(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		in := visit(b.register(t), b.practitioner(t), 0)
		// Clocks skip from 2 to 3 on the 11th.
		in.TimeZone, in.StartsAt = "America/New_York", at(t, "America/New_York", "2035-03-10 01:00")
		in.EndsAt = in.StartsAt.Add(time.Hour)
		made, err := b.appointments.BookSeries(desk, service.SeriesInput{AppointmentInput: in, Rule: "FREQ=DAILY;COUNT=3"})
		require.NoError(t, err)
		_, err = b.appointments.Change(desk, made.Appointments[0].ID, anyVersion, service.Following, func(a *models.Appointment) (service.AppointmentInput, error) {
			in := said(a)
			in.StartsAt, in.EndsAt = in.StartsAt.Add(90*time.Minute), in.EndsAt.Add(90*time.Minute)
			return in, nil
		})
		requireCode(t, apperr.Invalid, err)
	})
}

// A change of all following appointments changes the same members in each. Other members keep the values that each
// appointment was given.
func TestFollowingKeepWhatIsTheirOwn(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk, first, second := as(t, service.RoleFrontDesk), b.practitioner(t), b.practitioner(t)
		made, err := b.appointments.BookSeries(desk, weekly(t, b.register(t), first, "America/New_York", "FREQ=WEEKLY;COUNT=12"))
		require.NoError(t, err)
		change := func(i int, extent service.Extent, edit func(*service.AppointmentInput)) {
			_, err := b.appointments.Change(desk, made.Appointments[i].ID, anyVersion, extent, func(a *models.Appointment) (service.AppointmentInput, error) {
				in := said(a)
				edit(&in)
				return in, nil
			})
			require.NoError(t, err)
		}
		now := func() (out []service.AppointmentInput) {
			series, err := b.appointments.GetSeries(desk, made.ID)
			require.NoError(t, err)
			for _, a := range series.Appointments {
				in := said(a)
				in.StartsAt, in.EndsAt = in.StartsAt.UTC(), in.EndsAt.UTC()
				out = append(out, in)
			}
			return out
		}
		own := func(in *service.AppointmentInput) {
			in.PractitionerID, in.Reason, in.Modality, in.VideoURL, in.Type = second.ID, "own", "phone", "", models.TypeMedication
			in.EndsAt = in.EndsAt.Add(30 * time.Minute)
		}
		want := now()
		change(3, service.OnlyThis, own)
		change(5, service.OnlyThis, func(in *service.AppointmentInput) { in.AllowOverlap, in.OverlapReason = true, "own" })
		own(&want[3])
		want[5].AllowOverlap, want[5].OverlapReason = true, "own"
		require.Equal(t, want, now())

		change(1, service.Following, func(in *service.AppointmentInput) {
			in.StartsAt, in.EndsAt = in.StartsAt.Add(25*time.Hour), in.EndsAt.Add(25*time.Hour)
		})
		for i := range want[1:] {
			want[i+1].StartsAt, want[i+1].EndsAt = want[i+1].StartsAt.Add(25*time.Hour), want[i+1].EndsAt.Add(25*time.Hour)
		}
		require.Equal(t, want, now())

		change(1, service.Following, func(in *service.AppointmentInput) { in.VideoURL = "https://video.example.org/new" })
		for i := range want[1:] {
			if want[i+1].Modality == "video" {
				want[i+1].VideoURL = "https://video.example.org/new"
			}
		}
		require.Equal(t, want, now())

		change(1, service.Following, func(in *service.AppointmentInput) {
			in.Modality, in.VideoURL, in.EndsAt = "in_person", "", in.EndsAt.Add(-15*time.Minute)
		})
		for i := range want[1:] {
			want[i+1].Modality, want[i+1].VideoURL, want[i+1].EndsAt = "in_person", "", want[i+1].StartsAt.Add(45*time.Minute)
		}
		require.Equal(t, want, now())

		change(2, service.Following, func(in *service.AppointmentInput) { in.PractitionerID, in.Reason = second.ID, "all" })
		for i := range want[2:] {
			want[i+2].PractitionerID, want[i+2].Reason = second.ID, "all"
		}
		require.Equal(t, want, now())
	})
}

// A following appointment with another practitioner is checked against that practitioner's hours and appointments.
func TestFollowingMeetTheirOwnPractitioner(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk, first, second := as(t, service.RoleFrontDesk), b.practitioner(t), b.practitioner(t)
		in := service.SeriesInput{AppointmentInput: visit(b.register(t), first, 0), Rule: "FREQ=WEEKLY;COUNT=3"}
		in.TimeZone = "UTC"
		made, err := b.appointments.BookSeries(desk, in)
		require.NoError(t, err)
		change := func(i int, extent service.Extent, edit func(*service.AppointmentInput)) error {
			_, err := b.appointments.Change(desk, made.Appointments[i].ID, anyVersion, extent, func(a *models.Appointment) (service.AppointmentInput, error) {
				in := said(a)
				edit(&in)
				return in, nil
			})
			return err
		}
		later := func(in *service.AppointmentInput) {
			in.StartsAt, in.EndsAt = in.StartsAt.Add(time.Hour), in.EndsAt.Add(time.Hour)
		}
		require.NoError(t, change(1, service.OnlyThis, func(in *service.AppointmentInput) { in.PractitionerID = second.ID }))
		b.book(t, visit(b.register(t), first, 7*24*time.Hour+time.Hour))
		require.NoError(t, change(0, service.Following, later), "the first practitioner's is in nobody's way")
		b.book(t, visit(b.register(t), second, 7*24*time.Hour+2*time.Hour))
		requireCode(t, apperr.Taken, change(0, service.Following, later))
		require.NoError(t, b.setHours(t, desk, second.ID, service.AvailabilityInput{TimeZone: "UTC", Weekly: []schedule.WeeklyHours{
			{Weekday: "monday", Hours: schedule.Hours{From: "10:00", To: "24:00"}},
		}}))
		requireCode(t, apperr.OutsideHours, change(0, service.Following, func(in *service.AppointmentInput) {
			in.StartsAt, in.EndsAt = in.StartsAt.Add(-time.Hour), in.EndsAt.Add(-time.Hour)
		}))
	})
}
