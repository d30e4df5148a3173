package runner_test

import (
	"bytes"
	"database/sql"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
)

// pipe feeds script to a program and returns its output.
func pipe(t *testing.T, script string, program string, args ...string) string {
	t.Helper()
	out, err := piped(script, program, args...)
	require.NoError(t, err, out)
	return out
}

func piped(script string, program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(script)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// tool returns the path of a database's own program, and skips the test if the machine has none.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("there is no " + name + " on this machine")
	}
	return path
}

// states are the rows of the runner's tables, without times and actors.
func states(t *testing.T, db *gorm.DB) []string {
	t.Helper()
	var rows []string
	require.NoError(t, db.Raw("SELECT id FROM "+runner.Table+" ORDER BY id").Scan(&rows).Error)
	var log []string
	require.NoError(t, db.Raw("SELECT migration_id || ' ' || direction || ' ' || checksum || ' ' || compatible FROM "+runner.LogTable+" ORDER BY id").Scan(&log).Error)
	return append(rows, log...)
}

func script(t *testing.T, set migrations.Set, from, to int) string {
	t.Helper()
	text, err := runner.Script(t.Context(), set, from, to, runner.Program{})
	require.NoError(t, err)
	return text
}

func embedded(t *testing.T, engine string) migrations.Set {
	t.Helper()
	set, err := migrations.Embedded(engine)
	require.NoError(t, err)
	return set
}

func TestPostgresIsTheSameByPsqlAsByUp(t *testing.T) {
	t.Parallel()
	psql, dump := tool(t, "psql"), tool(t, "pg_dump")
	set := embedded(t, migrations.Postgres)
	last := len(set.Migrations) - 1
	byUp, byPsql := dbtest.EmptyPostgres(t), dbtest.EmptyPostgres(t)
	r, err := runner.New(dbtest.Open(t, byUp), set, runner.Program{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, err = r.Up(t.Context(), "")
	require.NoError(t, err)

	half := last / 2
	pipe(t, script(t, set, -1, half), psql, "-Xq", byPsql)
	_, err = piped(script(t, set, -1, last), psql, "-Xq", byPsql)
	require.Error(t, err, "it is not where that script starts")
	pipe(t, script(t, set, half, last), psql, "-Xq", byPsql)

	key := regexp.MustCompile(`(?m)^\\(un)?restrict .*$`) // random in newer versions
	schema := func(url string) string { return key.ReplaceAllString(pipe(t, "", dump, "--schema-only", url), "") }
	require.Equal(t, schema(byUp), schema(byPsql))
	require.Equal(t, states(t, dbtest.Open(t, byUp)), states(t, dbtest.Open(t, byPsql)))

	_, err = r.Down(t.Context(), set.Migrations[half].ID)
	require.NoError(t, err)
	pipe(t, script(t, set, last, half), psql, "-Xq", byPsql)
	require.Equal(t, schema(byUp), schema(byPsql))

	other, err := runner.New(dbtest.Open(t, byPsql), set, runner.Program{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	log, err := other.Log(t.Context())
	require.NoError(t, err)
	for _, run := range log {
		require.Equal(t, "offline", run.Origin)
		require.NotEmpty(t, run.Actor)
	}
}

func TestSQLiteIsTheSameByItsShellAsByUp(t *testing.T) {
	t.Parallel()
	shell := tool(t, "sqlite3")
	set := embedded(t, migrations.SQLite)
	last := len(set.Migrations) - 1
	byUp, byShell := dbtest.EmptySQLite(t), filepath.Join(t.TempDir(), "shell.db")
	r, err := runner.New(dbtest.Open(t, byUp), set, runner.Program{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, err = r.Up(t.Context(), "")
	require.NoError(t, err)

	half := last / 2
	pipe(t, script(t, set, -1, half), shell, byShell)
	out, err := piped(script(t, set, -1, last), shell, byShell)
	require.Error(t, err, "it is not where that script starts")
	require.Contains(t, out, "the_database_is_at_the_version_that_this_script_starts_from")
	pipe(t, script(t, set, half, last), shell, byShell)

	schema := func(file string) string { return pipe(t, "", shell, file, ".schema") }
	// The shell may be older than the writer of the file's log, so it gets a copy.
	require.NoError(t, dbtest.Open(t, byUp).Exec("PRAGMA wal_checkpoint(TRUNCATE)").Error)
	content, err := os.ReadFile(strings.TrimPrefix(byUp, "sqlite://"))
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, os.WriteFile(copied, content, 0o600))
	require.Equal(t, schema(copied), schema(byShell))
	require.Equal(t, states(t, dbtest.Open(t, byUp)), states(t, dbtest.Open(t, "sqlite://"+byShell)))
}

// The script checks the ids of the applied versions, not only their number.
func TestOfflineStopsAtAnotherHistory(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		program, args := tool(t, "psql"), []string{"-Xq", url}
		if db.Name() == migrations.SQLite {
			program, args = tool(t, "sqlite3"), []string{strings.TrimPrefix(url, "sqlite://")}
		}
		_, err := newRunner(t, db, v2).Up(t.Context(), "")
		require.NoError(t, err)
		for _, other := range []map[string]string{
			with(v1, "0002_other", "SELECT 1;"),
			with(v1, "0002_more", "SELECT 'edited';"),
		} {
			set, err := migrations.Load(migrationtest.Folder(t, with(other, "0003_last", "CREATE TABLE c (id int);")), db.Name())
			require.NoError(t, err)
			_, err = piped(script(t, set, 1, 2), program, args...)
			require.Error(t, err)
			require.False(t, db.Migrator().HasTable("c"))
		}
		set, err := migrations.Load(migrationtest.Folder(t, v3), db.Name())
		require.NoError(t, err)
		pipe(t, script(t, set, 1, 2), program, args...)
		require.True(t, db.Migrator().HasTable("c"))
	})
}

func TestOfflineSQLiteStopsAtABrokenForeignKey(t *testing.T) {
	t.Parallel()
	shell := tool(t, "sqlite3")
	set, err := migrations.Load(migrationtest.Folder(t, with(family, "0002_orphan", "DELETE FROM parent WHERE id = 2;")), migrations.SQLite)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "n.db")
	out, err := piped(script(t, set, -1, 1), shell, file)
	require.Error(t, err)
	require.Contains(t, out, "foreign_keys_hold")
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	var parents, versions int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM parent), (SELECT count(*) FROM schemamigration)").Scan(&parents, &versions))
	require.Equal(t, []int{2, 1}, []int{parents, versions})
	require.NoError(t, os.Remove(file))
}
