package repository_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
)

var errRefused = errors.New("refused")

func intending(t *testing.T, action string) context.Context {
	t.Helper()
	return audit.WithIntent(actor(t.Context()), audit.Intent{Action: action, EntityType: "patient"})
}

// Calls that join are one unit: no change is visible before the outermost call ends, and one event carries all rows
// seen.
func TestNestedUnitsJoin(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		db := dbtest.Open(t, url)
		one, other := create(t, store, invented()), create(t, store, invented())
		require.NoError(t, store.InTx(intending(t, "test"), func(ctx context.Context) error {
			require.NoError(t, store.InTx(ctx, func(ctx context.Context) error { return patients.Create(ctx, invented()) }))
			require.Equal(t, int64(2), countPatients(t, db), "the inner call commits nothing")
			return store.Read(ctx, func(ctx context.Context) error {
				_, err := patients.ByID(ctx, one.ID)
				require.NoError(t, err)
				_, err = patients.ByID(ctx, other.ID)
				return err
			})
		}))
		require.Equal(t, int64(3), countPatients(t, db))
		reads := eventsOf(t, store, repository.AuditLogQuery{Action: []string{audit.Read}})
		require.Len(t, reads, 1)
		require.Len(t, reads[0].Subjects, 2)
	})
}

// After any failure of an inner call, the outer one can't commit.
func TestNestedFailuresRollBackTheOuterUnit(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		for name, inner := range map[string]func(context.Context){
			"error": func(ctx context.Context) { _ = store.InTx(ctx, func(context.Context) error { return errRefused }) },
			"panic": func(ctx context.Context) {
				defer func() { _ = recover() }()
				_ = store.InTx(ctx, func(context.Context) error { panic("x") })
			},
			"two levels down": func(ctx context.Context) {
				_ = store.InTx(ctx, func(ctx context.Context) error {
					_ = store.InTx(ctx, func(context.Context) error { return errRefused })
					return nil
				})
			},
		} {
			require.Error(t, store.InTx(intending(t, "test"), func(ctx context.Context) error {
				require.NoError(t, patients.Create(ctx, invented()))
				inner(ctx)
				return nil
			}), name)
		}
		require.Zero(t, countPatients(t, dbtest.Open(t, url)))
		require.Len(t, eventsOf(t, store, repository.AuditLogQuery{Action: []string{"test"}, Outcome: []string{audit.Failure}}), 3)
		require.Empty(t, eventsOf(t, store, repository.AuditLogQuery{Action: []string{audit.Create}}))
	})
}

// The log has the rows that a rolled-back unit had seen, but not the changes that were undone.
func TestRolledBackUnitsAreRecorded(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		p := create(t, store, invented())
		touch := func(ctx context.Context) {
			mine, err := patients.ByID(ctx, p.ID)
			require.NoError(t, err)
			mine.Active = false
			require.NoError(t, patients.Update(ctx, mine))
		}
		require.ErrorIs(t, store.InTx(intending(t, "erring"), func(ctx context.Context) error {
			touch(ctx)
			return errRefused
		}), errRefused)
		require.PanicsWithValue(t, "x", func() {
			_ = store.InTx(intending(t, "panicking"), func(ctx context.Context) error {
				touch(ctx)
				panic("x")
			})
		})
		require.PanicsWithValue(t, "x", func() {
			_ = store.Read(intending(t, "panicking read"), func(ctx context.Context) error {
				_, err := patients.ByID(ctx, p.ID)
				require.NoError(t, err)
				panic("x")
			})
		})
		denied := apperr.New(apperr.Forbidden, "no")
		require.ErrorIs(t, store.InTx(intending(t, "denied"), func(context.Context) error { return denied }), denied)
		for action, want := range map[string]string{
			"erring": audit.Failure, "panicking": audit.Failure, "panicking read": audit.Failure, "denied": audit.Denied,
		} {
			events := eventsOf(t, store, repository.AuditLogQuery{Action: []string{action}})
			require.Len(t, events, 1, action)
			require.Equal(t, want, events[0].Outcome, action)
			if action != "denied" {
				require.Len(t, events[0].Subjects, 1, action)
				require.Equal(t, p.ID, events[0].Subjects[0].EntityID)
			}
		}
		require.Empty(t, eventsOf(t, store, repository.AuditLogQuery{Action: []string{audit.Update}}))
		current, err := get(t, store, p.ID)
		require.NoError(t, err)
		require.True(t, current.Active)
	})
}

// A cancelled request leaves an event, even if the keysets had to be read again and nothing could be done any more.
func TestCancelledRequestsAreRecorded(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		p := create(t, store, invented())
		ctx, cancel := context.WithCancel(intending(t, "midway"))
		require.Error(t, store.Read(ctx, func(ctx context.Context) error {
			_, err := patients.ByID(ctx, p.ID)
			require.NoError(t, err)
			cancel()
			return ctx.Err()
		}))
		ctx, cancel = context.WithCancel(intending(t, "before"))
		cancel()
		require.Error(t, store.InTx(ctx, func(ctx context.Context) error { return patients.Create(ctx, invented()) }))
		time.Sleep(repository.KeyLease)
		ctx, cancel = context.WithCancel(intending(t, "lease over"))
		cancel()
		require.Error(t, store.Read(ctx, func(ctx context.Context) error { return ctx.Err() }))
		for action, subjects := range map[string]int{"midway": 1, "before": 0, "lease over": 0} {
			events := eventsOf(t, store, repository.AuditLogQuery{Action: []string{action}})
			require.Len(t, events, 1, action)
			require.Equal(t, audit.Failure, events[0].Outcome, action)
			require.Len(t, events[0].Subjects, subjects, action)
		}
		require.Equal(t, int64(1), countPatients(t, dbtest.Open(t, url)))
	})
}

// A change inside a read commits or fails on its own. A failed change leaves no event of success.
func TestTransactionsInsideARead(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		kept := invented()
		require.NoError(t, store.Read(intending(t, "test"), func(ctx context.Context) error {
			require.ErrorIs(t, store.InTx(ctx, func(ctx context.Context) error {
				require.NoError(t, patients.Create(ctx, invented()))
				return errRefused
			}), errRefused)
			return store.InTx(ctx, func(ctx context.Context) error { return patients.Create(ctx, kept) })
		}))
		require.Equal(t, int64(1), countPatients(t, dbtest.Open(t, url)))
		events := eventsOf(t, store, repository.AuditLogQuery{Action: []string{audit.Create}})
		require.Len(t, events, 1)
		require.Equal(t, kept.ID, *events[0].EntityID)
	})
}

// Without a responsible actor, the access does not happen.
func TestNoActorNoAccess(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		for _, kind := range []func(context.Context, func(context.Context) error) error{store.InTx, store.Read} {
			err := kind(t.Context(), func(context.Context) error {
				t.Error("ran")
				return nil
			})
			require.ErrorIs(t, err, audit.ErrNoActor)
			require.True(t, apperr.Is(err, apperr.Internal))
		}
		require.Empty(t, eventsOf(t, store, repository.AuditLogQuery{}))
	})
}

// There are more writers than connections, on two servers. They wait for each other, and none is refused.
func TestConcurrentWritersAllSucceed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one, other := openTwoStores(t, url)
		const writers, each = 16, 4
		var running sync.WaitGroup
		for i := range writers {
			running.Go(func() {
				store := []*repository.Store{one, other}[i%2]
				for range each {
					if err := store.InTx(actor(t.Context()), func(ctx context.Context) error {
						return repository.NewPatientRepository(store).Create(ctx, invented())
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		running.Wait()
		require.Equal(t, int64(writers*each), countPatients(t, dbtest.Open(t, url)))
		require.Len(t, eventsOf(t, one, repository.AuditLogQuery{Action: []string{audit.Create}}), writers*each)
	})
}

// A change that Read could not commit together with its event is refused, also of a table without sealed columns.
func TestReadChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		accounts := repository.NewAccountRepository(store)
		account := &models.Account{Email: "somebody@example.org", Name: "Somebody", Roles: []string{"auditor"}, PasswordHash: "x"}
		require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error { return accounts.Create(ctx, account) }))
		require.ErrorIs(t, store.Read(actor(t.Context()), func(ctx context.Context) error {
			account.Roles = []string{"admin"}
			return accounts.Update(ctx, account)
		}), models.ErrBypass)
		require.ErrorIs(t, store.Read(actor(t.Context()), func(ctx context.Context) error {
			return accounts.Create(ctx, &models.Account{Email: "other@example.org", Name: "Other", Roles: []string{"admin"}, PasswordHash: "x"})
		}), models.ErrBypass)
		require.ErrorIs(t, store.Read(actor(t.Context()), func(ctx context.Context) error { return accounts.Delete(ctx, account) }), models.ErrBypass)
		var admins int64
		db := dbtest.Open(t, url)
		require.NoError(t, db.Raw("SELECT count(*) FROM account WHERE CAST(roles AS text) LIKE '%admin%'").Scan(&admins).Error)
		require.Zero(t, admins)
	})
}
