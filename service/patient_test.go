package service_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

func TestRepeatedRegistrations(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := as(t, service.RoleFrontDesk)
		once := service.Idempotency{Key: "key", Request: "POST /patients one body"}
		first, err := b.registerOnce(ctx, another(input()), once)
		require.NoError(t, err)
		again, err := b.registerOnce(ctx, another(input()), once)
		require.NoError(t, err)
		require.Equal(t, first.ID, again.ID)
		require.Equal(t, "García-López", again.LastName.Plain())
		require.Len(t, b.events(t, audit.Create), 1)
		require.Len(t, b.events(t, audit.Read), 1, "the second answer shows the patient: a read")

		_, err = b.registerOnce(ctx, another(input()), service.Idempotency{Key: "key", Request: "POST /patients other body"})
		require.True(t, apperr.Is(err, apperr.KeyReused), "%v", err)
		other, err := b.registerOnce(as(t, service.RoleFrontDesk), another(input()), once)
		require.NoError(t, err)
		require.NotEqual(t, first.ID, other.ID, "another account's key is another key")
		require.NoError(t, b.db.Exec("UPDATE idempotencykey SET expires_at = created_at").Error)
		late, err := b.registerOnce(ctx, another(input()), once)
		require.NoError(t, err)
		require.NotEqual(t, first.ID, late.ID, "expired")
		require.Equal(t, 3, b.count(t, "patient"))

		bad := input()
		bad.LastName = ""
		_, err = b.registerOnce(ctx, another(bad), service.Idempotency{Key: "corrected", Request: "bad"})
		require.True(t, apperr.Is(err, apperr.Invalid))
		_, err = b.registerOnce(ctx, another(input()), service.Idempotency{Key: "corrected", Request: "good"})
		require.NoError(t, err, "a refused request uses no key up")
	})
}

// Concurrent repeats on two servers, however many, make one patient, and all return that patient.
func TestRacingRepeats(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one := newBundle(t, url)
		other := newServer(t, url, one.kek, 0)
		ctx := as(t, service.RoleFrontDesk)
		made := make([]uuid.UUID, 8)
		var racing sync.WaitGroup
		for i := range made {
			racing.Go(func() {
				p, err := []*bundle{one, other}[i%2].registerOnce(ctx, another(input()), service.Idempotency{Key: "key", Request: "body"})
				if err != nil {
					t.Error(err)
					return
				}
				made[i] = p.ID
			})
		}
		racing.Wait()
		for _, id := range made {
			require.Equal(t, made[0], id)
		}
		require.Equal(t, 1, one.count(t, "patient"))
		require.Equal(t, 1, one.count(t, "idempotencykey"))
	})
}

func TestChangesOfPatients(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		ctx := as(t, service.RoleFrontDesk)
		renamed := func(*models.Patient) (service.PatientInput, error) {
			in := input()
			in.LastName = "Changed"
			return in, nil
		}
		never := func(int64) bool { return false }
		_, err := b.patients.Change(ctx, p.ID, never, renamed)
		require.True(t, apperr.Is(err, apperr.Stale))
		_, err = b.patients.Deactivate(ctx, p.ID, never)
		require.True(t, apperr.Is(err, apperr.Stale))
		require.True(t, apperr.Is(b.patients.Purge(as(t, service.RoleAdmin), p.ID, never, "why"), apperr.Stale))
		for _, absent := range []func(uuid.UUID) error{
			func(id uuid.UUID) error { _, err := b.patients.Get(ctx, id); return err },
			func(id uuid.UUID) error { _, err := b.patients.Change(ctx, id, anyVersion, renamed); return err },
			func(id uuid.UUID) error { _, err := b.patients.Deactivate(ctx, id, anyVersion); return err },
			func(id uuid.UUID) error { return b.patients.Purge(as(t, service.RoleAdmin), id, anyVersion, "why") },
		} {
			require.True(t, apperr.Is(absent(uuid.New()), apperr.NotFound))
		}
		_, err = b.patients.Change(ctx, p.ID, anyVersion, func(*models.Patient) (service.PatientInput, error) { return service.PatientInput{}, nil })
		require.True(t, apperr.Is(err, apperr.Invalid))

		changed, err := b.patients.Change(ctx, p.ID, func(v int64) bool { return v == 1 }, renamed)
		require.NoError(t, err)
		require.Equal(t, int64(2), changed.Version)
		inactive, err := b.patients.Deactivate(ctx, p.ID, func(v int64) bool { return v == 2 })
		require.NoError(t, err)
		require.False(t, inactive.Active)
		again, err := b.patients.Change(ctx, p.ID, anyVersion, renamed)
		require.NoError(t, err)
		require.False(t, again.Active, "a change that says nothing of active leaves it")
		require.NoError(t, b.patients.Purge(as(t, service.RoleAdmin), p.ID, anyVersion, "asked for"))
		require.Zero(t, b.count(t, "patient")+b.count(t, "blindindex"))

		succeeded := map[string]int{}
		for _, e := range b.events(t, "") {
			if e.Outcome == audit.Success && e.EntityID != nil && *e.EntityID == p.ID {
				succeeded[e.Action]++
			}
		}
		require.Equal(t, 1, succeeded[audit.Create])
		require.Equal(t, 1, succeeded[audit.Deactivate])
		require.Equal(t, 1, succeeded[audit.Purge])
		require.GreaterOrEqual(t, succeeded[audit.Update], 1)
	})
}

// No result is returned if its event could not be stored. The event of a search names its parameters, but not their
// values.
func TestNothingIsShownUnrecorded(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		ctx := as(t, service.RoleFrontDesk, service.RoleAuditor)
		found, _, err := b.patients.Search(ctx, models.PatientQuery{LastName: new("Lopez"), Email: new("zoe@example.org")}, onePage)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, "by email, last_name", *b.events(t, audit.Search)[0].Details)

		broken := "ALTER TABLE auditlog ADD CONSTRAINT broken CHECK (false) NOT VALID"
		if b.db.Name() == "sqlite" {
			broken = "CREATE TRIGGER broken BEFORE INSERT ON auditlog BEGIN SELECT RAISE(ABORT, 'broken'); END"
		}
		require.NoError(t, b.db.Exec(broken).Error)
		got, err := b.patients.Get(ctx, p.ID)
		require.True(t, apperr.Is(err, apperr.AuditUnavailable))
		require.Nil(t, got)
		found, _, err = b.patients.Search(ctx, models.PatientQuery{}, onePage)
		require.True(t, apperr.Is(err, apperr.AuditUnavailable))
		require.Empty(t, found)
		events, _, err := b.log.Search(ctx, service.AuditLogQuery{}, onePage)
		require.True(t, apperr.Is(err, apperr.AuditUnavailable))
		require.Empty(t, events)
		got, err = b.patients.Deactivate(ctx, p.ID, anyVersion)
		require.True(t, apperr.Is(err, apperr.AuditUnavailable))
		require.Nil(t, got)
		_, err = b.patients.Get(as(t), p.ID)
		require.True(t, apperr.Is(err, apperr.AuditUnavailable), "not even a denial goes unrecorded")
		var active bool
		require.NoError(t, b.db.Raw("SELECT active FROM patient").Scan(&active).Error)
		require.True(t, active)
	})
}

// A patient that can't be opened can be purged by an actor with the permission, with a reason and from the current
// version. The event says so.
func TestUnreadablePatientsCanBePurged(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		require.NoError(t, b.db.Exec("UPDATE patient SET first_name = last_name WHERE id = ?", p.ID).Error)
		admin := as(t, service.RoleAdmin)
		current := func(version int64) bool { return version == p.Version }
		_, err := b.patients.Deactivate(as(t, service.RoleFrontDesk), p.ID, current)
		require.True(t, apperr.Is(err, apperr.Unreadable), "%v", err)
		require.True(t, apperr.Is(b.patients.Purge(as(t, service.RoleFrontDesk), p.ID, current, "why"), apperr.Forbidden))
		require.True(t, apperr.Is(b.patients.Purge(admin, p.ID, current, ""), apperr.Invalid))
		require.True(t, apperr.Is(b.patients.Purge(admin, p.ID, func(int64) bool { return false }, "why"), apperr.Stale))
		require.Equal(t, 1, b.count(t, "patient"))

		require.NoError(t, b.patients.Purge(admin, p.ID, current, "asked for"))
		require.Zero(t, b.count(t, "patient")+b.count(t, "blindindex"))
		var purged []event
		for _, e := range b.events(t, audit.Purge) {
			if e.Outcome == audit.Success {
				purged = append(purged, e)
			}
		}
		require.Len(t, purged, 1)
		require.Equal(t, "phi.unreadable", *purged[0].Details)
	})
}
