package runner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
)

func TestDownUndoesTheNewestFirstAndUpAppliesThemAgain(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		scripts := map[string]string{}
		for id := range v3 {
			scripts[id] = v3[id]
		}
		r := newRunnerWith(t, db, scripts, map[string]string{
			"0001_initial": "DROP TABLE a;", "0002_more": "DROP TABLE b; DELETE FROM a WHERE id = 2;", "0003_last": "DROP TABLE c;",
		})
		_, err := r.Up(t.Context(), "")
		require.NoError(t, err)

		done, err := r.DownBy(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, []string{"0003_last"}, done)
		require.False(t, db.Migrator().HasTable("c"))

		done, err = r.Down(t.Context(), "0002")
		require.NoError(t, err)
		require.Empty(t, done)

		done, err = r.Down(t.Context(), migrations.Base)
		require.NoError(t, err)
		require.Equal(t, []string{"0002_more", "0001_initial"}, done)
		require.False(t, db.Migrator().HasTable("a"))
		require.Zero(t, count(t, db, runner.Table))
		current, _, _, err := r.Current(t.Context())
		require.NoError(t, err)
		require.Nil(t, current)

		_, err = r.DownBy(t.Context(), 1)
		require.ErrorIs(t, err, migrations.ErrUnknownTarget)

		done, err = r.Up(t.Context(), "0002")
		require.NoError(t, err)
		require.Equal(t, []string{"0001_initial", "0002_more"}, done)
		current, head, _, err := r.Current(t.Context())
		require.NoError(t, err)
		require.Equal(t, "0002_more", current.ID)
		require.False(t, head)

		log, err := r.Log(t.Context())
		require.NoError(t, err)
		var story []string
		for _, run := range log {
			story = append(story, run.Direction+" "+run.MigrationID)
			require.Equal(t, "somebody", run.Actor)
			require.Equal(t, "runner", run.Origin)
		}
		require.Equal(t, []string{
			"up 0001_initial", "up 0002_more", "up 0003_last", "down 0003_last", "down 0002_more", "down 0001_initial", "up 0001_initial", "up 0002_more",
		}, story)
	})
}

func TestAFailedDownLeavesTheVersionApplied(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		r := newRunnerWith(t, db, v1, map[string]string{"0001_initial": "DROP TABLE a; SELECT nothing;"})
		_, err := r.Up(t.Context(), "")
		require.NoError(t, err)
		_, err = r.DownBy(t.Context(), 1)
		require.ErrorContains(t, err, "0001_initial")
		require.EqualValues(t, 1, count(t, db, "a"))
		require.EqualValues(t, 1, count(t, db, runner.Table))
	})
}

func TestStampRecordsWithoutRunning(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		r := newRunner(t, db, v3)
		changed, err := r.Stamp(t.Context(), "0002", false)
		require.NoError(t, err)
		require.Equal(t, []string{"0001_initial", "0002_more"}, changed)
		require.False(t, db.Migrator().HasTable("a"))

		done, err := r.Up(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"0003_last"}, done)

		changed, err = r.Stamp(t.Context(), "0001", false)
		require.NoError(t, err)
		require.Equal(t, []string{"0002_more", "0003_last"}, changed)
		require.True(t, db.Migrator().HasTable("c"))
		require.EqualValues(t, 1, count(t, db, runner.Table))

		_, err = r.Stamp(t.Context(), "0009", false)
		require.ErrorIs(t, err, migrations.ErrUnknownTarget)
	})
}

func TestRepairAcceptsAnEditedVersion(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		_, err := newRunner(t, db, v1).Up(t.Context(), "")
		require.NoError(t, err)
		r := newRunner(t, db, with(with(nil, "0001_initial", "SELECT 'edited';"), "0002_more", "CREATE TABLE b (id int);"))
		_, err = r.Up(t.Context(), "")
		require.ErrorIs(t, err, runner.ErrEdited)

		changed, err := r.Repair(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"0001_initial"}, changed)
		changed, err = r.Repair(t.Context())
		require.NoError(t, err)
		require.Empty(t, changed)
		done, err := r.Up(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"0002_more"}, done)

		_, err = newRunner(t, db, v1).Repair(t.Context())
		require.ErrorIs(t, err, runner.ErrUnknownVersion)
	})
}

func TestALogOfTheFirstFormIsCompleted(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		_, err := newRunner(t, db, v1).Up(t.Context(), "")
		require.NoError(t, err)
		for _, column := range []string{"actor", "origin", "compatible", "discarded"} {
			require.NoError(t, db.Exec("ALTER TABLE "+runner.LogTable+" DROP COLUMN "+column).Error)
		}
		r := newRunner(t, db, v2)
		log, err := r.Log(t.Context())
		require.NoError(t, err)
		require.Len(t, log, 1)
		done, err := r.Up(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"0002_more"}, done)
		log, err = r.Log(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"", "somebody"}, []string{log[0].Actor, log[1].Actor})
	})
}

func TestAnOlderProgramWorksOnWhatWasDeclaredCompatible(t *testing.T) {
	t.Parallel()
	const declared = "-- migrate:compatible\n"
	for name, c := range map[string]struct {
		scripts map[string]string
		ahead   []string
		want    error
	}{
		"compatible":   {with(with(v1, "0002_more", declared+"CREATE TABLE b (id int);"), "0003_last", declared+"CREATE TABLE c (id int);"), []string{"0002_more", "0003_last"}, nil},
		"one is not":   {with(with(v1, "0002_more", declared+"CREATE TABLE b (id int);"), "0003_last", "CREATE TABLE c (id int);"), nil, runner.ErrUnknownVersion},
		"the same":     {v1, nil, nil},
		"in its midst": {with(with(nil, "0000_before", declared+"SELECT 1;"), "0001_initial", v1["0001_initial"]), nil, runner.ErrUnknownVersion},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, url string) {
				db := dbtest.Open(t, url)
				_, err := newRunner(t, db, c.scripts).Up(t.Context(), "")
				require.NoError(t, err)
				older := newRunner(t, db, v1)
				ahead, err := older.Ahead(t.Context())
				require.ErrorIs(t, err, c.want)
				require.Equal(t, c.ahead, ahead)
				if len(c.ahead) > 0 {
					_, err = older.DownBy(t.Context(), 1)
					require.ErrorIs(t, err, runner.ErrUnknownVersion)
				}
			})
		})
	}
}

func TestLoadRefusesSQLiteWithoutATransaction(t *testing.T) {
	t.Parallel()
	_, err := migrations.Load(migrationtest.Folder(t, with(nil, "0001_initial", "-- migrate:no-transaction\nSELECT 1;")), migrations.SQLite)
	require.ErrorContains(t, err, "0001_initial.sqlite.up.sql")
}
