package service_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"novamind/internal/apperr"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/repository"
	"novamind/service"
)

// A new key-encryption key changes only the rows of keysets. Afterwards no other key opens them.
func TestRotatedKEKTouchesNoRow(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.register(t)
		before := b.dump(t, "patient")
		_, err := b.keys().RotateKEK(operator(t), "")
		require.NoError(t, err)
		require.Equal(t, before, b.dump(t, "patient"))

		moved := t.TempDir() + "/keys/kek"
		done, err := b.keys().RotateKEK(operator(t), "file:"+moved)
		require.NoError(t, err)
		require.Equal(t, "file:"+moved, done.At)
		require.Equal(t, before, b.dump(t, "patient"))
		require.ErrorContains(t, b.unlockAgain(t, b.kek), "does not open this database's")
		require.NoError(t, b.unlockAgain(t, moved))
	})
}

func (b *bundle) dump(t *testing.T, table string) []map[string]any {
	t.Helper()
	var rows []map[string]any
	require.NoError(t, b.db.Raw("SELECT * FROM "+table+" ORDER BY id").Scan(&rows).Error)
	return rows
}

// unlockAgain starts another server, and returns its error.
func (b *bundle) unlockAgain(t *testing.T, kek string) error {
	t.Helper()
	return b.openStore(t).Unlock(t.Context(), "file:"+kek, "US")
}

func (b *bundle) openStore(t *testing.T) *repository.Store {
	t.Helper()
	cfg := config.Default().Database
	cfg.URL = config.DSN(b.url)
	store, err := repository.Open(t.Context(), cfg, discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// When several rotations run at once, the remaining key opens everything.
func TestRotationsOfTheKEKDontCross(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		var group errgroup.Group
		for range 4 {
			server := newServer(t, url, b.kek, time.Hour)
			group.Go(func() error {
				_, err := server.keys().RotateKEK(operator(t), "")
				return err
			})
		}
		require.NoError(t, group.Wait())
		require.NoError(t, b.unlockAgain(t, b.kek))
		keys, err := phi.KEKKeys("file:" + b.kek)
		require.NoError(t, err)
		require.Len(t, keys, 1, "the older ones are destroyed")
		_, err = b.patients.Get(as(t, service.RoleFrontDesk), p.ID)
		require.NoError(t, err)
	})
}

// A key that a retained backup may need is not destroyed. The new key wraps the keysets all the same.
func TestKEKsOfKeptBackupsStay(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		old := filepath.Join(t.TempDir(), "kek")
		copyFile(t, b.kek, old)
		var wrapped string // the keyset as in the backup
		require.NoError(t, b.db.Raw("SELECT wrapped FROM keyset WHERE purpose = 'data'").Scan(&wrapped).Error)
		b.keep(t, "00000000")
		for range 2 {
			done, err := b.keys().RotateKEK(operator(t), "")
			require.NoError(t, err)
			require.Equal(t, 1, done.KeptForBackups)
			kek, err := phi.LoadKEK("file:" + b.kek)
			require.NoError(t, err)
			_, err = phi.Keys(phi.Data, kek, wrapped)
			require.NoError(t, err, "the backup can't be read any more")
			require.Error(t, b.unlockAgain(t, old), "the old key alone opens today's keysets")
		}
		require.NoError(t, b.db.Exec("DELETE FROM backup").Error)
		_, err := b.keys().RotateKEK(operator(t), "")
		require.NoError(t, err)
		keys, err := phi.KEKKeys("file:" + b.kek)
		require.NoError(t, err)
		require.Len(t, keys, 1)
	})
}

// A server that has not been given the new key keeps using its keys, and reports that it is behind.
func TestServersWithoutTheNewKEKGoOn(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		elsewhere := filepath.Join(t.TempDir(), "kek")
		copyFile(t, b.kek, elsewhere)
		other := newServer(t, url, elsewhere, time.Hour)
		p := b.register(t)
		stop := working(t, b, other)
		_, err := b.keys().RotateKEK(operator(t), "")
		require.NoError(t, err)
		require.Eventually(t, func() bool { return other.store.CheckKeys(t.Context()) != nil }, time.Minute, 10*time.Millisecond)
		require.ErrorContains(t, other.store.CheckKeys(t.Context()), elsewhere)
		require.NoError(t, b.store.CheckKeys(t.Context()))
		_, err = other.patients.Get(as(t, service.RoleFrontDesk), p.ID)
		require.NoError(t, err)
		stop()

		copyFile(t, b.kek, elsewhere)
		require.Eventually(t, func() bool { return other.store.CheckKeys(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
	})
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o600))
}

// If nothing would change, the answer does not claim a change.
func TestKEKsThatCantBeRotatedHere(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		variable := service.NewKeyService(b.store, "env:NOVAMIND_TEST_KEK")
		_, err := variable.RotateKEK(operator(t), "")
		require.True(t, apperr.Is(err, apperr.Invalid))

		// The same file under another name is the same key, so it gets a new key.
		before, err := phi.KEKKeys("file:" + b.kek)
		require.NoError(t, err)
		_, err = b.keys().RotateKEK(operator(t), "file:"+filepath.Join(filepath.Dir(b.kek), ".", "kek"))
		require.NoError(t, err)
		after, err := phi.KEKKeys("file:" + b.kek)
		require.NoError(t, err)
		require.NotEqual(t, before, after)
	})
}
