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
	found, _, err := b.patients.Search(ctx, models.PatientQuery{LastName: new("Lopez")}, onePage)
	require.NoError(t, err)
	ids := []uuid.UUID{}
	for _, p := range found {
		ids = append(ids, p.ID)
	}
	return ids
}

// A clinician sees those they registered, those assigned to them, and those with an appointment or a record within the window.
func TestCliniciansSeeTheirPatients(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := as(t, service.RoleClinician)
		actor, err := audit.ActorFrom(ctx)
		require.NoError(t, err)
		registered, _, err := b.patients.Register(ctx, another(input()), service.Idempotency{})
		require.NoError(t, err)
		visible, hidden := []uuid.UUID{registered.ID}, []uuid.UUID{b.register(t).ID, uuid.New()}
		edge := time.Now().Add(-config.Default().Access.CareWindow)
		for _, c := range []struct {
			kind  string
			at    time.Time
			whose uuid.UUID
			sees  bool
		}{
			{models.CareAssigned, edge.AddDate(-9, 0, 0), actor.ID, true},
			{models.CareAppointment, edge.Add(time.Minute), actor.ID, true},
			{models.CareAppointment, edge.Add(-time.Minute), actor.ID, false},
			{models.CareRecord, time.Now(), actor.ID, true},
			{models.CareRecord, edge.Add(-time.Minute), actor.ID, false},
			{models.CareAssigned, time.Now(), uuid.New(), false},
		} {
			p := b.register(t)
			require.NoError(t, b.care.Note(t.Context(), p.ID, c.whose, c.kind, c.at))
			require.NoError(t, b.care.Note(t.Context(), p.ID, c.whose, c.kind, c.at.Add(-time.Hour)), "an earlier one changes nothing")
			if c.sees {
				visible = append(visible, p.ID)
			} else {
				hidden = append(hidden, p.ID)
			}
		}
		require.Equal(t, visible, b.ids(ctx, t))
		require.Len(t, b.ids(as(t, service.RoleFrontDesk), t), 8)
		require.Len(t, b.ids(as(t, service.RoleFrontDesk, service.RoleClinician), t), 8, "the wider role counts")
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

// A repeated registration shows the patient only as long as the caller sees them.
func TestRepeatsObeyTheCareOfToday(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := as(t, service.RoleClinician)
		actor, err := audit.ActorFrom(ctx)
		require.NoError(t, err)
		once := service.Idempotency{Key: "key", Request: "body"}
		p, _, err := b.patients.Register(ctx, another(input()), once)
		require.NoError(t, err)
		_, _, err = b.patients.Register(ctx, another(input()), once)
		require.NoError(t, err)
		removed, err := b.care.Remove(t.Context(), p.ID, actor.ID, models.CareRegistered)
		require.NoError(t, err)
		require.True(t, removed)
		_, _, err = b.patients.Register(ctx, another(input()), once)
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
		require.Equal(t, 1, b.count(t, "patient"))
	})
}

// An API key has no more than its scopes.
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
