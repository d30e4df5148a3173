// Package dbtest gives tests real databases: a new one for each test, on each engine, removed afterwards. Under
// -short there is only SQLite.
package dbtest

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	_ "novamind/internal/sqlitedriver" // the driver named "sqlite"
	"novamind/migrations"
)

// Engine makes databases of one kind. Both functions return a URL in the form of database.url.
type Engine struct {
	Name  string                  // as in migrations
	URL   func(testing.TB) string // a migrated database
	Empty func(testing.TB) string // a database without a schema
}

// OnlyPostgres is the environment variable that, if set, leaves SQLite out of Engines. `make test` sets it for the
// race detector, which would spend most of its time in SQLite's own code.
const OnlyPostgres = "NOVAMIND_TEST_ONLY_POSTGRES"

// Engines returns the engines that tests run on: both, only SQLite under -short, or only PostgreSQL with
// OnlyPostgres.
func Engines() []Engine {
	onSQLite := Engine{Name: migrations.SQLite, URL: SQLite, Empty: EmptySQLite}
	onPostgres := Engine{Name: migrations.Postgres, URL: Postgres, Empty: EmptyPostgres}
	switch {
	case testing.Short():
		return []Engine{onSQLite}
	case os.Getenv(OnlyPostgres) != "":
		return []Engine{onPostgres}
	default:
		return []Engine{onSQLite, onPostgres}
	}
}

// Run runs test as a parallel subtest on each engine, with the URL of a migrated database of its own.
func Run(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for _, engine := range Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			test(t, engine.URL(t))
		})
	}
}

// Open returns a plain gorm handle on url, without hooks or plugins. The handle is closed at the end of the test.
func Open(tb testing.TB, url string) *gorm.DB {
	tb.Helper()
	db, err := open(url)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = closeDB(db) })
	return db
}

func open(address string) (*gorm.DB, error) {
	config := &gorm.Config{Logger: logger.Discard}
	if path, ok := strings.CutPrefix(address, "sqlite://"); ok {
		// t.TempDir keeps "#" and "%" of test names, which have another meaning in a file: URI.
		dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + sqlitePragmas
		return gorm.Open(&sqlite.Dialector{DriverName: "sqlite", DSN: dsn}, config)
	}
	return gorm.Open(postgres.Open(address), config)
}

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}
