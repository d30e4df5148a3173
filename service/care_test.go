package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// ids returns the patients that ctx's actor finds.
func (b *bundle) ids(ctx context.Context, t *testing.T) []uuid.UUID {
	t.Helper()
	found, _, err := b.patients.Search(ctx, models.PatientQuery{LastName: new("Lopez")}, service.Page{Limit: 100})
	require.NoError(t, err)
	ids := []uuid.UUID{}
	for _, p := range found {
		ids = append(ids, p.ID)
	}
	return ids
}

// on returns a context in which an account acts.
func (b *bundle) on(t *testing.T, account *models.Account) context.Context {
	t.Helper()
	return audit.WithActor(t.Context(), audit.Actor{ID: account.ID, Roles: account.Roles, Origin: "test"})
}

// meeting books an appointment of a new patient with a clinician, at a time after now.
func (b *bundle) meeting(t *testing.T, with *models.Account, after time.Duration) *models.Appointment {
	t.Helper()
	in := visit(b.register(t), with, 0)
	in.StartsAt = time.Now().Add(after).Truncate(time.Minute)
	in.EndsAt = in.StartsAt.Add(time.Minute)
	return b.book(t, in)
}

// written makes a clinician write a record of a new patient, dated the given time ago.
func (b *bundle) written(t *testing.T, by *models.Account, ago time.Duration) *models.MedicalRecord {
	t.Helper()
	p := b.register(t)
	require.NoError(t, b.care.Note(t.Context(), p.ID, by.ID, models.CareAssigned, time.Now()))
	m, err := b.records.Write(b.on(t, by), p.ID, service.RecordInput{Kind: models.KindProgressNote, Title: "Title", Content: "Text"})
	require.NoError(t, err)
	written := time.Now().Add(-ago).UTC().Format("2006-01-02 15:04:05.000000-07:00")
	for _, step := range []int{1, -1} { // the database refuses a change of a draft without a new version
		require.NoError(t, b.db.Exec("UPDATE medicalrecord SET created_at = ?, version = version + ? WHERE id = ?", written, step, m.ID.String()).Error)
	}
	_, err = b.care.Remove(t.Context(), p.ID, by.ID, models.CareAssigned)
	require.NoError(t, err)
	return m
}

// A clinician sees patients that they registered, patients assigned to them, and patients with an appointment or a
// record of theirs within the window around now.
func TestCliniciansSeeTheirPatients(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		me, colleague, window := b.practitioner(t), b.practitioner(t), config.Default().Access.CareWindow
		ctx := b.on(t, me)
		registered, err := b.patients.Register(ctx, another(input()))
		require.NoError(t, err)
		assigned, others := b.register(t), b.register(t)
		require.NoError(t, b.care.Note(t.Context(), assigned.ID, me.ID, models.CareAssigned, time.Now().AddDate(-9, 0, 0)))
		require.NoError(t, b.care.Note(t.Context(), assigned.ID, me.ID, models.CareAssigned, time.Now()), "again changes nothing")
		require.NoError(t, b.care.Note(t.Context(), others.ID, colleague.ID, models.CareAssigned, time.Now()))
		visible := []uuid.UUID{
			registered.ID, assigned.ID,
			b.meeting(t, me, time.Hour).PatientID, b.meeting(t, me, window-time.Hour).PatientID, b.meeting(t, me, time.Hour-window).PatientID,
			b.written(t, me, 0).PatientID, b.written(t, me, window-time.Hour).PatientID,
		}
		hidden := []uuid.UUID{
			b.register(t).ID, uuid.New(), others.ID, b.meeting(t, colleague, time.Hour).PatientID, b.written(t, colleague, 0).PatientID,
			b.meeting(t, me, window+time.Hour).PatientID, b.meeting(t, me, -window-time.Hour).PatientID, b.written(t, me, window+time.Hour).PatientID,
		}
		require.ElementsMatch(t, visible, b.ids(ctx, t))
		everybody := len(visible) + len(hidden) - 1
		require.Len(t, b.ids(as(t, service.RoleFrontDesk), t), everybody)
		require.Len(t, b.ids(as(t, service.RoleFrontDesk, service.RoleClinician), t), everybody, "the wider role counts")
		for _, id := range visible {
			_, err := b.patients.Get(ctx, id)
			require.NoError(t, err)
		}
		denied := 0
		for _, id := range hidden {
			_, err := b.patients.Get(ctx, id)
			require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
			for _, e := range b.events(t, audit.Read) {
				if e.Outcome == audit.Denied && *e.EntityID == id {
					denied++
				}
			}
		}
		require.Equal(t, len(hidden), denied, "each attempt is in the log")
	})
}

// Care ends with its source: an appointment that is cancelled, entered in error, moved away or given to a colleague,
// or a record that is entered in error.
func TestCareEndsWithItsSource(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		me, colleague, desk := b.practitioner(t), b.practitioner(t), as(t, service.RoleFrontDesk)
		ctx := b.on(t, me)
		become := func(to string) func(*models.Appointment) {
			return func(a *models.Appointment) {
				_, err := b.appointments.Transition(desk, a.ID, anyVersion, to, "The patient asked", service.OnlyThis)
				require.NoError(t, err)
			}
		}
		change := func(edit func(*service.AppointmentInput)) func(*models.Appointment) {
			return func(a *models.Appointment) {
				_, err := b.appointments.Change(desk, a.ID, anyVersion, service.OnlyThis, func(a *models.Appointment) (service.AppointmentInput, error) {
					in := said(a)
					edit(&in)
					return in, nil
				})
				require.NoError(t, err)
			}
		}
		move := func(by time.Duration) func(*service.AppointmentInput) {
			return func(in *service.AppointmentInput) { in.StartsAt, in.EndsAt = in.StartsAt.Add(by), in.EndsAt.Add(by) }
		}
		at, away := time.Duration(0), 2*config.Default().Access.CareWindow
		for name, end := range map[string]func(*models.Appointment){
			"cancelled": become(models.Cancelled), "in error": become(models.EnteredInError), "far away": change(move(away)),
			"given to a colleague": change(func(in *service.AppointmentInput) { in.PractitionerID = colleague.ID }),
		} {
			at += time.Hour
			a := b.meeting(t, me, at)
			require.Contains(t, b.ids(ctx, t), a.PatientID)
			end(a)
			_, err := b.patients.Get(ctx, a.PatientID)
			require.True(t, apperr.Is(err, apperr.NotFound), "%s: %v", name, err)
			require.NotContains(t, b.ids(ctx, t), a.PatientID, name)
			if name == "given to a colleague" {
				require.Contains(t, b.ids(b.on(t, colleague), t), a.PatientID)
			}
			if name == "far away" {
				change(move(-away))(a)
				require.Contains(t, b.ids(ctx, t), a.PatientID, "and begins with it")
			}
		}
		m := b.written(t, me, 0)
		_, err := b.records.MarkError(ctx, m.ID, anyVersion, "Another patient's")
		require.NoError(t, err)
		_, err = b.patients.Get(ctx, m.PatientID)
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)

		p := b.register(t)
		hold := soon(visit(p, me, 0))
		hold.Status = models.Pending
		b.expire(t, b.book(t, hold).ID)
		require.NotContains(t, b.ids(ctx, t), p.ID, "a hold that is over, whether somebody ended it or not")
	})
}

// Bookings and records by emergency access bring no patient into care, until somebody with the permission takes them
// over. That holds for every clinician.
func TestEmergencyEntriesAreNoCare(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		me, colleague, desk := b.practitioner(t), b.practitioner(t), as(t, service.RoleFrontDesk)
		ctx := b.on(t, me)
		old := b.meeting(t, me, -2*config.Default().Access.CareWindow) // of long ago: it once was care
		patient := &models.Patient{Base: models.Base{ID: old.PatientID}}
		_, _, err := b.emergencies.Open(ctx, service.BreakGlassInput{PatientID: &old.PatientID, Reason: emergency})
		require.NoError(t, err)
		a, err := b.appointments.Book(ctx, soon(visit(patient, me, 0)))
		require.NoError(t, err)
		series := service.SeriesInput{AppointmentInput: visit(patient, colleague, 0), Rule: "FREQ=DAILY;COUNT=2"}
		series.StartsAt, series.EndsAt = a.StartsAt.Add(24*time.Hour), a.EndsAt.Add(24*time.Hour)
		_, err = b.appointments.BookSeries(ctx, series)
		require.NoError(t, err)
		_, err = b.records.Write(ctx, old.PatientID, service.RecordInput{Kind: models.KindProgressNote, Title: "Title", Content: "Text"})
		require.NoError(t, err)
		require.NoError(t, b.db.Exec("UPDATE breakglass SET expires_at = created_at").Error)
		for _, who := range []*models.Account{me, colleague} {
			_, err = b.patients.Get(b.on(t, who), old.PatientID)
			require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
		}
		reasons, err := b.carers.Clinicians(desk, old.PatientID)
		require.NoError(t, err)
		require.Len(t, reasons, 2, "the registration, and the appointment of long ago")
		_, err = b.appointments.Change(desk, a.ID, anyVersion, service.OnlyThis, func(a *models.Appointment) (service.AppointmentInput, error) {
			in := said(a)
			in.PractitionerID = colleague.ID
			return in, nil
		})
		require.NoError(t, err)
		require.Contains(t, b.ids(b.on(t, colleague), t), old.PatientID, "the front desk gave it to them")
	})
}

// A repeated registration shows the patient only while the patient is in the caller's scope.
func TestRepeatsObeyTheCareOfToday(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := as(t, service.RoleClinician)
		actor, err := audit.ActorFrom(ctx)
		require.NoError(t, err)
		once := service.Idempotency{Key: "key", Request: "body"}
		p, err := b.registerOnce(ctx, another(input()), once)
		require.NoError(t, err)
		_, err = b.registerOnce(ctx, another(input()), once)
		require.NoError(t, err)
		removed, err := b.care.Remove(t.Context(), p.ID, actor.ID, models.CareRegistered)
		require.NoError(t, err)
		require.True(t, removed)
		_, err = b.registerOnce(ctx, another(input()), once)
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
		require.Equal(t, 1, b.count(t, "patient"))
	})
}

// An API key has only its own scopes.
func TestScopesNarrowRoles(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		reads := audit.WithActor(t.Context(), audit.Actor{
			ID: uuid.New(), Roles: []string{service.RoleIntegration}, Scopes: []string{string(service.PatientRead), string(service.PatientPurge)},
		})
		_, err := b.patients.Get(reads, p.ID)
		require.NoError(t, err)
		_, err = b.patients.Deactivate(reads, p.ID, anyVersion)
		require.True(t, apperr.Is(err, apperr.Forbidden), "%v", err)
		require.True(t, apperr.Is(b.patients.Purge(reads, p.ID, anyVersion, "why"), apperr.Forbidden), "a scope gives no role's permission")
		none := audit.WithActor(t.Context(), audit.Actor{ID: uuid.New(), Roles: []string{service.RoleIntegration}, Scopes: []string{}})
		_, err = b.patients.Get(none, p.ID)
		require.True(t, apperr.Is(err, apperr.Forbidden), "%v", err)
	})
}
