package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/service"
)

// setHours sets the hours in which a practitioner sees patients.
func (b *bundle) setHours(t *testing.T, ctx context.Context, id uuid.UUID, in service.AvailabilityInput) error {
	t.Helper()
	_, err := b.appointments.SetAvailability(ctx, id, anyVersion, func(*models.Availability) (service.AvailabilityInput, error) { return in, nil })
	return err
}

// A practitioner without hours can always be booked. A practitioner with hours can be booked only within them, unless
// an actor with the permission gives a reason.
func TestBookingsKeepToTheHours(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		doctor := b.practitioner(t)
		book := func(start string, change func(*service.AppointmentInput)) error {
			in := visit(b.register(t), doctor, 0)
			in.StartsAt = at(t, "America/New_York", start)
			in.EndsAt = in.StartsAt.Add(time.Hour)
			if change != nil {
				change(&in)
			}
			_, err := b.appointments.Book(desk, in)
			return err
		}
		require.NoError(t, book("2035-03-04 03:00", nil), "none are configured")
		require.NoError(t, b.setHours(t, desk, doctor.ID, service.AvailabilityInput{
			TimeZone: "America/New_York",
			Weekly: []schedule.WeeklyHours{
				{Weekday: "monday", Hours: schedule.Hours{From: "09:00", To: "12:00"}},
				{Weekday: "tuesday", Hours: schedule.Hours{From: "09:00", To: "12:00", Types: []string{models.TypeIntake}}},
			},
			Exceptions: []schedule.DayHours{{Date: "2035-03-12", Hours: []schedule.Hours{{From: "20:00", To: "22:00"}}}},
			TimeOff:    []schedule.TimeOff{{From: "2035-03-19", To: "2035-03-25"}},
		}))
		for _, c := range []struct {
			start string
			code  apperr.Code
		}{
			{"2035-03-05 11:30", apperr.OutsideHours},
			{"2035-03-05 08:30", apperr.OutsideHours},
			{"2035-03-05 09:00", ""},
			{"2035-03-05 11:00", ""},
			{"2035-03-06 09:00", apperr.OutsideHours}, // for intakes
			{"2035-03-07 09:00", apperr.OutsideHours},
			{"2035-03-12 09:00", apperr.OutsideHours}, // an exception, after clocks changed
			{"2035-03-12 20:00", ""},
			{"2035-03-19 09:00", apperr.OutsideHours}, // time off
			{"2035-03-26 09:00", ""},
		} {
			requireCode(t, c.code, book(c.start, nil), c.start)
		}
		require.NoError(t, book("2035-03-06 09:00", func(in *service.AppointmentInput) { in.Type = models.TypeIntake }))
		require.NoError(t, book("2035-03-07 09:00", func(in *service.AppointmentInput) { in.AllowOverlap, in.OverlapReason = true, "crisis" }))
	})
}

// Clinicians set their own hours, and the front desk everybody's, with a version. Errors name the invalid members.
func TestSettingHours(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk, doctor, other := as(t, service.RoleFrontDesk), b.practitioner(t), b.practitioner(t)
		own := audit.WithActor(t.Context(), audit.Actor{ID: doctor.ID, Roles: []string{service.RoleClinician}, Origin: "test"})
		none, err := b.appointments.Availability(own, doctor.ID)
		require.NoError(t, err)
		require.Zero(t, none.Version)
		require.NoError(t, b.setHours(t, own, doctor.ID, service.AvailabilityInput{TimeZone: "UTC"}))
		requireCode(t, apperr.Forbidden, b.setHours(t, own, other.ID, service.AvailabilityInput{TimeZone: "UTC"}))
		requireCode(t, apperr.NotFound, b.setHours(t, desk, uuid.New(), service.AvailabilityInput{TimeZone: "UTC"}))
		requireCode(t, apperr.NotFound, b.setHours(t, desk, b.account(t, service.RoleAuditor).ID, service.AvailabilityInput{TimeZone: "UTC"}))
		_, err = b.appointments.SetAvailability(desk, doctor.ID, func(v int64) bool { return v == 0 }, nil)
		requireCode(t, apperr.Stale, err)
		set, err := b.appointments.Availability(desk, doctor.ID)
		require.NoError(t, err)
		require.EqualValues(t, 1, set.Version)

		hours := func(from, to string) []schedule.WeeklyHours {
			return []schedule.WeeklyHours{{Weekday: "monday", Hours: schedule.Hours{From: from, To: to}}}
		}
		for name, in := range map[string]service.AvailabilityInput{
			"zone":         {TimeZone: "Mars/Olympus"},
			"weekday":      {TimeZone: "UTC", Weekly: []schedule.WeeklyHours{{Weekday: "Monday", Hours: schedule.Hours{From: "09:00", To: "10:00"}}}},
			"time":         {TimeZone: "UTC", Weekly: hours("9", "10:00")},
			"order":        {TimeZone: "UTC", Weekly: hours("10:00", "10:00")},
			"past the day": {TimeZone: "UTC", Weekly: hours("10:00", "24:01")},
			"type": {TimeZone: "UTC", Weekly: []schedule.WeeklyHours{
				{Weekday: "monday", Hours: schedule.Hours{From: "09:00", To: "10:00", Types: []string{"yoga"}}},
			}},
			"date":          {TimeZone: "UTC", Exceptions: []schedule.DayHours{{Date: "2035-02-30"}}},
			"twice":         {TimeZone: "UTC", Exceptions: []schedule.DayHours{{Date: "2035-02-03"}, {Date: "2035-02-03"}}},
			"time off":      {TimeZone: "UTC", TimeOff: []schedule.TimeOff{{From: "2035-02-03", To: "2035-02-02"}}},
			"more than fit": {TimeZone: "UTC", TimeOff: make([]schedule.TimeOff, 501)},
		} {
			requireCode(t, apperr.Invalid, b.setHours(t, desk, doctor.ID, in), name)
		}
	})
}

// Free slots are the unbooked parts of the hours, also when clocks change. Skipped times do not exist, repeated times
// exist once, and each slot can be booked.
func TestSlotsWhereClocksChange(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		for _, c := range []struct {
			zone, day string
			minutes   int
			want      []string
		}{
			{"America/New_York", "2035-03-11", 60, []string{"00:30-0500", "01:30-0500", "03:30-0400"}},
			{"America/New_York", "2035-11-04", 60, []string{"00:30-0400", "01:30-0400", "02:30-0500", "03:30-0500"}},
			{"Europe/Berlin", "2035-03-25", 60, []string{"00:30+0100", "01:30+0100", "03:30+0200"}},
			{"Europe/Berlin", "2035-10-28", 60, []string{"00:30+0200", "01:30+0200", "02:30+0200", "03:30+0100"}},
			{"Australia/Lord_Howe", "2035-10-07", 30, []string{
				"00:30+1030", "01:00+1030", "01:30+1030", "02:30+1100", "03:00+1100", "03:30+1100", "04:00+1100",
			}},
			{"Australia/Lord_Howe", "2035-04-01", 30, []string{
				"00:30+1100", "01:00+1100", "01:30+1100", "02:00+1030", "02:30+1030", "03:00+1030", "03:30+1030", "04:00+1030",
			}},
		} {
			doctor := b.practitioner(t)
			date, err := time.Parse(time.DateOnly, c.day)
			require.NoError(t, err)
			require.NoError(t, b.setHours(t, desk, doctor.ID, service.AvailabilityInput{TimeZone: c.zone, Weekly: []schedule.WeeklyHours{
				{Weekday: schedule.WeekdayName(date.Weekday()), Hours: schedule.Hours{From: "00:30", To: "04:30"}},
			}}))
			query := service.SlotQuery{
				From: at(t, c.zone, c.day+" 00:00"), To: at(t, c.zone, c.day+" 12:00"), Minutes: c.minutes, Type: models.TypeIndividual,
			}
			slots, err := b.appointments.Slots(desk, doctor.ID, query)
			require.NoError(t, err)
			require.Equal(t, c.zone, slots.TimeZone)
			loc, err := schedule.Zone(slots.TimeZone)
			require.NoError(t, err)
			var shown []string
			for _, slot := range slots.Free {
				shown = append(shown, slot.Start.In(loc).Format("15:04-0700"))
				in := visit(b.register(t), doctor, 0)
				in.StartsAt, in.EndsAt = slot.Start, slot.End
				b.book(t, in)
			}
			require.Equal(t, c.want, shown, "%s %s", c.zone, c.day)
			slots, err = b.appointments.Slots(desk, doctor.ID, query)
			require.NoError(t, err)
			require.Empty(t, slots.Free, "all are taken now")
		}
	})
}

// Slots disappear and appear with bookings, cancellations and holds.
func TestSlotsAreFree(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk, doctor := as(t, service.RoleFrontDesk), b.practitioner(t)
		free := func() int {
			slots, err := b.appointments.Slots(desk, doctor.ID, service.SlotQuery{
				From: monday, To: monday.Add(4 * time.Hour), Minutes: 60, TimeZone: "UTC",
			})
			require.NoError(t, err)
			require.Equal(t, "UTC", slots.TimeZone)
			return len(slots.Free)
		}
		require.Equal(t, 4, free(), "no hours are configured")
		b.book(t, visit(b.register(t), doctor, 0))
		in := visit(b.register(t), doctor, 90*time.Minute)
		in.Status = models.Pending
		hold := b.book(t, in)
		require.Equal(t, 1, free())
		b.expire(t, hold.ID)
		require.Equal(t, 3, free())
		for name, q := range map[string]service.SlotQuery{
			"no period": {Minutes: 60},
			"backwards": {From: monday, To: monday, Minutes: 60},
			"too long":  {From: monday, To: monday.AddDate(0, 0, 32), Minutes: 60},
			"too short": {From: monday, To: monday.Add(time.Hour), Minutes: 1},
			// So many minutes that 64 bits of nanoseconds overflow to five.
			"overflow":   {From: monday, To: monday.Add(time.Hour), Minutes: 307445740},
			"other type": {From: monday, To: monday.Add(time.Hour), Minutes: 60, Type: "yoga"},
			"no zone":    {From: monday, To: monday.Add(time.Hour), Minutes: 60, TimeZone: "Local"},
		} {
			_, err := b.appointments.Slots(desk, doctor.ID, q)
			requireCode(t, apperr.Invalid, err, name)
		}
		require.NoError(t, b.db.Exec("UPDATE account SET disabled = true WHERE id = ?", doctor.ID.String()).Error)
		require.Zero(t, free(), "nobody can be booked with who is disabled")
		_, err := b.appointments.Slots(desk, uuid.New(), service.SlotQuery{From: monday, To: monday.Add(time.Hour), Minutes: 60})
		requireCode(t, apperr.NotFound, err)
		slots, err := b.appointments.Slots(desk, doctor.ID, service.SlotQuery{From: monday.AddDate(-20, 0, 0), To: monday.AddDate(-20, 0, 1), Minutes: 60})
		require.NoError(t, err)
		require.Empty(t, slots.Free, "what is over can't be booked")
	})
}

// Hours can be limited to some types. An appointment cannot avoid that limit by changing its type at the same time.
func TestHoursOfTypesHoldForChanges(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk, doctor := as(t, service.RoleFrontDesk), b.practitioner(t)
		require.NoError(t, b.setHours(t, desk, doctor.ID, service.AvailabilityInput{TimeZone: "UTC", Weekly: []schedule.WeeklyHours{
			{Weekday: "monday", Hours: schedule.Hours{From: "09:00", To: "12:00", Types: []string{models.TypeIndividual, models.TypeGroup}}},
		}}))
		in := visit(b.register(t), doctor, 0)
		in.TimeZone = "UTC"
		series, err := b.appointments.BookSeries(desk, service.SeriesInput{AppointmentInput: in, Rule: "FREQ=WEEKLY;COUNT=2"})
		require.NoError(t, err)
		retype := func(typ string, extent service.Extent, overlap string) error {
			_, err := b.appointments.Change(desk, series.Appointments[0].ID, anyVersion, extent, func(a *models.Appointment) (service.AppointmentInput, error) {
				in := said(a)
				in.Type, in.AllowOverlap, in.OverlapReason = typ, overlap != "", overlap
				return in, nil
			})
			return err
		}
		requireCode(t, apperr.OutsideHours, retype(models.TypeIntake, service.OnlyThis, ""))
		requireCode(t, apperr.OutsideHours, retype(models.TypeIntake, service.Following, ""))
		over := visit(b.register(t), doctor, 30*time.Minute)
		over.AllowOverlap, over.OverlapReason = true, "crisis"
		b.book(t, over)
		require.NoError(t, retype(models.TypeGroup, service.Following, ""), "it takes no more time than before, whatever overlaps it since")
		require.NoError(t, retype(models.TypeIntake, service.OnlyThis, "permitted"))
	})
}
