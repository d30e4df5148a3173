package service_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

func (b *bundle) keys() *service.KeyService { return service.NewKeyService(b.store, "file:"+b.kek) }

// primary returns the key that a purpose's new values are sealed under.
func (b *bundle) primary(t *testing.T, p phi.Purpose) service.KeyState {
	t.Helper()
	states, err := b.keys().Status(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(states, func(k service.KeyState) bool { return k.Purpose == p && k.State == service.KeyPrimary })
	require.NotEqual(t, -1, i)
	return states[i]
}

func (b *bundle) state(t *testing.T, keyID string) service.KeyState {
	t.Helper()
	states, err := b.keys().Status(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(states, func(k service.KeyState) bool { return k.ID == keyID })
	require.NotEqual(t, -1, i, "a key is known for good")
	return states[i]
}

// operator returns a context in which a command acts.
func operator(t *testing.T) context.Context {
	t.Helper()
	return audit.System(t.Context(), "keys")
}

// working has servers of one database work until stop is called, which fails where any request did.
func working(t *testing.T, servers ...*bundle) (stop func()) {
	t.Helper()
	ctx := as(t, service.RoleFrontDesk)
	var ended atomic.Bool
	var requests atomic.Int64
	var group errgroup.Group
	for _, s := range servers {
		group.Go(func() error {
			for !ended.Load() {
				p, err := s.patients.Register(ctx, input(), service.Idempotency{})
				if err != nil {
					return err
				}
				for _, reader := range servers {
					if _, err := reader.patients.Get(ctx, p.ID); err != nil {
						return err
					}
				}
				requests.Add(1)
			}
			return nil
		})
	}
	return func() {
		ended.Store(true)
		require.NoError(t, group.Wait(), "a request failed while keys changed")
		require.Positive(t, requests.Load())
	}
}

// Two servers of one database go on through every change of the keys, and the old keys end.
func TestKeysChangeWhileServersWork(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one := newBundle(t, url)
		other := newServer(t, url, one.kek, time.Hour)
		first := one.register(t)
		oldData, oldIndex := one.primary(t, phi.Data).ID, one.primary(t, phi.Index).ID
		stop := working(t, one, other)
		keys := one.keys()

		for purpose, old := range map[phi.Purpose]string{phi.Data: oldData, phi.Index: oldIndex} {
			added, err := keys.Rotate(operator(t), purpose)
			require.NoError(t, err)
			require.Equal(t, added, one.primary(t, purpose).ID)
			require.Equal(t, service.KeyActive, one.state(t, old).State)
		}
		_, err := keys.Reseal(operator(t), 0, nil)
		require.NoError(t, err)
		for _, old := range []string{oldData, oldIndex} {
			require.Empty(t, one.state(t, old).Values)
			require.NoError(t, keys.Retire(operator(t), old))
			require.Equal(t, service.KeyGone, one.state(t, old).State)
		}
		require.NoError(t, keys.RotateKEK(operator(t), ""))
		stop()

		for _, s := range []*bundle{one, other} {
			p, err := s.patients.Get(as(t, service.RoleFrontDesk), first.ID)
			require.NoError(t, err)
			require.Equal(t, first.Version, p.Version, "new keys are no change")
			found, _, err := s.patients.Search(as(t, service.RoleFrontDesk), models.PatientQuery{Prefixes: []string{"gar"}}, service.Page{Limit: 1})
			require.NoError(t, err)
			require.Len(t, found, 1)
		}
		for action, n := range map[string]int{
			audit.AddKey: 2, audit.PromoteKey: 2, audit.RetireKey: 2, audit.DestroyKey: 2, audit.RewrapKeys: 1,
		} {
			require.Len(t, one.events(t, action), n, action)
		}
	})
}

// A key is not destroyed while a value or a backup needs it; but from the first moment the database takes nothing new under it.
func TestRetiringRefusesFirst(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		old := b.primary(t, phi.Data).ID
		keys := b.keys()
		require.True(t, apperr.Is(keys.Retire(operator(t), old), apperr.Invalid), "it seals new values")
		require.True(t, apperr.Is(keys.Retire(operator(t), "00000000"), apperr.Invalid), "there is no such key")
		log := b.primary(t, phi.Log).ID
		_, err := keys.Rotate(operator(t), phi.Data)
		require.NoError(t, err)
		require.True(t, apperr.Is(keys.Retire(operator(t), log), apperr.Invalid))

		require.ErrorIs(t, keys.Retire(operator(t), old), service.ErrKeyNeeded)
		require.Equal(t, service.KeyRetiring, b.state(t, old).State)
		if b.db.Name() == "sqlite" { // which would refuse this test for other reasons
			require.NoError(t, b.db.Exec("DROP TRIGGER patient_ours_update").Error)
		}
		// As a server would that has not heard of it: the row as it is, once more.
		err = b.db.Exec("UPDATE patient SET active = active WHERE id = ?", p.ID.String()).Error
		require.ErrorContains(t, err, "retired key")
		_, err = b.patients.Get(as(t, service.RoleFrontDesk), p.ID)
		require.NoError(t, err, "what is under it can still be read")

		backup := &models.Backup{RetainedUntil: time.Now().Add(time.Hour).UTC(), KeyIDs: []string{old}}
		backup.ID = uuid.Must(uuid.NewV7())
		require.NoError(t, b.db.Table("backup").Create(backup).Error)
		_, err = keys.Reseal(operator(t), 0, nil)
		require.NoError(t, err)
		err = keys.Retire(operator(t), old)
		require.ErrorIs(t, err, service.ErrKeyNeeded)
		require.ErrorContains(t, err, "1 backups")

		require.NoError(t, b.db.Exec("UPDATE backup SET retained_until = ?", time.Now().Add(-time.Hour).UTC()).Error)
		require.NoError(t, keys.Retire(operator(t), old))
		require.Equal(t, service.KeyGone, b.state(t, old).State)
		_, err = b.patients.Get(as(t, service.RoleFrontDesk), p.ID)
		require.NoError(t, err)
	})
}

// A new key-encryption key touches no row but the keysets', and is the only one that opens them afterwards.
func TestRotatedKEKTouchesNoRow(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.register(t)
		before := b.dump(t, "patient")
		require.NoError(t, b.keys().RotateKEK(operator(t), ""))
		require.Equal(t, before, b.dump(t, "patient"))

		moved := t.TempDir() + "/keys/kek"
		require.NoError(t, b.keys().RotateKEK(operator(t), "file:"+moved))
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

// unlockAgain starts another server, and returns what it says.
func (b *bundle) unlockAgain(t *testing.T, kek string) error {
	t.Helper()
	cfg := config.Default().Database
	cfg.URL = config.DSN(b.url)
	store, err := repository.Open(t.Context(), cfg, discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store.Unlock(t.Context(), "file:"+kek, "US")
}

// A server does not start on a database whose keysets are not those that its values need; it says which is missing.
func TestStartsRefuseMissingKeys(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		var wrapped string
		require.NoError(t, b.db.Raw("SELECT wrapped FROM keyset WHERE purpose = 'data'").Scan(&wrapped).Error)
		_, err := b.keys().Rotate(operator(t), phi.Data)
		require.NoError(t, err)
		b.register(t)
		added := b.primary(t, phi.Data).ID
		require.NoError(t, b.unlockAgain(t, b.kek))

		require.NoError(t, b.db.Exec("UPDATE keyset SET wrapped = ? WHERE purpose = 'data'", wrapped).Error) // as it was before
		err = b.unlockAgain(t, b.kek)
		require.ErrorContains(t, err, "patient.")
		require.ErrorContains(t, err, added)

		for _, purpose := range phi.Purposes() {
			require.NoError(t, b.db.Exec("UPDATE keyset SET purpose = 'gone' WHERE purpose = ?", string(purpose)).Error)
			require.ErrorContains(t, b.unlockAgain(t, b.kek), "no "+string(purpose)+" keyset")
			require.NoError(t, b.db.Exec("UPDATE keyset SET purpose = ? WHERE purpose = 'gone'", string(purpose)).Error)
		}
	})
}

// An interrupted move goes on, and changes made meanwhile stay.
func TestInterruptedResealingGoesOn(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		const many = 450 // more than two batches
		for range many {
			b.register(t)
		}
		old := b.primary(t, phi.Data).ID
		_, err := b.keys().Rotate(operator(t), phi.Data)
		require.NoError(t, err)

		ctx, interrupt := context.WithCancel(operator(t))
		done, err := b.keys().Reseal(ctx, 0, func(service.Renewed) { interrupt() })
		require.Error(t, err)
		require.Positive(t, done.Resealed)
		left := b.state(t, old).Values["patient.first_name"]
		require.Positive(t, left, "it was interrupted")

		again, err := b.keys().Reseal(operator(t), 0, nil)
		require.NoError(t, err)
		require.EqualValues(t, left, again.Resealed, "what was done is not done again")
		require.Empty(t, b.state(t, old).Values)
	})
}
