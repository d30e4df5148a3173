package runner_test

import (
	"context"
	"io/fs"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
)

// Three versions that both engines understand.
var (
	v1 = map[string]string{"0001_initial": "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);"}
	v2 = with(v1, "0002_more", "CREATE TABLE b (id int);\nINSERT INTO a VALUES (2);")
	v3 = with(v2, "0003_last", "CREATE TABLE c (id int);")
)

// with returns scripts and one more script.
func with(scripts map[string]string, id, sql string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, scripts)
	all[id] = sql
	return all
}

// onEachEngine runs test on an empty database of each kind.
func onEachEngine(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for _, engine := range dbtest.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			test(t, engine.Empty(t))
		})
	}
}

func newRunner(t *testing.T, db *gorm.DB, scripts map[string]string) *runner.Runner {
	t.Helper()
	return runnerOf(t, db, migrationtest.Folder(t, scripts))
}

// whenWaiting is a log that calls a function for each warning: the runner warns when a lock was held.
type whenWaiting func()

func (f whenWaiting) Write(line []byte) (int, error) {
	f()
	return len(line), nil
}

// newRunnerThatFrees is newRunner, but rolls back held, which holds a lock, after the runner's first try failed.
func newRunnerThatFrees(t *testing.T, held, db *gorm.DB, scripts map[string]string) *runner.Runner {
	t.Helper()
	set, err := migrations.Load(migrationtest.Folder(t, scripts), db.Name())
	require.NoError(t, err)
	waited := false
	t.Cleanup(func() { require.True(t, waited, "the runner met the lock") })
	log := slog.New(slog.NewTextHandler(whenWaiting(func() {
		waited = true
		held.Rollback()
	}), &slog.HandlerOptions{Level: slog.LevelWarn}))
	r, err := runner.New(db, set, runner.Program{Version: "1.2.3", Actor: "somebody", Rows: runner.DiscardRows}, log)
	require.NoError(t, err)
	return r
}

// newRunnerWith is newRunner with down scripts.
func newRunnerWith(t *testing.T, db *gorm.DB, ups, downs map[string]string) *runner.Runner {
	t.Helper()
	fsys := migrationtest.Folder(t, ups)
	for id, sql := range downs {
		for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
			fsys[id+"."+engine+".down.sql"].Data = []byte(sql)
		}
	}
	return runnerOf(t, db, migrationtest.Summed(t, fsys))
}

func runnerOf(t *testing.T, db *gorm.DB, fsys fs.FS) *runner.Runner {
	t.Helper()
	set, err := migrations.Load(fsys, db.Name())
	require.NoError(t, err)
	r, err := runner.New(db, set, runner.Program{Version: "1.2.3", Actor: "somebody", Rows: runner.DiscardRows}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return r
}

func count(t *testing.T, db *gorm.DB, table string) int64 {
	t.Helper()
	var n int64
	require.NoError(t, db.Table(table).Count(&n).Error)
	return n
}

func TestUpAppliesEachVersionOnceAndLogsIt(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		before := time.Now().Add(-time.Second)
		done, err := newRunner(t, db, v2).Up(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"0001_initial", "0002_more"}, done)

		done, err = newRunner(t, db, v3).Up(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"0003_last"}, done)
		require.EqualValues(t, 2, count(t, db, "a"))
		require.EqualValues(t, 3, count(t, db, runner.Table))

		done, err = newRunner(t, db, v3).Up(t.Context(), "")
		require.NoError(t, err)
		require.Empty(t, done)

		var log []struct {
			MigrationID, Checksum, Direction, ProgramVersion string
			AppliedAt                                        time.Time
			DurationMs                                       int64
		}
		require.NoError(t, db.Table(runner.LogTable).Order("id").Find(&log).Error)
		require.Len(t, log, 3)
		require.Equal(t, "0001_initial", log[0].MigrationID)
		require.Equal(t, "up", log[0].Direction)
		require.Equal(t, "1.2.3", log[0].ProgramVersion)
		require.Len(t, log[0].Checksum, 64)
		require.WithinRange(t, log[0].AppliedAt, before, time.Now())
	})
}

func TestUpStopsAtTheTarget(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		r := newRunner(t, dbtest.Open(t, url), v3)
		_, err := r.Up(t.Context(), "0009")
		require.ErrorIs(t, err, migrations.ErrUnknownTarget)

		done, err := r.Up(t.Context(), "0001")
		require.NoError(t, err)
		require.Equal(t, []string{"0001_initial"}, done)

		done, err = r.Up(t.Context(), "0002_more")
		require.NoError(t, err)
		require.Equal(t, []string{"0002_more"}, done)

		done, err = r.Up(t.Context(), "0001")
		require.NoError(t, err)
		require.Empty(t, done)
	})
}

func TestStatusOfEachVersion(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		states, err := newRunner(t, db, v2).Status(t.Context())
		require.NoError(t, err)
		require.Equal(t, []runner.State{
			{Version: "0001", Name: "initial", ID: "0001_initial"}, {Version: "0002", Name: "more", ID: "0002_more"},
		}, states)

		_, err = newRunner(t, db, v2).Up(t.Context(), "")
		require.NoError(t, err)

		other := with(with(nil, "0001_initial", "SELECT 'edited';"), "0003_last", "SELECT 3;")
		states, err = newRunner(t, db, other).Status(t.Context())
		require.NoError(t, err)
		for i := range states {
			require.Equal(t, states[i].Applied, states[i].AppliedAt != nil)
			states[i].AppliedAt = nil
		}
		require.Equal(t, []runner.State{
			{Version: "0001", Name: "initial", ID: "0001_initial", Applied: true, Edited: true},
			{Version: "0002", Name: "more", ID: "0002_more", Applied: true, Unknown: true},
			{Version: "0003", Name: "last", ID: "0003_last"},
		}, states)

		pending, err := newRunner(t, db, v3).Pending(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, pending)
	})
}

func TestStatusFailsWithoutADatabase(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		pool, err := db.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
		_, err = newRunner(t, db, v1).Status(t.Context())
		require.Error(t, err)
		_, err = newRunner(t, db, v1).Pending(t.Context())
		require.Error(t, err)
	})
}

func TestAFailedVersionIsRolledBackWhole(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		broken := with(v2, "0003_broken", "CREATE TABLE c (id int);\nINSERT INTO a VALUES (3);\nINSERT INTO a VALUES (1);")
		done, err := newRunner(t, db, broken).Up(t.Context(), "")
		require.ErrorContains(t, err, "0003_broken")
		require.Equal(t, []string{"0001_initial", "0002_more"}, done)
		require.EqualValues(t, 2, count(t, db, "a"))
		require.False(t, db.Migrator().HasTable("c"))
		require.EqualValues(t, 2, count(t, db, runner.Table))
		require.EqualValues(t, 2, count(t, db, runner.LogTable))

		done, err = newRunner(t, db, v3).Up(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []string{"0003_last"}, done)
	})
}

func TestAFailedFirstVersionLeavesNothing(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		_, err := newRunner(t, db, with(nil, "0001_initial", "CREATE TABLE a (id int); SELECT nothing;")).Up(t.Context(), "")
		require.ErrorContains(t, err, "0001_initial")
		tables, err := db.Migrator().GetTables()
		require.NoError(t, err)
		for _, table := range tables {
			require.Contains(t, table, "sqlite_")
		}
	})
}

func TestUpRefusesAHistoryThatDoesNotFit(t *testing.T) {
	t.Parallel()
	next := with(v2, "0003_last", "CREATE TABLE never (id int);")
	for name, c := range map[string]struct {
		applied, program map[string]string
		want             error
		names            string
	}{
		"unknown":      {v2, with(v1, "0003_last", "CREATE TABLE never (id int);"), runner.ErrUnknownVersion, "0002_more"},
		"renamed":      {v1, with(nil, "0001_other", v1["0001_initial"]), runner.ErrUnknownVersion, "0001_initial"},
		"edited":       {v2, with(next, "0002_more", "CREATE TABLE b (id int, more int);"), runner.ErrEdited, "0002_more"},
		"out of order": {with(v1, "0003_last", next["0003_last"]), next, runner.ErrOutOfOrder, "0002_more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, url string) {
				db := dbtest.Open(t, url)
				_, err := newRunner(t, db, c.applied).Up(t.Context(), "")
				require.NoError(t, err)
				tables, err := db.Migrator().GetTables()
				require.NoError(t, err)

				done, err := newRunner(t, db, c.program).Up(t.Context(), "")
				require.ErrorIs(t, err, c.want)
				require.ErrorContains(t, err, c.names)
				require.Empty(t, done)
				after, err := db.Migrator().GetTables()
				require.NoError(t, err)
				require.ElementsMatch(t, tables, after)
			})
		})
	}
}

func TestAnAppliedVersionThatWasNeverLoggedCountsAsEdited(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		_, err := newRunner(t, db, v1).Up(t.Context(), "")
		require.NoError(t, err)
		require.NoError(t, db.Exec("INSERT INTO "+runner.Table+" VALUES ('0002_more')").Error)
		_, err = newRunner(t, db, v2).Up(t.Context(), "")
		require.ErrorIs(t, err, runner.ErrEdited)
	})
}

func TestManyRunnersApplyEachVersionOnce(t *testing.T) {
	t.Parallel()
	for range 3 {
		onEachEngine(t, func(t *testing.T, url string) {
			var runners errgroup.Group
			total := make(chan int, 8)
			for range 8 {
				r := newRunner(t, dbtest.Open(t, url), v3)
				runners.Go(func() error {
					done, err := r.Up(context.Background(), "")
					total <- len(done)
					return err
				})
			}
			require.NoError(t, runners.Wait())
			close(total)
			sum := 0
			for n := range total {
				sum += n
			}
			require.Equal(t, 3, sum)
			db := dbtest.Open(t, url)
			require.EqualValues(t, 3, count(t, db, runner.LogTable))
			require.EqualValues(t, 2, count(t, db, "a"))
		})
	}
}

func TestUpEndsWithItsContext(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := newRunner(t, db, v1).Up(ctx, "")
		require.ErrorIs(t, err, context.Canceled)
		_, err = newRunner(t, db, v1).Up(t.Context(), "")
		require.NoError(t, err)
	})
}

func TestSQLIsSentAsItIs(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		sql := "CREATE TABLE q (v text); -- ? @name $1 :x\nINSERT INTO q VALUES ('? @name $1 :x %s; ''é''');"
		_, err := newRunner(t, db, with(nil, "0001_initial", sql)).Up(t.Context(), "")
		require.NoError(t, err)
		var got string
		require.NoError(t, db.Raw("SELECT v FROM q").Scan(&got).Error)
		require.Equal(t, "? @name $1 :x %s; 'é'", got)
	})
}

func TestNewRunnerRefusesTheOtherEnginesSet(t *testing.T) {
	t.Parallel()
	set, err := migrations.Load(migrationtest.Folder(t, v1), migrations.Postgres)
	require.NoError(t, err)
	_, err = runner.New(dbtest.Open(t, dbtest.EmptySQLite(t)), set, runner.Program{}, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "postgres")
}
