package service_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
	"novamind/models"
	"novamind/service"
)

// expansion is a possible schema change of the next release while servers of this release run. It only adds.
var expansion = []map[string]string{
	{
		migrations.Postgres: "ALTER TABLE patient ADD COLUMN nickname text; ALTER TABLE account ADD COLUMN badge text; ALTER TABLE auditlog ADD COLUMN note text;",
		migrations.SQLite:   "ALTER TABLE patient ADD COLUMN nickname text; ALTER TABLE account ADD COLUMN badge text; ALTER TABLE auditlog ADD COLUMN note text;",
	},
	{
		migrations.Postgres: "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS patient_created_at_idx ON patient (created_at);",
		migrations.SQLite:   "CREATE INDEX patient_created_at_idx ON patient (created_at);",
	},
	{
		migrations.Postgres: "CREATE TABLE ward (id uuid CONSTRAINT ward_pkey PRIMARY KEY, patient_id uuid CONSTRAINT ward_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE);",
		migrations.SQLite:   "CREATE TABLE ward (id text NOT NULL CONSTRAINT ward_pkey PRIMARY KEY, patient_id text CONSTRAINT ward_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE);",
	},
	{
		migrations.Postgres: "ALTER TABLE patient ADD CONSTRAINT patient_nickname_short CHECK (length(nickname) < 50) NOT VALID;",
		migrations.SQLite:   "SELECT 1;",
	},
}

// Servers of this release answer without an error during and after the next release's migrations. This release still
// starts afterwards.
func TestThisReleaseWorksWhileTheNextOnesMigrationsRun(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		db := dbtest.Open(t, url)
		set, err := migrations.Embedded(db.Name())
		require.NoError(t, err)
		now, err := runner.New(db, set, runner.Program{}, discard)
		require.NoError(t, err)
		next := migrations.Set{Engine: set.Engine, Migrations: append([]migrations.Migration{}, set.Migrations...)}
		for i, sql := range expansion {
			next.Migrations = append(next.Migrations, migrationtest.Migration("999"+string(rune('0'+i))+"_expands", "-- migrate:compatible\n"+sql[set.Engine]))
		}
		upgrade, err := runner.New(db, next, runner.Program{}, discard)
		require.NoError(t, err)

		var done atomic.Bool
		var rounds atomic.Int64
		var servers sync.WaitGroup
		failed := make(chan error, 100)
		for range 4 {
			servers.Go(func() {
				for ctx := as(t, service.RoleClinician); !done.Load(); rounds.Add(1) {
					if err := workOn(ctx, b); err != nil {
						failed <- err
						return
					}
				}
			})
		}
		await(t, &rounds, 4, failed)
		for _, m := range next.Migrations[len(set.Migrations):] {
			_, err = upgrade.Up(t.Context(), m.ID)
			require.NoError(t, err)
			await(t, &rounds, rounds.Load()+4, failed)
		}
		done.Store(true)
		servers.Wait()
		close(failed)
		for err := range failed {
			require.NoError(t, err)
		}

		ahead, err := now.Ahead(t.Context())
		require.NoError(t, err)
		require.Len(t, ahead, len(expansion))
		restarted := newServer(t, url, b.kek, 0)
		require.NoError(t, workOn(as(t, service.RoleClinician), restarted))
		require.NoError(t, service.NewMigrationRunService(restarted.store).Record(audit.System(t.Context(), "migrate")))
	})
}

// workOn registers, changes, reads and finds a patient.
func workOn(ctx context.Context, b *bundle) error {
	p, err := b.patients.Register(ctx, another(input()))
	if err != nil {
		return err
	}
	if _, err := b.patients.Deactivate(ctx, p.ID, anyVersion); err != nil {
		return err
	}
	if _, err := b.patients.Get(ctx, p.ID); err != nil {
		return err
	}
	email := "zoe@example.org"
	_, _, err = b.patients.Search(ctx, models.PatientQuery{Email: &email}, service.Page{Limit: 5})
	return err
}

// await returns when a number is reached, or fails with the error that prevented it.
func await(t *testing.T, n *atomic.Int64, at int64, failed <-chan error) {
	t.Helper()
	require.Eventually(t, func() bool {
		select {
		case err := <-failed:
			require.NoError(t, err)
		default:
		}
		return n.Load() >= at
	}, time.Minute, 5*time.Millisecond)
}
