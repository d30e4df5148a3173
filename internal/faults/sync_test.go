package faults

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/repository"
)

// kill -9 does not show what a power cut loses, since the page cache survives it: so the syncs before the answers are counted.
func TestSyncPrecedesEachAnswer(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is missing (Debian: apt-get install strace), so syncs can't be counted")
	}
	in := newInstallation(t, dbtest.SQLite(t))
	trace := filepath.Join(in.dir, "trace")
	// -D: the tracer steps aside, so that signals reach the program.
	in.prefix = []string{strace, "-D", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", trace}
	s := in.serve()
	var made struct{ ID string }
	const requests = 10
	for _, request := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/api/v1/patients", somebody, http.StatusCreated},
		{"GET", "/api/v1/patients", "", http.StatusOK},
	} {
		for range requests {
			before := syncs(t, trace)
			require.Equal(t, request.want, s.do(request.method, request.path, request.body, &made))
			require.Greater(t, syncs(t, trace), before, "%s was answered before its sync", request.method)
		}
	}
	s.stop(syscall.SIGTERM)
}

func syncs(t *testing.T, trace string) int {
	t.Helper()
	content, err := os.ReadFile(trace)
	require.NoError(t, err)
	return bytes.Count(content, []byte("sync("))
}

// On PostgreSQL the server syncs; a database that was told not to is overruled.
func TestPostgreSQLCommitsSynchronously(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs PostgreSQL; -short has SQLite alone")
	}
	url := dbtest.Postgres(t)
	admin := dbtest.Open(t, url)
	require.NoError(t, admin.Exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`).Error)
	cfg := config.Default().Database
	db, err := repository.Connect(t.Context(), cfg, url, nil)
	require.NoError(t, err)
	var setting string
	require.NoError(t, db.Raw("SHOW synchronous_commit").Scan(&setting).Error)
	require.Equal(t, "on", setting)
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
}
