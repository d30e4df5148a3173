package dbtest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/migrations"
)

// sqlitePragmas are the pragmas of the program's own databases.
const sqlitePragmas = "?_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=busy_timeout(10000)&_txlock=immediate"

// SQLite returns the URL of a new migrated SQLite database, removed at the end of the test.
func SQLite(tb testing.TB) string {
	tb.Helper()
	template, err := sqliteTemplate()
	require.NoError(tb, err)
	path := filepath.Join(tb.TempDir(), "novamind.db")
	require.NoError(tb, os.WriteFile(path, template, 0o600))
	return "sqlite://" + path
}

// EmptySQLite returns the URL of a SQLite database that does not exist yet, removed at the end of the test.
func EmptySQLite(tb testing.TB) string {
	tb.Helper()
	return "sqlite://" + filepath.Join(tb.TempDir(), "novamind.db")
}

// sqliteTemplate is the content of a migrated database. The database was closed, so the write-ahead log is empty.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "novamind-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite://"+path, migrations.SQLite); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
