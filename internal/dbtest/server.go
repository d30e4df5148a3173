package dbtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/scratch"
	"novamind/migrations"
)

// Options are the differences of a temporary server from the fast server that tests share.
type Options = scratch.Options

// Server is a temporary PostgreSQL of one test. It ends with the test process, however that process ends.
type Server struct{ server *scratch.Server }

// NewServer starts a server for one test, for tests that kill their server. The database has no schema.
func NewServer(tb testing.TB, options Options) *Server {
	tb.Helper()
	if testing.Short() {
		tb.Skip("-short runs SQLite alone")
	}
	server, err := scratch.Start(tb.Context(), options)
	require.NoError(tb, explain(err))
	tb.Cleanup(func() { require.NoError(tb, server.Close()) })
	return &Server{server}
}

// URL returns the URL of the server's own database, as its superuser.
func (s *Server) URL() string { return s.server.URL() }

// Dir returns the server's folder: its data is in data, its log in log.
func (s *Server) Dir() string { return s.server.Dir() }

// Kill ends the server with SIGKILL, and returns once the server is gone. Start starts it again.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.server.Kill())
}

// Start starts a killed server on its existing data.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.server.Restart(tb.Context()))
}

// Migrate brings the server's own database to the newest version.
func (s *Server) Migrate(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, migrate(s.URL(), migrations.Postgres))
}

// explain adds the alternatives for tests to the error of a machine without PostgreSQL.
func explain(err error) error {
	if !errors.Is(err, scratch.ErrNoPostgres) {
		return err
	}
	return fmt.Errorf("these tests need PostgreSQL: %w; or set %s to a server on which they may create databases, or run SQLite alone (go test -short)",
		err, ServerURL)
}
