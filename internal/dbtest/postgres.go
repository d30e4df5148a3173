package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"
	"github.com/stretchr/testify/require"

	"novamind/internal/scratch"
	"novamind/migrations"
)

// ServerURL is the environment variable that names a server on which tests may create databases. Without it, the
// tests start a server of their own.
const ServerURL = "NOVAMIND_TEST_POSTGRES_URL"

// Postgres returns the URL of a new migrated PostgreSQL database, dropped at the end of the test. It skips the test
// under -short. If there is no server, it fails the test with a text that says how to get one.
func Postgres(tb testing.TB) string {
	tb.Helper()
	s := sharedPostgres(tb)
	require.NoError(tb, s.migratedOnce())
	return s.create(tb, " TEMPLATE "+s.template+" STRATEGY file_copy")
}

// EmptyPostgres is Postgres without a schema.
func EmptyPostgres(tb testing.TB) string {
	tb.Helper()
	return sharedPostgres(tb).create(tb, " TEMPLATE template0")
}

// databases makes databases on one server.
type databases struct {
	server       *url.URL // of a database to connect to first
	admin        *sql.DB  // connections to the server; otherwise, every test would make new ones
	template     string
	migratedOnce func() error // makes the template
}

func newDatabases(server string) (*databases, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL", ServerURL) // err would show the password
	}
	template, err := templateName()
	if err != nil {
		return nil, err
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL", ServerURL)
	}
	s := &databases{server: u, admin: admin, template: template}
	s.migratedOnce = sync.OnceValue(s.makeTemplate)
	return s, nil
}

// shared is the server of this test process.
var shared = sync.OnceValues(func() (*databases, error) {
	if server := os.Getenv(ServerURL); server != "" {
		return newDatabases(server)
	}
	// It serves every test of this process, and ends with it.
	server, err := scratch.Start(context.Background(), Options{})
	if err != nil {
		return nil, explain(err)
	}
	return newDatabases(server.URL())
})

func sharedPostgres(tb testing.TB) *databases {
	tb.Helper()
	if testing.Short() {
		tb.Skip("-short runs SQLite alone")
	}
	s, err := shared()
	require.NoError(tb, err)
	return s
}

// create makes a database and returns its URL.
func (s *databases) create(tb testing.TB, how string) string {
	tb.Helper()
	name := "novamind_test_" + strings.ToLower(rand.Text())
	require.NoError(tb, s.exec("CREATE DATABASE "+name+how))
	tb.Cleanup(func() { require.NoError(tb, s.exec("DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")) })
	return s.url(name)
}

// url returns the URL of the database called name.
func (s *databases) url(name string) string {
	u := *s.server
	u.Path = "/" + name
	return u.String()
}

func (s *databases) exec(statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, statement := range statements {
		if _, err := s.admin.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// makeTemplate migrates the template unless another process did. The template stays on the server for the next run.
// An unfinished template of a process that died is made anew.
func (s *databases) makeTemplate() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.server.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx) // and with it the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", s.template); err != nil {
		return err
	}
	var made bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", s.template).Scan(&made)
	if err != nil || made {
		return err
	}
	unfinished := s.template + "_unfinished"
	if err := s.exec("DROP DATABASE IF EXISTS "+unfinished+" WITH (FORCE)",
		"CREATE DATABASE "+unfinished+" TEMPLATE template0"); err != nil {
		return err
	}
	if err := migrate(s.url(unfinished), migrations.Postgres); err != nil {
		return err
	}
	return s.exec("ALTER DATABASE " + unfinished + " RENAME TO " + s.template)
}

// templateName returns a name that differs for every schema.
func templateName() (string, error) {
	set, err := migrations.Embedded(migrations.Postgres)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, m := range set.Migrations {
		fmt.Fprintln(sum, m.ID, m.Checksum)
	}
	return fmt.Sprintf("novamind_template_%x", sum.Sum(nil)[:8]), nil
}
