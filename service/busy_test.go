package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/repository"
	"novamind/service"
)

// Resealing continues after another process held a lock for longer than one statement waits. That wait is not a
// failure, so the log has no error about it.
func TestResealingWaitsForOthers(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.register(t)
		old := b.primary(t, phi.Data).ID
		_, err := b.keys().Rotate(operator(t), phi.Data)
		require.NoError(t, err)

		besideAWriter(t, b, "SELECT 1 FROM patient FOR UPDATE", func(store *repository.Store) error {
			_, err := service.NewKeyService(store, "file:"+b.kek).Reseal(operator(t), 0, nil)
			return err
		})
		require.Empty(t, b.state(t, old).Values)
		for _, e := range b.events(t, "") {
			require.Equal(t, "success", e.Outcome, "%s %s", e.Action, e.EntityType)
		}
	})
}

// A server that starts beside a long transaction, such as that of a demo or an import, waits for it too.
func TestTheFirstAccountWaitsForOthers(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		besideAWriter(t, b, "LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE", func(store *repository.Store) error {
			auth, err := service.NewAuthService(store, config.Default().Auth)
			if err != nil {
				return err
			}
			made, err := auth.EnsureAccount(audit.System(t.Context(), "setup"), "first@example.org", password, undelivered)
			require.Equal(t, err == nil, made)
			return err
		})
		require.Equal(t, 1, b.count(t, "account"))
	})
}

// besideAWriter runs do on a store of its own while another transaction holds the write lock of SQLite, or the locks
// of a statement on PostgreSQL: longer than one transaction waits, shorter than all its attempts together.
func besideAWriter(t *testing.T, b *bundle, lock string, do func(*repository.Store) error) {
	t.Helper()
	cfg := config.Default().Database
	cfg.URL, cfg.BusyTimeout, cfg.LockTimeout = config.DSN(b.url), time.Second, time.Second
	store, err := repository.Open(t.Context(), cfg, discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Unlock(t.Context(), "file:"+b.kek, "US"))

	other := b.db.Begin() // on SQLite, this takes the write lock
	require.NoError(t, other.Error)
	if b.db.Name() == "postgres" {
		require.NoError(t, other.Exec(lock).Error)
	}
	var group errgroup.Group
	group.Go(func() error { return do(store) })
	time.Sleep(cfg.BusyTimeout * 3 / 2)
	require.NoError(t, other.Rollback().Error)
	require.NoError(t, group.Wait())
}
