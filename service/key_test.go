package service_test

import (
	"context"
	"errors"
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

// primary returns the key that seals new values of a purpose.
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

// operator returns the context of a command.
func operator(t *testing.T) context.Context {
	t.Helper()
	return audit.System(t.Context(), "keys")
}

// working makes servers of one database work until stop is called. stop fails if any request did.
func working(t *testing.T, servers ...*bundle) (stop func()) {
	t.Helper()
	ctx := as(t, service.RoleFrontDesk)
	var ended atomic.Bool
	var requests atomic.Int64
	var group errgroup.Group
	for _, s := range servers {
		group.Go(func() error {
			for !ended.Load() {
				p, err := s.patients.Register(ctx, another(input()))
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

// Two servers of one database keep working through every change of the keys, and the old keys end.
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
		_, err = keys.RotateKEK(operator(t), "")
		require.NoError(t, err)
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
			audit.AddKey: 2, audit.PromoteKey: 2, audit.RetireKey: 2, audit.DestroyKey: 3 /* and the key-encryption key */, audit.RewrapKeys: 1,
		} {
			require.Len(t, one.events(t, action), n, action)
		}
	})
}

// A key is not destroyed while a value or a backup needs it. But the database refuses new values under it at once.
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
		if b.db.Name() == "sqlite" { // SQLite would refuse this test for other reasons
			require.NoError(t, b.db.Exec("DROP TRIGGER patient_ours_update").Error)
		}
		// A server that does not know of the change would write the same row once more.
		err = b.db.Exec("UPDATE patient SET active = active WHERE id = ?", p.ID.String()).Error
		require.ErrorContains(t, err, "retired key")
		_, err = b.patients.Get(as(t, service.RoleFrontDesk), p.ID)
		require.NoError(t, err, "what is under it can still be read")

		b.keep(t, old)
		_, err = keys.Reseal(operator(t), 0, nil)
		require.NoError(t, err)
		err = keys.Retire(operator(t), old)
		require.ErrorIs(t, err, service.ErrKeyNeeded)
		require.ErrorContains(t, err, "1 backup that")

		require.NoError(t, b.db.Exec("UPDATE backup SET retained_until = ?", time.Now().Add(-time.Hour).UTC()).Error)
		require.NoError(t, keys.Retire(operator(t), old))
		require.Equal(t, service.KeyGone, b.state(t, old).State)
		_, err = b.patients.Get(as(t, service.RoleFrontDesk), p.ID)
		require.NoError(t, err)
	})
}

// A server does not start if the keysets lack a key that values need. The error names the missing key.
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

		// The keyset from before the rotation.
		require.NoError(t, b.db.Exec("UPDATE keyset SET wrapped = ? WHERE purpose = 'data'", wrapped).Error)
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

// An interrupted move can be continued, and changes made meanwhile stay.
func TestInterruptedResealingGoesOn(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.registerMany(t, 450) // more than two batches
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

// registerMany adds patients in one transaction, without the rules of the service.
func (b *bundle) registerMany(t *testing.T, many int) {
	t.Helper()
	template := b.register(t)
	patients := repository.NewPatientRepository(b.store)
	require.NoError(t, b.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error {
		for range many - 1 {
			p := &models.Patient{
				FirstName: template.FirstName, LastName: template.LastName, DateOfBirth: template.DateOfBirth,
				ContactInfo: template.ContactInfo, Active: true,
			}
			if err := patients.Create(ctx, p); err != nil {
				return err
			}
		}
		return nil
	}))
}

// A key that was added and then retired is not promoted by a later rotation.
func TestRetiredKeysAreNotPromoted(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		first := b.primary(t, phi.Data).ID
		ctx, interrupt := context.WithCancel(operator(t))
		interrupted := make(chan error, 1)
		go func() {
			_, err := b.keys().Rotate(ctx, phi.Data)
			interrupted <- err
		}()
		added := b.awaitAddedKey(t, first)
		interrupt() // while the new key settles
		require.ErrorIs(t, <-interrupted, context.Canceled)
		b.keep(t, added) // so that retiring does not destroy it
		require.ErrorIs(t, b.keys().Retire(operator(t), added), service.ErrKeyNeeded)

		promoted, err := b.keys().Rotate(operator(t), phi.Data)
		require.NoError(t, err)
		require.NotEqual(t, added, promoted)
		b.register(t)

		// Retire the key while it settles.
		var group errgroup.Group
		group.Go(func() error {
			_, err := b.keys().Rotate(operator(t), phi.Data)
			return err
		})
		fresh := b.awaitAddedKey(t, first, added, promoted)
		b.keep(t, fresh)
		retired := b.keys().Retire(operator(t), fresh)
		rotated := group.Wait()
		require.NotEqual(t, retired == nil || errors.Is(retired, service.ErrKeyNeeded), rotated == nil,
			"one of the two is refused: %v, %v", retired, rotated)
		b.register(t)
	})
}

// awaitAddedKey waits until a rotation has added a data key that is not among the known ones, and returns its id.
func (b *bundle) awaitAddedKey(t *testing.T, known ...string) (id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		states, err := b.keys().Status(t.Context())
		for _, key := range states {
			if key.Purpose == phi.Data && !slices.Contains(known, key.ID) {
				id = key.ID
			}
		}
		return err == nil && id != ""
	}, time.Minute, 10*time.Millisecond)
	return id
}

// keep records a backup that can't be read without a key.
func (b *bundle) keep(t *testing.T, keyID string) {
	t.Helper()
	backup := &models.Backup{RetainedUntil: time.Now().Add(time.Hour).UTC(), KeyIDs: []string{keyID}}
	backup.ID = uuid.Must(uuid.NewV7())
	require.NoError(t, b.db.Table("backup").Create(backup).Error)
}

// A row that can't be opened is named, and does not keep other rows' values under the old key.
func TestUnreadableRowsAreLeftAndNamed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		sound, broken := b.register(t), b.register(t)
		dbtest.DropTriggers(t, b.db, "patient")
		require.NoError(t, b.db.Exec("UPDATE patient SET first_name = last_name WHERE id = ?", broken.ID.String()).Error)
		for _, purpose := range []phi.Purpose{phi.Data, phi.Index} {
			_, err := b.keys().Rotate(operator(t), purpose)
			require.NoError(t, err)
		}
		for range 2 {
			done, err := b.keys().Reseal(operator(t), 0, nil)
			require.NoError(t, err)
			require.Equal(t, []string{"patient " + broken.ID.String()}, done.Unreadable)
		}
		var left []string
		data, index := b.primary(t, phi.Data).ID, b.primary(t, phi.Index).ID
		require.NoError(t, b.db.Raw("SELECT id FROM patient WHERE substr(first_name, 6, 8) <> ?", data).Scan(&left).Error)
		require.Equal(t, []string{broken.ID.String()}, left)
		require.NoError(t, b.db.Raw("SELECT DISTINCT patient_id FROM blindindex WHERE substr(token, 5, 8) <> ?", index).Scan(&left).Error)
		require.Equal(t, []string{broken.ID.String()}, left)
		_, err := b.patients.Get(as(t, service.RoleFrontDesk), sound.ID)
		require.NoError(t, err)
	})
}

// A database without a recorded index scheme gets today's scheme if that scheme made every token, and otherwise none.
func TestIndexesWithoutANoteAreLookedAt(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.register(t)
		require.NoError(t, b.db.Exec("UPDATE keyset SET index_scheme = NULL").Error)

		german := b.openStore(t)
		require.ErrorIs(t, german.Unlock(t.Context(), "file:"+b.kek, "DE"), repository.ErrIndexUnnoted)
		require.ErrorIs(t, service.NewKeyService(german, "file:"+b.kek).AdoptIndexScheme(operator(t)), repository.ErrIndexScheme)
		require.ErrorIs(t, b.unlockAgain(t, b.kek), repository.ErrIndexUnnoted)
		for range 2 {
			require.NoError(t, b.keys().AdoptIndexScheme(operator(t)))
		}
		require.NoError(t, b.unlockAgain(t, b.kek))
		require.Len(t, b.events(t, audit.AdoptIndex), 1)
		require.ErrorIs(t, service.NewKeyService(german, "file:"+b.kek).AdoptIndexScheme(operator(t)), repository.ErrIndexScheme)
	})
}

// A server with other index rules than the stored tokens would miss patients, so it does not start. A new index key
// solves that.
func TestStartsRefuseOtherIndexes(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		number := "(212) 555-0123"
		german := b.openStore(t)
		require.ErrorIs(t, german.Unlock(t.Context(), "file:"+b.kek, "DE"), repository.ErrIndexScheme)

		_, err := service.NewKeyService(german, "file:"+b.kek).Rotate(operator(t), phi.Index)
		require.NoError(t, err)
		_, err = service.NewKeyService(german, "file:"+b.kek).Reseal(operator(t), 0, nil)
		require.NoError(t, err)
		require.NoError(t, b.openStore(t).Unlock(t.Context(), "file:"+b.kek, "DE"))
		require.ErrorIs(t, b.unlockAgain(t, b.kek), repository.ErrIndexScheme, "of US")
		found, _, err := service.NewPatientService(german, service.NewCare(german, config.Default().Access), "DE").Search(as(t, service.RoleFrontDesk), models.PatientQuery{Phone: &number}, onePage)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, p.ID, found[0].ID)
		require.False(t, found[0].Unreadable())
	})
}
