package repository_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/repository"
)

// breakLog makes the audit log refuse every event.
func breakLog(t *testing.T, db *gorm.DB) {
	t.Helper()
	sql := "ALTER TABLE auditlog ADD CONSTRAINT broken CHECK (false) NOT VALID"
	if db.Name() == "sqlite" {
		sql = "CREATE TRIGGER broken BEFORE INSERT ON auditlog BEGIN SELECT RAISE(ABORT, 'broken'); END"
	}
	require.NoError(t, db.Exec(sql).Error)
}

// mendLog undoes breakLog.
func mendLog(t *testing.T, db *gorm.DB) {
	t.Helper()
	sql := "ALTER TABLE auditlog DROP CONSTRAINT broken"
	if db.Name() == "sqlite" {
		sql = "DROP TRIGGER broken"
	}
	require.NoError(t, db.Exec(sql).Error)
}

func countPatients(t *testing.T, db *gorm.DB) (n int64) {
	t.Helper()
	require.NoError(t, db.Raw("SELECT count(*) FROM patient").Scan(&n).Error)
	return n
}

// An access that can't be recorded does not happen, and shows nothing.
func TestUnrecordableAccessFails(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		p := create(t, store, invented())
		db := dbtest.Open(t, url)
		breakLog(t, db)
		_, err := get(t, store, p.ID)
		require.True(t, apperr.Is(err, apperr.AuditUnavailable), "%v", err)
		err = store.InTx(actor(t.Context()), func(ctx context.Context) error {
			return repository.NewPatientRepository(store).Create(ctx, invented())
		})
		require.True(t, apperr.Is(err, apperr.AuditUnavailable), "%v", err)
		require.Equal(t, int64(1), countPatients(t, db))
		require.True(t, apperr.Is(store.CheckAudit(t.Context()), apperr.AuditUnavailable))
	})
}

func TestUnitOfWorkRollsBackWhole(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		db := dbtest.Open(t, url)
		failed := errors.New("failed")
		for range 40 { // more often than the pool has connections: no connection is lost
			require.ErrorIs(t, store.InTx(actor(t.Context()), func(ctx context.Context) error {
				return errors.Join(patients.Create(ctx, invented()), failed)
			}), failed)
			require.Panics(t, func() {
				_ = store.InTx(actor(t.Context()), func(ctx context.Context) error {
					_ = patients.Create(ctx, invented())
					panic("x")
				})
			})
		}
		require.ErrorIs(t, store.InTx(actor(t.Context()), func(ctx context.Context) error {
			_ = store.InTx(ctx, func(ctx context.Context) error { return errors.Join(patients.Create(ctx, invented()), failed) })
			return nil
		}), failed, "a nested failure can't be swallowed")
		require.Zero(t, countPatients(t, db))

		require.Error(t, store.InTx(t.Context(), func(ctx context.Context) error { return patients.Create(ctx, invented()) }), "no actor")
		require.Error(t, patients.Create(actor(t.Context()), invented()), "outside a unit of work")
		_, err := patients.ByID(actor(t.Context()), create(t, store, invented()).ID)
		require.Error(t, err, "outside a unit of work")
	})
}

func TestStaleChangesFail(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		p := create(t, store, invented())
		change := func(active bool) error {
			return store.InTx(actor(t.Context()), func(ctx context.Context) error {
				mine, err := patients.ByID(ctx, p.ID)
				if err != nil {
					return err
				}
				mine.Active = active
				return patients.Update(ctx, mine)
			})
		}
		stale, err := get(t, store, p.ID)
		require.NoError(t, err)
		require.NoError(t, change(false))
		err = store.InTx(actor(t.Context()), func(ctx context.Context) error { return patients.Update(ctx, stale) })
		require.True(t, apperr.Is(err, apperr.Stale), "%v", err)
		require.Equal(t, int64(1), stale.Version, "a failed change leaves the version as it was")
		require.True(t, apperr.Is(store.InTx(actor(t.Context()), func(ctx context.Context) error { return patients.Delete(ctx, stale) }), apperr.Stale))
		current, err := get(t, store, p.ID)
		require.NoError(t, err)
		require.False(t, current.Active)

		var writers sync.WaitGroup
		for range 16 {
			writers.Go(func() {
				if err := change(true); err != nil && !apperr.Is(err, apperr.Stale) {
					t.Error(err)
				}
			})
		}
		writers.Wait()
	})
}

// Structs written in a rolled-back transaction forget its changes: they can be written again.
func TestRolledBackUnitsCanBeRepeated(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		db := dbtest.Open(t, url)
		fresh, p := invented(), create(t, store, invented())
		work := func(ctx context.Context) error {
			p.Active = !p.Active
			return errors.Join(patients.Create(ctx, fresh), patients.Update(ctx, p))
		}
		failed := errors.New("failed")
		for i, end := range []func() error{
			func() error { return failed },
			func() error { panic(failed) },
			func() error { return nil }, // here, the event can't be stored
		} {
			if i == 2 {
				breakLog(t, db)
			}
			func() {
				defer func() { _ = recover() }()
				require.Error(t, store.InTx(actor(t.Context()), func(ctx context.Context) error {
					require.NoError(t, work(ctx))
					return end()
				}))
			}()
			require.Equal(t, []int64{0, 1}, []int64{fresh.Version, p.Version})
			require.Equal(t, int64(1), countPatients(t, db))
		}
		mendLog(t, db)
		require.NoError(t, store.InTx(actor(t.Context()), work))
		require.Equal(t, []int64{1, 2}, []int64{fresh.Version, p.Version})
		require.Error(t, store.Read(actor(t.Context()), func(ctx context.Context) error {
			return errors.Join(store.InTx(ctx, func(ctx context.Context) error { return patients.Update(ctx, p) }), failed)
		}))
		require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error { return patients.Update(ctx, p) }), "what was committed stays so")
		require.Equal(t, int64(4), p.Version)
	})
}

func TestPurgeLeavesItsEvents(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		p := create(t, store, complete())
		ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.Purge, EntityType: "patient", EntityID: p.ID, Reason: "asked for"})
		require.NoError(t, store.InTx(ctx, func(ctx context.Context) error {
			mine, err := patients.ByID(ctx, p.ID)
			if err != nil {
				return err
			}
			return patients.Delete(ctx, mine)
		}))
		var tokens int64
		require.NoError(t, dbtest.Open(t, url).Raw("SELECT count(*) FROM blindindex").Scan(&tokens).Error)
		require.Zero(t, tokens)
		events := eventsOf(t, store, repository.AuditLogQuery{Subject: []uuid.UUID{p.ID}})
		require.Len(t, events, 2)
		require.Equal(t, audit.Purge, events[1].Action)
		require.Equal(t, "asked for", events[1].Reason.Plain())
	})
}

// DB_ECHO shows statements, never values; errors show neither.
func TestNoValuesInLogsAndErrors(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		var out bytes.Buffer
		cfg := config.Default().Database
		cfg.URL, cfg.Echo = config.DSN(url), true
		store, err := repository.Open(t.Context(), cfg, slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		require.NoError(t, store.Unlock(t.Context(), "file:"+filepath.Join(t.TempDir(), "kek"), "US"))
		p := create(t, store, complete())
		_, err = get(t, store, p.ID)
		require.NoError(t, err)
		duplicate := complete()
		duplicate.ID = p.ID
		err = store.InTx(actor(t.Context()), func(ctx context.Context) error {
			return repository.NewPatientRepository(store).Create(ctx, duplicate)
		})
		require.True(t, apperr.Is(err, apperr.Duplicate))
		require.NotContains(t, err.Error(), "phi1:")
		require.Contains(t, out.String(), "INSERT INTO")
		for _, secret := range []string{"phi1:", "bi1:", "Zoë", p.ID.String()} {
			require.NotContains(t, out.String(), secret)
		}
	})
}
