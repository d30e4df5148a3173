package repository_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// openStore returns an unlocked store on a migrated database of its own.
func openStore(t testing.TB, url string) *repository.Store {
	t.Helper()
	return unlocked(t, url, filepath.Join(t.TempDir(), "kek"))
}

// openTwoStores returns two stores on one database, as two servers would have.
func openTwoStores(t *testing.T, url string) (one, other *repository.Store) {
	t.Helper()
	kek := filepath.Join(t.TempDir(), "kek")
	return unlocked(t, url, kek), unlocked(t, url, kek)
}

func unlocked(t testing.TB, url, kek string) *repository.Store {
	t.Helper()
	cfg := config.Default().Database
	cfg.URL = config.DSN(url)
	store, err := repository.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Unlock(t.Context(), "file:"+kek, "US"))
	return store
}

var everybody = repository.Scope{All: true}

func actor(ctx context.Context) context.Context { return audit.System(ctx, "test") }

func invented() *models.Patient {
	day, _ := phi.ParseCalendarDate("1980-02-03")
	return &models.Patient{
		FirstName: phi.Of("Zoë Ann"), LastName: phi.Of("García-López"), DateOfBirth: phi.Of(day), Active: true,
		ContactInfo: phi.JSONOf(models.ContactInfo{Email: "Zoe@Example.org", Phone: "(212) 555-0123"}),
	}
}

func TestPatientsRoundTrip(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		p := invented()
		require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error { return patients.Create(ctx, p) }))
		require.Equal(t, int64(1), p.Version)
		var got *models.Patient
		require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error {
			var err error
			if got, err = patients.ByID(ctx, p.ID); err != nil {
				return err
			}
			got.LastName = phi.Of("Changed")
			return patients.Update(ctx, got)
		}))
		require.Equal(t, int64(2), got.Version)
		var found []*models.Patient
		ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.Search, EntityType: "patient"})
		require.NoError(t, store.Read(ctx, func(ctx context.Context) error {
			var err error
			found, err = patients.ByPhone(ctx, "+1 212 555 0123")
			return err
		}))
		require.Len(t, found, 1)
		require.Equal(t, "Changed", found[0].LastName.Plain())
		var events []*models.AuditLog
		require.NoError(t, store.Read(ctx, func(ctx context.Context) error {
			var err error
			events, _, err = repository.NewAuditLogRepository(store).Search(ctx, repository.AuditLogQuery{}, repository.Page{Limit: 10})
			return err
		}))
		require.Len(t, events, 3)
		require.Equal(t, []string{"last_name"}, events[1].Changes.Data().Fields)
	})
}
