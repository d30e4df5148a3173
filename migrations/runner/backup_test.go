package runner_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/migrations/runner"
)

func TestSealedDataIsDroppedAfterABackupAlone(t *testing.T) {
	t.Parallel()
	base := map[string]string{"0001_base": "CREATE TABLE kin (id int, name text); CREATE TABLE backup (created_at timestamp);"}
	next := with(base, "0002_drop", "-- migrate:requires-backup kin\nALTER TABLE kin DROP COLUMN name;")
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		_, err := newRunner(t, db, base).Up(t.Context(), "")
		require.NoError(t, err)
		require.NoError(t, db.Exec("INSERT INTO kin VALUES (1, 'x')").Error)
		record := func(age time.Duration) {
			at := time.Now().UTC().Add(-age).Format("2006-01-02 15:04:05.000000-07:00")
			require.NoError(t, db.Exec("INSERT INTO backup VALUES (?)", at).Error)
		}
		record(25 * time.Hour)
		_, err = newRunner(t, db, next).Up(t.Context(), "")
		require.ErrorIs(t, err, runner.ErrNoBackup)
		require.ErrorContains(t, err, "0002_drop")
		require.True(t, db.Migrator().HasColumn("kin", "name"))

		record(time.Hour)
		done, err := newRunner(t, db, next).Up(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"0002_drop"}, done)
	})
}

// A new installation has no rows to lose.
func TestAnEmptyTableNeedsNoBackup(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		scripts := map[string]string{
			"0001_base": "CREATE TABLE kin (id int, name text);",
			"0002_drop": "-- migrate:requires-backup kin\nALTER TABLE kin DROP COLUMN name;",
		}
		_, err := newRunner(t, dbtest.Open(t, url), scripts).Up(t.Context(), "")
		require.NoError(t, err)
	})
}
