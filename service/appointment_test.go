package service_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// practitioner adds an account that can be booked.
func (b *bundle) practitioner(t *testing.T) *models.Account {
	t.Helper()
	return b.account(t, service.RoleClinician)
}

// monday is a morning without appointments.
var monday = time.Date(2035, 3, 5, 9, 0, 0, 0, time.UTC)

// visit returns the input for an appointment of one hour that starts at the given time after monday.
func visit(p *models.Patient, practitioner *models.Account, after time.Duration) service.AppointmentInput {
	return service.AppointmentInput{
		PatientID: p.ID, PractitionerID: practitioner.ID, StartsAt: monday.Add(after), EndsAt: monday.Add(after + time.Hour),
		TimeZone: "America/New_York", Type: models.TypeIndividual, Modality: "video", Reason: "Zcanary", VideoURL: "https://video.example.org/zcanary",
	}
}

// longAgo moves an appointment to a time when all transitions are allowed.
func longAgo(in service.AppointmentInput) service.AppointmentInput {
	in.StartsAt, in.EndsAt = in.StartsAt.AddDate(-15, 0, 0), in.EndsAt.AddDate(-15, 0, 0)
	return in
}

// soon moves an appointment to tomorrow, which is near enough to bring the patient into care.
func soon(in service.AppointmentInput) service.AppointmentInput {
	in.StartsAt = time.Now().Add(24 * time.Hour).Truncate(time.Minute)
	in.EndsAt = in.StartsAt.Add(time.Hour)
	return in
}

// zoneAt returns a time zone whose clocks show the given hour now.
func zoneAt(hour int) string {
	switch ahead := (hour-time.Now().UTC().Hour()+36)%24 - 12; { // -12 to 11
	case ahead > 0:
		return fmt.Sprintf("Etc/GMT-%d", ahead) // POSIX signs are reversed: positive is west
	case ahead < 0:
		return fmt.Sprintf("Etc/GMT+%d", -ahead)
	default:
		return "Etc/GMT"
	}
}

func (b *bundle) book(t *testing.T, in service.AppointmentInput) *models.Appointment {
	t.Helper()
	a, err := b.appointments.Book(as(t, service.RoleFrontDesk), in)
	require.NoError(t, err)
	return a
}

// bookOnce books with an idempotency key.
func (b *bundle) bookOnce(ctx context.Context, in service.AppointmentInput, once service.Idempotency) (*models.Appointment, error) {
	return service.Once(ctx, service.NewRepeatService(b.store), once, uuid.Nil,
		func(ctx context.Context) (*models.Appointment, error) {
			return b.appointments.Book(ctx, in)
		}, b.appointments.Get)
}

// appointmentInCareOf books an appointment of a patient in the care of ctx's actor.
func (b *bundle) appointmentInCareOf(t *testing.T, ctx context.Context) *models.Appointment {
	t.Helper()
	return b.book(t, visit(b.inCareOf(t, ctx), b.practitioner(t), 0))
}

// seriesInCareOf returns a series of a patient in the care of ctx's actor.
func (b *bundle) seriesInCareOf(t *testing.T, ctx context.Context) service.SeriesInput {
	t.Helper()
	return service.SeriesInput{AppointmentInput: visit(b.inCareOf(t, ctx), b.practitioner(t), 0), Rule: "FREQ=WEEKLY;COUNT=3"}
}

// said returns the input that a client would send back for an unchanged appointment.
func said(a *models.Appointment) service.AppointmentInput {
	return service.AppointmentInput{
		PatientID: a.PatientID, PractitionerID: a.PractitionerID, StartsAt: a.StartsAt, EndsAt: a.EndsAt, TimeZone: a.TimeZone, Status: a.Status,
		Type: a.Type, Modality: a.Modality, Reason: a.Reason.Plain(), VideoURL: a.VideoURL.Plain(),
		AllowOverlap: a.AllowOverlap, OverlapReason: a.OverlapReason.Plain(),
	}
}

func requireCode(t require.TestingT, code apperr.Code, err error, about ...any) {
	require.Equal(t, code, apperr.CodeOf(err), "%v %v", about, err)
}

// Each pair shares the practitioner or the patient. Overlapping appointments are refused, and the error names the
// taken interval. Appointments that only touch are accepted.
func TestOverlapsAreRefused(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, other := b.register(t), b.register(t)
		doctor, second := b.practitioner(t), b.practitioner(t)
		b.book(t, visit(p, doctor, 0))
		for _, c := range []struct {
			name       string
			patient    *models.Patient
			doctor     *models.Account
			start, end time.Duration
			code       apperr.Code
		}{
			{"the same", p, doctor, 0, time.Hour, apperr.Taken},
			{"same practitioner", other, doctor, 0, time.Hour, apperr.Taken},
			{"same patient", p, second, 0, time.Hour, apperr.Taken},
			{"first minute", other, doctor, -time.Hour, time.Minute, apperr.Taken},
			{"last minute", p, second, 59 * time.Minute, 2 * time.Hour, apperr.Taken},
			{"within", other, doctor, 10 * time.Minute, 20 * time.Minute, apperr.Taken},
			{"around", p, second, -time.Hour, 2 * time.Hour, apperr.Taken},
			{"nobody in common", other, second, 0, time.Hour, ""},
			{"just before", other, doctor, -time.Hour, 0, ""},
			{"just after", p, second, time.Hour, 2 * time.Hour, ""},
		} {
			in := visit(c.patient, c.doctor, 0)
			in.StartsAt, in.EndsAt = monday.Add(c.start), monday.Add(c.end)
			_, err := b.appointments.Book(as(t, service.RoleFrontDesk), in)
			requireCode(t, c.code, err, c.name)
			if c.code == "" {
				continue
			}
			var refused *apperr.Error
			require.ErrorAs(t, err, &refused)
			require.NotEmpty(t, refused.Fields, c.name)
			for _, f := range refused.Fields {
				require.Contains(t, f.Detail, "2035-03-05T09:00:00Z to 2035-03-05T10:00:00Z", c.name)
				require.NotContains(t, fmt.Sprint(err, refused.Fields), p.ID.String(), "never whose it is")
			}
		}
	})
}

// An actor books over another appointment only with the permission and a reason. An ordinary booking over such an
// appointment is refused too.
func TestPermittedOverlaps(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, doctor := b.register(t), b.practitioner(t)
		desk := as(t, service.RoleFrontDesk)
		ordinary := b.book(t, longAgo(visit(p, doctor, 0)))

		over := longAgo(visit(b.register(t), doctor, 30*time.Minute))
		over.AllowOverlap = true
		_, err := b.appointments.Book(desk, over)
		requireCode(t, apperr.Invalid, err)
		over.OverlapReason = "crisis"
		_, err = b.appointments.Book(as(t, service.RoleIntegration), over)
		requireCode(t, apperr.Forbidden, err)
		permitted, err := b.appointments.Book(desk, over)
		require.NoError(t, err)

		_, err = b.appointments.Book(desk, longAgo(visit(b.register(t), doctor, 70*time.Minute)))
		requireCode(t, apperr.Taken, err, "over the permitted one alone")

		// An earlier appointment keeps working, even though another one overlaps it now.
		moved, err := b.appointments.Transition(desk, ordinary.ID, anyVersion, models.Arrived, "", service.OnlyThis)
		require.NoError(t, err)
		rewrite := func(a *models.Appointment, change func(*service.AppointmentInput)) error {
			_, err := b.appointments.Change(desk, a.ID, anyVersion, service.OnlyThis, func(*models.Appointment) (service.AppointmentInput, error) {
				in := longAgo(visit(p, doctor, 0))
				change(&in)
				return in, nil
			})
			return err
		}
		require.NoError(t, rewrite(moved, func(in *service.AppointmentInput) { in.Reason = "another" }))
		requireCode(t, apperr.Taken, rewrite(moved, func(in *service.AppointmentInput) { in.EndsAt = in.EndsAt.Add(time.Minute) }))
		requireCode(t, apperr.Taken, rewrite(permitted, func(in *service.AppointmentInput) { *in = over; in.AllowOverlap, in.OverlapReason = false, "" }))
	})
}

// The database itself refuses overlaps, even if the program fails to check.
func TestTheDatabaseRefusesOverlaps(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, other, doctor, second := b.register(t), b.register(t), b.practitioner(t), b.practitioner(t)
		appointments := repository.NewAppointmentRepository(b.store)
		insert := func(patient *models.Patient, practitioner *models.Account, after time.Duration, overlap bool, status string) error {
			a := &models.Appointment{
				PatientID: patient.ID, PractitionerID: practitioner.ID, StartsAt: monday.Add(after), EndsAt: monday.Add(after + time.Hour),
				TimeZone: "UTC", Status: status, Type: models.TypeIntake, Modality: "phone", AllowOverlap: overlap,
				OverlapReason: phi.Of("crisis"), CancelReason: phi.Of("gone"),
			}
			return b.store.InTx(as(t), func(ctx context.Context) error { return appointments.Create(ctx, a) })
		}
		require.NoError(t, insert(p, doctor, 0, false, models.Booked))
		requireCode(t, apperr.Taken, insert(other, doctor, 30*time.Minute, false, models.Booked))
		requireCode(t, apperr.Taken, insert(p, second, 30*time.Minute, false, models.Fulfilled))
		require.NoError(t, insert(other, doctor, 30*time.Minute, true, models.Booked))
		requireCode(t, apperr.Taken, insert(b.register(t), doctor, 61*time.Minute, false, models.Booked), "over the permitted one")
		for _, status := range []string{models.Cancelled, models.NoShow, models.EnteredInError} {
			require.NoError(t, insert(p, doctor, 0, false, status), status)
		}
		update := func(set string) error {
			return b.db.Exec("UPDATE appointment SET "+set+" WHERE status = ? AND practitioner_id = ?", models.NoShow, doctor.ID.String()).Error
		}
		require.Error(t, update("status = 'arrived'"), "a no-show takes its time again")
		require.NoError(t, update("starts_at = starts_at"))
		require.Error(t, update("status = 'unheard-of'"))
		require.Error(t, update("status = 'cancelled', cancel_reason = NULL"))
		require.Error(t, update("ends_at = starts_at"))
		require.Error(t, update("reason = 'plain'"))
	})
}

// The states follow each other as the table says, and each step is an event. Cancelling needs a reason, and frees the
// time.
func TestTransitions(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, doctor := b.register(t), b.practitioner(t)
		desk := as(t, service.RoleFrontDesk)
		a := b.book(t, longAgo(visit(p, doctor, 0)))
		to := func(state, reason string) error {
			next, err := b.appointments.Transition(desk, a.ID, func(v int64) bool { return v == a.Version }, state, reason, service.OnlyThis)
			if err == nil {
				a = next
			}
			return err
		}
		requireCode(t, apperr.Invalid, to("lost", ""))
		requireCode(t, apperr.Invalid, to(models.Cancelled, " "))
		requireCode(t, apperr.BadTransition, to(models.Pending, ""))
		require.NoError(t, to(models.NoShow, ""))
		b.book(t, longAgo(visit(b.register(t), doctor, 0)))
		requireCode(t, apperr.Taken, to(models.Arrived, ""), "the time of a no-show was given away")
		require.NoError(t, to(models.EnteredInError, "the wrong patient"))
		requireCode(t, apperr.BadTransition, to(models.Booked, ""))

		a = b.book(t, longAgo(visit(p, doctor, 3*time.Hour)))
		for _, state := range []string{models.Arrived, models.CheckedIn, models.Fulfilled} {
			require.NoError(t, to(state, ""))
		}
		requireCode(t, apperr.BadTransition, to(models.Cancelled, "too late"))
		_, err := b.appointments.Transition(desk, a.ID, func(int64) bool { return false }, models.EnteredInError, "", service.OnlyThis)
		requireCode(t, apperr.Stale, err)

		a = b.book(t, visit(p, doctor, 5*time.Hour))
		require.NoError(t, to(models.Cancelled, "Zcanary is ill"))
		require.Equal(t, "Zcanary is ill", a.CancelReason.Plain())
		b.book(t, visit(p, doctor, 5*time.Hour))

		var steps []string
		for _, e := range b.events(t, audit.Transition) {
			if e.Outcome == audit.Success {
				steps = append(steps, *e.Details)
			}
		}
		require.Equal(t, []string{
			"booked → noshow", "noshow → entered-in-error", "booked → arrived", "arrived → checked-in", "checked-in → fulfilled", "booked → cancelled",
		}, steps)
	})
}

// A patient cannot arrive before the day of the appointment, by the clock of its time zone. An appointment cannot be
// held or missed before it begins.
func TestTransitionsWaitForTheirTime(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		for _, c := range []struct {
			in   time.Duration // from now
			zone string
			may  []string
		}{
			{13 * time.Hour, zoneAt(12), nil}, // tomorrow
			{13 * time.Hour, zoneAt(1), []string{models.Arrived, models.CheckedIn}},
			{time.Hour, zoneAt(12), []string{models.Arrived, models.CheckedIn}},
			{-time.Minute, zoneAt(12), []string{models.Arrived, models.CheckedIn, models.Fulfilled, models.NoShow}},
			{90 * 24 * time.Hour, zoneAt(12), nil},
		} {
			for _, to := range []string{models.Arrived, models.CheckedIn, models.Fulfilled, models.NoShow, models.Cancelled, models.EnteredInError} {
				in := visit(b.register(t), b.practitioner(t), 0)
				in.StartsAt, in.TimeZone = time.Now().Add(c.in), c.zone
				in.EndsAt = in.StartsAt.Add(time.Hour)
				a, err := b.appointments.Transition(desk, b.book(t, in).ID, anyVersion, to, "asked for", service.OnlyThis)
				if err == nil && (to == models.Arrived || to == models.CheckedIn) {
					requireCode(t, apperr.BadTransition, b.moveBy(t, a, 24*time.Hour), "who has come has not come for tomorrow")
					require.NoError(t, b.moveBy(t, a, time.Minute))
				}
				if slices.Contains(append(c.may, models.Cancelled, models.EnteredInError), to) {
					require.NoError(t, err, "%v %s %s", c.in, c.zone, to)
				} else {
					requireCode(t, apperr.BadTransition, err, c.in, c.zone, to)
				}
			}
		}
	})
}

// An expired hold blocks no booking, even before anything ends it. It also ends without any request.
func TestHoldsExpire(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, other, doctor := b.register(t), b.register(t), b.practitioner(t)
		desk := as(t, service.RoleFrontDesk)
		in := visit(p, doctor, 0)
		in.Status = models.Pending
		hold := b.book(t, in)
		require.WithinDuration(t, time.Now().Add(15*time.Minute), *hold.ExpiresAt, time.Minute)
		_, err := b.appointments.Book(desk, visit(other, doctor, 0))
		requireCode(t, apperr.Taken, err)
		kept, err := b.appointments.Transition(desk, hold.ID, anyVersion, models.Booked, "", service.OnlyThis)
		require.NoError(t, err)
		require.Nil(t, kept.ExpiresAt)

		in = visit(p, doctor, 2*time.Hour)
		in.Status = models.Pending
		hold = b.book(t, in)
		b.expire(t, hold.ID)
		_, err = b.appointments.Transition(desk, hold.ID, anyVersion, models.Booked, "", service.OnlyThis)
		requireCode(t, apperr.BadTransition, err)
		b.book(t, visit(other, doctor, 2*time.Hour))
		ended, err := b.appointments.Get(desk, hold.ID)
		require.NoError(t, err)
		require.Equal(t, models.Cancelled, ended.Status)
		require.Equal(t, "The hold expired.", ended.CancelReason.Plain())

		in = visit(p, doctor, 4*time.Hour)
		in.Status = models.Pending
		hold = b.book(t, in)
		b.expire(t, hold.ID)
		require.NoError(t, b.appointments.ExpireHolds(audit.System(t.Context(), "expire-holds")))
		ended, err = b.appointments.Get(desk, hold.ID)
		require.NoError(t, err)
		require.Equal(t, models.Cancelled, ended.Status)
	})
}

// expire makes a hold expire.
func (b *bundle) expire(t *testing.T, id uuid.UUID) {
	t.Helper()
	at := time.Now().UTC().Add(-time.Minute).Truncate(time.Microsecond)
	require.NoError(t, b.db.Exec("UPDATE appointment SET expires_at = ? WHERE id = ?", at.Format("2006-01-02 15:04:05.999999-07:00"), id.String()).Error)
}

// Booking brings the patient into the practitioner's care. A clinician without patients in care sees and books
// nothing.
func TestAppointmentsAndCare(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, doctor := b.register(t), b.practitioner(t)
		treating := audit.WithActor(t.Context(), audit.Actor{ID: doctor.ID, Roles: []string{service.RoleClinician}, Origin: "test"})
		_, err := b.appointments.Book(treating, visit(p, doctor, 0))
		requireCode(t, apperr.NotFound, err, "not in care yet, and nobody takes a patient by booking them")
		a := b.book(t, soon(visit(p, doctor, 0)))
		_, err = b.patients.Get(treating, p.ID)
		require.NoError(t, err)
		_, err = b.appointments.Get(treating, a.ID)
		require.NoError(t, err)

		stranger := as(t, service.RoleClinician)
		_, err = b.appointments.Get(stranger, a.ID)
		requireCode(t, apperr.NotFound, err)
		_, err = b.appointments.Transition(stranger, a.ID, anyVersion, models.Arrived, "", service.OnlyThis)
		requireCode(t, apperr.NotFound, err)
		_, _, err = b.appointments.OfPatient(stranger, p.ID, service.AppointmentQuery{}, onePage)
		requireCode(t, apperr.NotFound, err)
		found, _, err := b.appointments.Search(stranger, service.AppointmentQuery{}, onePage)
		require.NoError(t, err)
		require.Empty(t, found)
		for _, role := range []string{service.RoleAdmin, service.RoleAuditor} {
			_, err = b.appointments.Get(as(t, role), a.ID)
			requireCode(t, apperr.Forbidden, err, role)
		}

		in := visit(p, b.practitioner(t), 2*time.Hour)
		in.PractitionerID = uuid.New()
		_, err = b.appointments.Book(as(t, service.RoleFrontDesk), in)
		requireCode(t, apperr.Invalid, err, "not an account")
		_, err = b.patients.Deactivate(as(t, service.RoleFrontDesk), p.ID, anyVersion)
		require.NoError(t, err)
		_, err = b.appointments.Book(as(t, service.RoleFrontDesk), visit(p, doctor, 2*time.Hour))
		requireCode(t, apperr.Invalid, err, "an inactive patient")
	})
}

// A purge removes the appointments too, and its event names each of them. The log knows that they are gone.
func TestPurgeNamesTheAppointments(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, doctor := b.register(t), b.practitioner(t)
		gone := map[uuid.UUID]bool{p.ID: true}
		series, err := b.appointments.BookSeries(as(t, service.RoleFrontDesk), service.SeriesInput{
			AppointmentInput: visit(p, doctor, 0), Rule: "FREQ=WEEKLY;COUNT=3",
		})
		require.NoError(t, err)
		for _, a := range series.Appointments {
			gone[a.ID] = true
		}
		stays := b.book(t, visit(b.register(t), doctor, 3*time.Hour))
		require.NoError(t, b.patients.Purge(as(t, service.RoleAdmin), p.ID, anyVersion, "asked for"))
		require.Equal(t, 1, b.count(t, "appointment"))
		require.Zero(t, b.count(t, "appointmentseries"))
		_, err = b.appointments.Get(as(t, service.RoleFrontDesk), stays.ID)
		require.NoError(t, err)
		var named []uuid.UUID
		require.NoError(t, b.db.Raw("SELECT auditsubject.entity_id FROM auditsubject JOIN auditlog ON auditlog.id = event_id WHERE action = 'purge' AND row_digest = '-'").
			Scan(&named).Error)
		require.Len(t, named, len(gone))
		for _, id := range named {
			require.True(t, gone[id])
		}
		require.NoError(t, repository.NewSequencer(b.store).Drain(t.Context()))
		for _, e := range b.events(t, "") {
			require.NotContains(t, strings.ToLower(fmt.Sprint(e)), "direct-sql")
		}
		var direct int
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE origin = ?", audit.DirectSQL).Scan(&direct).Error)
		require.Zero(t, direct, "every change had its event")
	})
}

// Sealed values are not stored in plain text in the database.
func TestAppointmentsHoldNoPlainPHI(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		a := b.book(t, visit(b.register(t), b.practitioner(t), 0))
		_, err := b.appointments.Transition(as(t, service.RoleFrontDesk), a.ID, anyVersion, models.Cancelled, "Zcanary is ill", service.OnlyThis)
		require.NoError(t, err)
		for _, table := range []string{"appointment", "auditlog", "appointmentseries", "idempotencykey"} {
			var rows []map[string]any
			require.NoError(t, b.db.Raw("SELECT * FROM "+table).Scan(&rows).Error)
			require.NotContains(t, strings.ToLower(fmt.Sprint(rows)), "zcanary", table)
		}
	})
}

// Concurrent requests with the same key book once, and all get the result of the first.
func TestRepeatedBookingsAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		in, once := visit(b.register(t), b.practitioner(t), 0), service.Idempotency{Key: "k", Request: "r"}
		desk := as(t, service.RoleFrontDesk)
		ids := make([]uuid.UUID, 8)
		var all errgroup.Group
		for i := range ids {
			all.Go(func() error {
				a, err := b.bookOnce(desk, in, once)
				if err == nil {
					ids[i] = a.ID
				}
				return err
			})
		}
		require.NoError(t, all.Wait())
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
		require.Equal(t, 1, b.count(t, "appointment"))
		_, err := b.bookOnce(desk, in, service.Idempotency{Key: "k", Request: "another"})
		requireCode(t, apperr.KeyReused, err)
		_, err = b.bookOnce(desk, in, service.Idempotency{Key: "another", Request: "r"})
		requireCode(t, apperr.Taken, err)
	})
}

// An actor that may not see a patient is denied, and the denial names the patient.
func TestDeniedAppointmentsNameThePatient(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		a := b.book(t, visit(b.register(t), b.practitioner(t), 0))
		stranger := as(t, service.RoleClinician)
		denied := func() (n int) {
			require.NoError(t, b.db.Raw("SELECT count(*) FROM auditsubject s JOIN auditlog l ON l.id = s.event_id WHERE s.entity_id = ? AND l.outcome = 'denied'",
				a.PatientID.String()).Scan(&n).Error)
			return n
		}
		for name, call := range map[string]func() error{
			"get": func() error { _, err := b.appointments.Get(stranger, a.ID); return err },
			"transition": func() error {
				_, err := b.appointments.Transition(stranger, a.ID, anyVersion, models.Arrived, "", service.OnlyThis)
				return err
			},
			"book": func() error { _, err := b.appointments.Book(stranger, said(a)); return err },
			"list": func() error {
				_, _, err := b.appointments.OfPatient(stranger, a.PatientID, service.AppointmentQuery{}, onePage)
				return err
			},
		} {
			before := denied()
			requireCode(t, apperr.NotFound, call(), name)
			require.Equal(t, before+1, denied(), name)
		}
	})
}

// A patient that was merged into another is the same person. If both could be booked, overlaps would go unnoticed.
func TestMergedPatientsAreNotBooked(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		kept, merged := b.register(t), b.register(t)
		b.book(t, visit(kept, b.practitioner(t), 0))
		_, err := b.patients.Merge(as(t, service.RoleFrontDesk), merged.ID, kept.ID, anyVersion, "registered twice")
		require.NoError(t, err)
		_, err = b.appointments.Book(as(t, service.RoleFrontDesk), visit(merged, b.practitioner(t), 0))
		requireCode(t, apperr.Invalid, err)
	})
}

// A hold becomes a booking only if a new booking of the same people would be accepted.
func TestHoldsOfThoseWhoCantBeBookedAreNotConfirmed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		for name, spoil := range map[string]func(*models.Patient, *models.Account){
			"": func(*models.Patient, *models.Account) {},
			"disabled": func(_ *models.Patient, doctor *models.Account) {
				require.NoError(t, b.db.Exec("UPDATE account SET disabled = true WHERE id = ?", doctor.ID.String()).Error)
			},
			"deactivated": func(p *models.Patient, _ *models.Account) {
				_, err := b.patients.Deactivate(desk, p.ID, anyVersion)
				require.NoError(t, err)
			},
			"merged": func(p *models.Patient, _ *models.Account) { require.NoError(t, b.merge(t, p, b.register(t))) },
		} {
			p, doctor := b.register(t), b.practitioner(t)
			in := visit(p, doctor, 0)
			in.Status = models.Pending
			hold := b.book(t, in)
			spoil(p, doctor)
			_, err := b.appointments.Transition(desk, hold.ID, anyVersion, models.Booked, "", service.OnlyThis)
			if name == "" {
				require.NoError(t, err)
				continue
			}
			requireCode(t, apperr.Invalid, err, name)
			_, err = b.appointments.Transition(desk, hold.ID, anyVersion, models.Cancelled, "can't be kept", service.OnlyThis)
			require.NoError(t, err, name)
		}
	})
}
