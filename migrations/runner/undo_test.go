package runner_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
)

const (
	envelope = "phi1:00000000:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	chart    = "CREATE TABLE chart (id int, kind text, note text CONSTRAINT chart_note_sealed CHECK (note LIKE 'phi1:%'));"
)

var errStays = errors.New("it stays")

// undoer returns a runner on the applied versions with the given Rows, and its log.
func undoer(t *testing.T, db *gorm.DB, rows runner.Rows, ups, downs map[string]string) (*runner.Runner, *bytes.Buffer) {
	t.Helper()
	fsys := migrationtest.Folder(t, ups)
	for id, sql := range downs {
		for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
			fsys[id+"."+engine+".down.sql"].Data = []byte(sql)
		}
	}
	set, err := migrations.Load(migrationtest.Summed(t, fsys), db.Name())
	require.NoError(t, err)
	var log bytes.Buffer
	r, err := runner.New(db, set, runner.Program{Rows: rows, Vouched: []string{"staff"}}, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	_, err = r.Up(t.Context(), "")
	require.NoError(t, err)
	return r, &log
}

func TestDownLosesNoRowsUnasked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		up, rows, down string
		kept           error  // with KeepRows
		discarded      error  // with DiscardRows
		names          string // the text that the error contains
	}{
		"an empty table":              {chart, "", "DROP TABLE chart;", nil, nil, ""},
		"a table of patients":         {chart, "INSERT INTO chart (id) VALUES (1), (2)", "DROP TABLE chart;", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart: 2 rows"},
		"however it is written":       {chart, "INSERT INTO chart (id) VALUES (1)", "DROP TABLE IF EXISTS\n\"chart\"", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart: 1 row"},
		"under another name":          {chart, "INSERT INTO chart (id) VALUES (1)", "ALTER TABLE chart RENAME TO c; DROP TABLE c;", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart: 1 row"},
		"emptied":                     {chart, "INSERT INTO chart (id) VALUES (1)", "DELETE FROM chart;", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart: 1 row"},
		"a sealed column":             {chart, "INSERT INTO chart (id, note) VALUES (1, '" + envelope + "'), (2, NULL)", "ALTER TABLE chart DROP COLUMN note;", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart.note: 1 row"},
		"a sealed column, empty":      {chart, "INSERT INTO chart (id) VALUES (1)", "ALTER TABLE chart DROP COLUMN note;", nil, nil, ""},
		"a column renamed first":      {chart, "INSERT INTO chart (id, note) VALUES (1, '" + envelope + "')", "ALTER TABLE chart RENAME COLUMN note TO n; ALTER TABLE chart DROP COLUMN n;", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart.note: 1 row"},
		"a patient's plain column":    {chart, "INSERT INTO chart (id, kind) VALUES (1, 'x')", "ALTER TABLE chart DROP COLUMN kind;", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart.kind: 1 row"},
		"rebuilt without a column":    {chart, "INSERT INTO chart (id, note) VALUES (1, '" + envelope + "')", "CREATE TABLE c2 (id int, kind text); INSERT INTO c2 SELECT id, kind FROM chart; DROP TABLE chart; ALTER TABLE c2 RENAME TO chart;", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart.note: 1 row"},
		"rebuilt as it was":           {chart, "INSERT INTO chart (id) VALUES (1)", "CREATE TABLE c2 (id int, kind text, note text); INSERT INTO c2 SELECT * FROM chart; DROP TABLE chart; ALTER TABLE c2 RENAME TO chart;", nil, nil, ""},
		"renamed":                     {chart, "INSERT INTO chart (id, kind) VALUES (1, 'x')", "ALTER TABLE chart RENAME TO c; ALTER TABLE c RENAME COLUMN kind TO sort;", nil, nil, ""},
		"others":                      {"CREATE TABLE visit (id int);", "INSERT INTO visit VALUES (1)", "DROP TABLE visit;", runner.ErrLosesRows, nil, "visit: 1 row"},
		"others' column":              {"CREATE TABLE visit (id int, at int);", "INSERT INTO visit VALUES (1, 1)", "ALTER TABLE visit DROP COLUMN at;", runner.ErrLosesRows, nil, "visit.at: 1 row"},
		"what a log vouches for":      {"CREATE TABLE staff (id int, at int);", "INSERT INTO staff VALUES (1, 1)", "ALTER TABLE staff DROP COLUMN at;", runner.ErrLosesPatients, runner.ErrLosesPatients, "staff.at: 1 row"},
		"declared, and not there":     {chart, "", "-- migrate:drops else\nSELECT 1;", nil, nil, ""},
		"declared beside what it has": {chart, "INSERT INTO chart (id) VALUES (1)", "-- migrate:drops chart\nSELECT 1;", runner.ErrLosesPatients, runner.ErrLosesPatients, "chart: 1 row"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, url string) {
				db := dbtest.Open(t, url)
				// A later version, to show that no version is undone before all were examined.
				ups := map[string]string{"0001_first": c.up, "0002_second": "CREATE TABLE later (id int);"}
				downs := map[string]string{"0001_first": c.down, "0002_second": "DROP TABLE later;"}
				r, _ := undoer(t, db, runner.KeepRows, ups, downs)
				if c.rows != "" {
					require.NoError(t, db.Exec(c.rows).Error)
				}
				done, err := r.Down(t.Context(), migrations.Base)
				require.ErrorIs(t, err, c.kept)
				if c.kept == nil {
					require.Equal(t, []string{"0002_second", "0001_first"}, done)
					return
				}
				require.ErrorContains(t, err, c.names)
				require.Empty(t, done)

				r, log := undoer(t, db, runner.DiscardRows, ups, downs)
				done, err = r.Down(t.Context(), migrations.Base)
				require.ErrorIs(t, err, c.discarded)
				if c.discarded != nil {
					require.Empty(t, done)
					return
				}
				require.Contains(t, log.String(), c.names)
				runs, err := r.Log(t.Context())
				require.NoError(t, err)
				require.Equal(t, c.names, runs[len(runs)-1].Discarded)
			})
		})
	}
}

// A rebuild that copies a column under another name, as SQLite needs it, loses nothing. A rebuild that changes the
// values loses them.
func TestSQLiteRebuildsMayRename(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]error{"id, kind, note": nil, "id, kind, substr(note, 1, 5)": runner.ErrLosesPatients, "id, kind, NULL": runner.ErrLosesPatients} {
		db := dbtest.Open(t, dbtest.EmptySQLite(t))
		r, _ := undoer(t, db, runner.DiscardRows, map[string]string{"0001_first": chart}, map[string]string{"0001_first": `
			CREATE TABLE c2 (id int, kind text, remark text);
			INSERT INTO c2 (id, kind, remark) SELECT ` + list + ` FROM chart; DROP TABLE chart; ALTER TABLE c2 RENAME TO chart;`})
		require.NoError(t, db.Exec("INSERT INTO chart (id, note) VALUES (1, '"+envelope+"')").Error)
		_, err := r.DownBy(t.Context(), 1)
		require.ErrorIs(t, err, want, list)
	}
}

// Losses that PostgreSQL's statements hide have to be declared.
func TestDownRefusesWhatItCantTell(t *testing.T) {
	t.Parallel()
	const hidden = "DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'chart'; END $$;"
	for name, c := range map[string]struct {
		down string
		want error
	}{
		"put together":         {hidden, runner.ErrUntold},
		"declared":             {"-- migrate:drops chart\n" + hidden, runner.ErrLosesPatients},
		"declared as nothing":  {"-- migrate:drops nothing\nDO $$ BEGIN EXECUTE 'SELECT 1'; END $$;", nil},
		"without saying what":  {"-- migrate:drops\n" + hidden, runner.ErrUntold},
		"a block that one can": {"DO $$ BEGIN IF true THEN DROP TABLE chart; END IF; END $$;", runner.ErrLosesPatients},
		"a table nobody made":  {"DROP TABLE IF EXISTS other;", runner.ErrUntold},
		"a schema":             {"DROP SCHEMA public CASCADE;", runner.ErrUntold},
		"truncated":            {"TRUNCATE chart;", runner.ErrLosesPatients},
		"broken":               {"DRP TABLE chart;", runner.ErrUntold},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := dbtest.Open(t, dbtest.EmptyPostgres(t))
			r, _ := undoer(t, db, runner.DiscardRows, map[string]string{"0001_first": chart}, map[string]string{"0001_first": c.down})
			require.NoError(t, db.Exec("INSERT INTO chart (id) VALUES (1)").Error)
			_, err := r.DownBy(t.Context(), 1)
			require.ErrorIs(t, err, c.want)
			require.EqualValues(t, 1, count(t, db, "chart"))
		})
	}
}

// The second look sees a row that was added after the first look.
func TestDownLooksAgainWhileNobodyCanWrite(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		late := "INSERT INTO visit VALUES (1);" // as another session might
		r, _ := undoer(t, db, runner.KeepRows, map[string]string{"0001_first": "CREATE TABLE visit (id int);", "0002_second": "SELECT 1;"},
			map[string]string{"0001_first": "DROP TABLE visit;", "0002_second": late})
		done, err := r.Down(t.Context(), migrations.Base)
		require.ErrorIs(t, err, runner.ErrLosesRows)
		require.Equal(t, []string{"0002_second"}, done)
		require.EqualValues(t, 1, count(t, db, "visit"))
	})
}

// The questions about rows that must stay come before anything is undone.
func TestDownAsksForEveryVersionFirst(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		set, err := migrations.Load(migrationtest.Folder(t, v3), db.Name())
		require.NoError(t, err)
		r, err := runner.New(db, set, runner.Program{Rows: runner.DiscardRows, Lasting: func(id string) *runner.Lasting {
			if id == "0001_initial" {
				return &runner.Lasting{Table: "a", Where: "id > 1", Refusal: func(int64) error { return errStays }}
			}
			return nil
		}}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		_, err = r.Up(t.Context(), "")
		require.NoError(t, err)
		done, err := r.Down(t.Context(), migrations.Base)
		require.ErrorIs(t, err, errStays)
		require.Empty(t, done)
	})
}

func TestStampForgetsUnknownVersionsWhenAsked(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		_, err := newRunner(t, db, v3).Up(t.Context(), "")
		require.NoError(t, err)
		r := newRunner(t, db, v2)
		_, err = r.Stamp(t.Context(), "head", false)
		require.ErrorIs(t, err, runner.ErrUnknownVersion)
		require.ErrorContains(t, err, "stamp --purge")
		current, _, unknown, err := r.Current(t.Context())
		require.NoError(t, err)
		require.Equal(t, "0002_more", current.ID)
		require.Equal(t, []string{"0003_last"}, unknown)

		changed, err := r.Stamp(t.Context(), "head", true)
		require.NoError(t, err)
		require.Equal(t, []string{"0003_last"}, changed)
		done, err := r.Up(t.Context(), "")
		require.NoError(t, err)
		require.Empty(t, done)
		runs, err := r.Log(t.Context())
		require.NoError(t, err)
		require.Equal(t, "unstamp", runs[len(runs)-1].Direction)
		require.NotEmpty(t, runs[len(runs)-1].Checksum)
	})
}

// The printed script asks the same questions as Down, and stops.
func TestOfflineDownLosesNoRowsUnasked(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		program, args := tool(t, "psql"), []string{"-Xq", url}
		if db.Name() == migrations.SQLite {
			program, args = tool(t, "sqlite3"), []string{strings.TrimPrefix(url, "sqlite://")}
		}
		fsys := migrationtest.Folder(t, map[string]string{"0001_first": chart, "0002_second": "CREATE TABLE visit (id int);"})
		for file, sql := range map[string]string{"0001_first": "DROP TABLE chart;", "0002_second": "DROP TABLE visit;"} {
			fsys[file+"."+db.Name()+".down.sql"].Data = []byte(sql)
		}
		set, err := migrations.Load(migrationtest.Summed(t, fsys), db.Name())
		require.NoError(t, err)
		_, err = newRunnerOf(t, db, set).Up(t.Context(), "")
		require.NoError(t, err)
		require.NoError(t, db.Exec("INSERT INTO visit VALUES (1)").Error)
		require.NoError(t, db.Exec("INSERT INTO chart (id) VALUES (1)").Error)

		out, err := piped(script(t, set, 1, -1), program, args...)
		require.Error(t, err)
		require.Contains(t, out, "rows of visit would be lost")
		require.EqualValues(t, 1, count(t, db, "visit"))
		discarding, err := runner.Script(t.Context(), set, 1, -1, runner.Program{Rows: runner.DiscardRows})
		require.NoError(t, err)
		out, err = piped(discarding, program, args...)
		require.Error(t, err)
		require.Contains(t, out, "rows of chart would be lost")
		require.EqualValues(t, 1, count(t, db, "visit"), "it asks before the first version is undone")
		require.EqualValues(t, 1, count(t, db, "chart"))
	})
}

// The printed script measures the tables that stay, and asks for Lasting rows before its first statement.
func TestOfflineDownMeasures(t *testing.T) {
	t.Parallel()
	lasting := func(string) *runner.Lasting { return &runner.Lasting{Table: "visit", Where: "id > 1"} }
	for name, c := range map[string]struct {
		down    string
		lasting func(string) *runner.Lasting
		want    string
	}{
		"other values":     {"UPDATE chart SET kind = 'z';", nil, "rows or values of chart would be lost"},
		"fewer rows":       {"DELETE FROM visit WHERE id = (SELECT max(id) FROM visit);", nil, "would be lost"},
		"fewer values":     {"UPDATE visit SET at = NULL;", nil, "rows or values of visit would be lost"},
		"nothing":          {"UPDATE visit SET at = at + 1;", nil, ""},
		"what has to last": {"SELECT 1;", lasting, "rows of visit would be lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, url string) {
				db := dbtest.Open(t, url)
				program, args := tool(t, "psql"), []string{"-Xq", url}
				if db.Name() == migrations.SQLite {
					program, args = tool(t, "sqlite3"), []string{strings.TrimPrefix(url, "sqlite://")}
				}
				fsys := migrationtest.Folder(t, map[string]string{"0001_first": chart + "CREATE TABLE visit (id int, at int);", "0002_second": "SELECT 1;"})
				fsys["0002_second."+db.Name()+".down.sql"].Data = []byte(c.down)
				set, err := migrations.Load(migrationtest.Summed(t, fsys), db.Name())
				require.NoError(t, err)
				_, err = newRunnerOf(t, db, set).Up(t.Context(), "")
				require.NoError(t, err)
				require.NoError(t, db.Exec("INSERT INTO visit VALUES (1, 1), (2, 2)").Error)
				require.NoError(t, db.Exec("INSERT INTO chart (id, kind) VALUES (1, 'x')").Error)
				text, err := runner.Script(t.Context(), set, 1, 0, runner.Program{Lasting: c.lasting})
				require.NoError(t, err)
				out, err := piped(text, program, args...)
				if c.want == "" {
					require.NoError(t, err, out)
					return
				}
				require.Error(t, err)
				require.Contains(t, out, c.want)
				require.EqualValues(t, 2, count(t, db, runner.Table))
				require.EqualValues(t, 2, count(t, db, "visit"))
			})
		})
	}
}
