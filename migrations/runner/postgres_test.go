package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
)

func TestPostgresRunsFunctionsAndOperators(t *testing.T) {
	t.Parallel()
	db := dbtest.Open(t, dbtest.EmptyPostgres(t))
	_, err := newRunner(t, db, with(nil, "0001_initial", `
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	n := n * 2; -- a semicolon; and another
	RETURN n;
END $$;
CREATE TABLE found (v boolean);
INSERT INTO found SELECT '{"a": 1}'::jsonb ? 'a' AND '{"a": 1}'::jsonb @> '{"a": 1}' AND twice(2) = 4;`)).Up(t.Context(), "")
	require.NoError(t, err)
	var found bool
	require.NoError(t, db.Raw("SELECT v FROM found").Scan(&found).Error)
	require.True(t, found)
}

func TestPostgresErrorsNameTheLineAndNoRowContent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sql, code, line string }{
		"constraint": {"INSERT INTO p VALUES ('canary');", "23505", ""},
		"cast":       {"ALTER TABLE p\n ALTER v TYPE int USING v::int;", "22P02", ""},
		"syntax":     {"SELECT 1;\nSELEC 'é' FROM;", "42601", "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := dbtest.Open(t, dbtest.EmptyPostgres(t))
			initial := with(nil, "0001_initial", "CREATE TABLE p (v text PRIMARY KEY); INSERT INTO p VALUES ('canary');")
			_, err := newRunner(t, db, with(initial, "0002_fails", c.sql)).Up(t.Context(), "")
			require.ErrorContains(t, err, "0002_fails")
			require.ErrorContains(t, err, c.code)
			require.ErrorContains(t, err, c.line)
			require.NotContains(t, err.Error(), "canary")
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg)
			require.Empty(t, pg.Detail+pg.Where+pg.Hint)
		})
	}
}

func TestPostgresWaitsForALockOnlySoLongAndLeavesNoSettingBehind(t *testing.T) {
	t.Parallel()
	db := dbtest.Open(t, dbtest.EmptyPostgres(t))
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	_, err = newRunner(t, db, with(nil, "0001_initial", `
CREATE TABLE setting AS SELECT current_setting('lock_timeout') AS v;
SET work_mem = '77MB';`)).Up(t.Context(), "")
	require.NoError(t, err)
	var timeout, memory string
	require.NoError(t, db.Raw("SELECT v FROM setting").Scan(&timeout).Error)
	require.Equal(t, "5s", timeout)
	require.NoError(t, db.Raw("SHOW work_mem").Scan(&memory).Error)
	require.NotEqual(t, "77MB", memory)
}

func TestPostgresTriesAgainAfterALockTimeout(t *testing.T) {
	t.Parallel()
	db := dbtest.Open(t, dbtest.EmptyPostgres(t))
	_, err := newRunner(t, db, v1).Up(t.Context(), "")
	require.NoError(t, err)

	// Its own timeout keeps the test short; the first attempt frees the lock by failing.
	impatient := "SET LOCAL lock_timeout = '50ms'; ALTER TABLE a ADD more int;"
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Exec("LOCK TABLE a").Error)
		_, err := newRunner(t, db, with(v1, "0002_more", impatient)).Up(t.Context(), "")
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg)
		require.Equal(t, "55P03", pg.Code)
		return nil
	}))

	held := db.Begin()
	require.NoError(t, held.Exec("LOCK TABLE a").Error)
	_, err = newRunnerThatFrees(t, held, db, with(v1, "0002_more", impatient)).Up(t.Context(), "")
	require.NoError(t, err)
}

func TestPostgresWaitsForAnotherRunUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	db := dbtest.Open(t, dbtest.EmptyPostgres(t))
	require.NoError(t, db.Connection(func(conn *gorm.DB) error {
		conn = conn.Session(&gorm.Session{NewDB: true})
		require.NoError(t, conn.Exec("SELECT pg_advisory_lock(x'6e6f76616d696e64'::bigint)").Error)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := newRunner(t, db, v1).Up(ctx, "")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		return conn.Exec("SELECT pg_advisory_unlock_all()").Error
	}))
	_, err := newRunner(t, db, v1).Up(t.Context(), "")
	require.NoError(t, err)
	require.Eventually(t, func() bool { // until the server has noticed that the session ended
		var locks int64
		require.NoError(t, db.Raw("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "+
			"(SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&locks).Error)
		return locks == 0
	}, time.Minute, 10*time.Millisecond)
}
