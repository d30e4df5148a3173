package runner_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
)

const concurrently = "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_id_idx ON a (id);\nCREATE TABLE IF NOT EXISTS c (id int);"

// lateRunner has a version without a transaction, on PostgreSQL.
func lateRunner(t *testing.T, db *gorm.DB) *runner.Runner {
	t.Helper()
	fsys := migrationtest.Folder(t, with(v1, "0002_late", "SELECT 1;"))
	fsys["0002_late.postgres.up.sql"].Data = []byte(concurrently)
	fsys["0002_late.postgres.down.sql"].Data = []byte("-- migrate:no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS a_id_idx;")
	return runnerOf(t, db, migrationtest.Summed(t, fsys))
}

func TestPostgresRunsAVersionWithoutATransaction(t *testing.T) {
	t.Parallel()
	db := dbtest.Open(t, dbtest.EmptyPostgres(t))
	r := lateRunner(t, db)
	_, err := r.Up(t.Context(), "")
	require.NoError(t, err)
	require.True(t, db.Migrator().HasIndex("a", "a_id_idx"))
	require.True(t, db.Migrator().HasTable("c"))
	_, err = r.Down(t.Context(), "0001")
	require.NoError(t, err)
	require.False(t, db.Migrator().HasIndex("a", "a_id_idx"))
	_, err = r.Up(t.Context(), migrations.Head)
	require.NoError(t, err)
}

// A version that failed because of duplicate values fails again, under any name of its index.
func TestPostgresBuildsAnInvalidIndexAgain(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a_key", `"a_Active key"`, "A_Key"} {
		db := dbtest.Open(t, dbtest.EmptyPostgres(t))
		_, err := newRunner(t, db, v1).Up(t.Context(), "")
		require.NoError(t, err)
		require.NoError(t, db.Exec("INSERT INTO a VALUES (7), (9)").Error)
		fsys := migrationtest.Folder(t, with(v1, "0002_late", "SELECT 1;"))
		fsys["0002_late.postgres.up.sql"].Data = []byte("-- migrate:no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS " + name + " ON a ((id % 2));")
		r := runnerOf(t, db, migrationtest.Summed(t, fsys))
		for range 2 {
			_, err = r.Up(t.Context(), "")
			require.ErrorContains(t, err, "0002_late", name)
		}
		require.NoError(t, db.Exec("DELETE FROM a").Error)
		_, err = r.Up(t.Context(), "")
		require.NoError(t, err)
		var invalid int
		require.NoError(t, db.Raw("SELECT count(*) FROM pg_index WHERE NOT indisvalid").Scan(&invalid).Error)
		require.Zero(t, invalid, name)
	}
}

func TestPostgresMendsAnIndexThatAnInterruptedRunLeft(t *testing.T) {
	t.Parallel()
	db := dbtest.Open(t, dbtest.EmptyPostgres(t))
	_, err := newRunner(t, db, v1).Up(t.Context(), "")
	require.NoError(t, err)
	// The state after a run that was killed while it built the index.
	held := db.Begin()
	require.NoError(t, held.Exec("INSERT INTO a VALUES (7)").Error)
	require.Error(t, db.Connection(func(one *gorm.DB) error {
		one = one.Session(&gorm.Session{NewDB: true}) // otherwise one error would stay for all
		// The server ends the session before the transaction that the session waits for ends.
		require.NoError(t, one.Exec("SET statement_timeout = '500ms'").Error)
		err := one.Exec("CREATE INDEX CONCURRENTLY a_id_idx ON a (id)").Error
		require.NoError(t, one.Exec("RESET statement_timeout").Error)
		return err
	}))
	require.NoError(t, held.Rollback().Error)
	valid := func() (ok bool) {
		require.NoError(t, db.Raw("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id_idx'::regclass").Scan(&ok).Error)
		return ok
	}
	require.False(t, valid())

	_, err = lateRunner(t, db).Up(t.Context(), "")
	require.NoError(t, err)
	require.True(t, valid())
}

func TestManyRunnersWithAnIndexThatIsBuiltConcurrently(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyPostgres(t)
	var runners errgroup.Group
	for range 8 {
		r := lateRunner(t, dbtest.Open(t, url))
		runners.Go(func() error {
			_, err := r.Up(context.Background(), "")
			return err
		})
	}
	require.NoError(t, runners.Wait())
	require.EqualValues(t, 2, count(t, dbtest.Open(t, url), runner.LogTable))
}
