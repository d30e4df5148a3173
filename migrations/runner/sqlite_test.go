package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
)

var family = with(nil, "0001_initial", `
CREATE TABLE parent (id integer PRIMARY KEY);
CREATE TABLE child (id integer PRIMARY KEY, parent_id integer NOT NULL REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (10, 1), (20, 2);`)

// oneConnection returns a handle whose next statement uses the runner's connection.
func oneConnection(t *testing.T) *gorm.DB {
	t.Helper()
	db := dbtest.Open(t, dbtest.EmptySQLite(t))
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	return db
}

func requireForeignKeys(t *testing.T, db *gorm.DB) {
	t.Helper()
	var on bool
	require.NoError(t, db.Raw("PRAGMA foreign_keys").Scan(&on).Error)
	require.True(t, on)
}

func TestSQLiteRebuildKeepsTheRowsThatReferToTheTable(t *testing.T) {
	t.Parallel()
	db := oneConnection(t)
	_, err := newRunner(t, db, with(family, "0002_rebuild", `
CREATE TABLE parent_new (id integer PRIMARY KEY, name text NOT NULL DEFAULT '');
INSERT INTO parent_new (id) SELECT id FROM parent;
DROP TABLE parent;
ALTER TABLE parent_new RENAME TO parent;`)).Up(t.Context(), "")
	require.NoError(t, err)
	require.EqualValues(t, 2, count(t, db, "child"))
	requireForeignKeys(t, db)
	require.Error(t, db.Exec("INSERT INTO child VALUES (30, 3)").Error)
}

func TestSQLiteRefusesAVersionThatBreaksAForeignKey(t *testing.T) {
	t.Parallel()
	db := oneConnection(t)
	done, err := newRunner(t, db, with(family, "0002_orphan", "DELETE FROM parent WHERE id = 2;")).Up(t.Context(), "")
	require.ErrorContains(t, err, "0002_orphan: 1 row breaks a foreign key, the first one from child to parent")
	require.Equal(t, []string{"0001_initial"}, done)
	require.EqualValues(t, 2, count(t, db, "parent"))
	requireForeignKeys(t, db)
}

func TestSQLiteEnforcesForeignKeysAfterAFailedAndACancelledRun(t *testing.T) {
	t.Parallel()
	db := oneConnection(t)
	_, err := newRunner(t, db, with(nil, "0001_initial", "SELECT nothing;")).Up(t.Context(), "")
	require.Error(t, err)
	requireForeignKeys(t, db)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	endless := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;"
	_, err = newRunner(t, db, with(nil, "0001_initial", endless)).Up(ctx, "")
	require.Error(t, err)
	requireForeignKeys(t, db)
	_, err = newRunner(t, db, family).Up(t.Context(), "")
	require.NoError(t, err)
}

func TestSQLiteTriesAgainWhileAnotherWrites(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptySQLite(t)
	other := dbtest.Open(t, url)
	db := dbtest.Open(t, url)
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	require.NoError(t, db.Exec("PRAGMA busy_timeout = 10").Error)

	held := other.Begin() // BEGIN IMMEDIATE
	require.NoError(t, held.Error)
	_, err = newRunnerThatFrees(t, held, db, v1).Up(t.Context(), "")
	require.NoError(t, err)
}

func TestSQLiteRunsTriggersWithSeveralStatements(t *testing.T) {
	t.Parallel()
	db := dbtest.Open(t, dbtest.EmptySQLite(t))
	_, err := newRunner(t, db, with(family, "0002_trigger", `
CREATE TABLE seen (id integer);
CREATE TRIGGER parent_seen AFTER INSERT ON parent BEGIN
	INSERT INTO seen VALUES (NEW.id); -- one; two
	INSERT INTO seen VALUES (-NEW.id);
END;
INSERT INTO parent VALUES (3);`)).Up(t.Context(), "")
	require.NoError(t, err)
	require.EqualValues(t, 2, count(t, db, "seen"))
}
