package faults

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/repository"
)

// kill -9 does not lose the data that a power cut would lose, because the page cache survives it. So these tests
// count the syncs before the answers.

func TestSyncPrecedesEachAnswerOfSQLite(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, dbtest.SQLite(t))
	trace := filepath.Join(in.dir, "trace")
	// -D makes the tracer a separate process, so that signals reach the program.
	in.prefix = append([]string{strace(t), "-D", "-qq", "-o", trace}, syncing...)
	s := in.serve()
	requireSyncs(t, s, trace)
	s.stop(syscall.SIGTERM)
}

// PostgreSQL's processes for the program sync the log themselves. Only they are traced.
func TestSyncPrecedesEachAnswerOfPostgreSQL(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs PostgreSQL; -short has SQLite alone")
	}
	path := strace(t)
	postgres := dbtest.NewServer(t, dbtest.Options{Fsync: true})
	admin := dbtest.Open(t, postgres.URL())
	// No other process may write the log, or the traced processes would find it synced already.
	for _, setting := range []string{"autovacuum = off", "wal_writer_delay = '10s'", "bgwriter_lru_maxpages = 0"} {
		require.NoError(t, admin.Exec("ALTER SYSTEM SET "+setting).Error)
	}
	require.NoError(t, admin.Exec("SELECT pg_reload_conf()").Error)
	in := newInstallation(t, postgres.URL())
	trace := filepath.Join(in.dir, "trace")
	follow(t, path, trace, postmaster(t, postgres))
	s := in.serve()
	requireSyncs(t, s, trace)
	s.stop(syscall.SIGTERM)
}

var syncing = []string{"-f", "-e", "trace=fsync,fdatasync"}

func strace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is missing (Debian: apt-get install strace), so syncs can't be counted")
	}
	return path
}

// postmaster returns the id of the process that starts all others of a PostgreSQL server.
func postmaster(t *testing.T, server *dbtest.Server) int {
	t.Helper()
	id, _, _ := strings.Cut(read(t, filepath.Join(server.Dir(), "data", "postmaster.pid")), "\n")
	pid, err := strconv.Atoi(id)
	require.NoError(t, err)
	return pid
}

// follow traces a running process, and all processes that it starts from now on, until the end of the test.
func follow(t *testing.T, path, trace string, pid int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, append([]string{"-p", strconv.Itoa(pid), "-o", trace}, syncing...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // the tracer then releases its processes
	says, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	first, err := bufio.NewReader(says).ReadString('\n')
	require.NoError(t, err)
	if strings.Contains(first, "Operation not permitted") {
		t.Skip("this user may not trace a running process (kernel.yama.ptrace_scope), so PostgreSQL's syncs can't be counted")
	}
	require.Equal(t, fmt.Sprintf("%s: Process %d attached\n", path, pid), first)
}

// requireSyncs sends changes and audited reads one after the other, and requires a finished sync before each answer.
func requireSyncs(t *testing.T, s *server, trace string) {
	t.Helper()
	var made struct{ ID string }
	require.Equal(t, http.StatusCreated, s.do("POST", "/api/v1/patients", somebody, &made))
	one := "/api/v1/patients/" + made.ID
	for _, request := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/api/v1/patients", somebody, http.StatusCreated},
		{"PATCH", one, `{"first_name":"Other %d"}`, http.StatusOK},
		{"GET", one, "", http.StatusOK},
		{"GET", "/api/v1/patients", "", http.StatusOK},
		{"POST", "/api/v1/patients/search", `{"q":"example"}`, http.StatusOK},
		{"GET", "/api/v1/audit-logs", "", http.StatusOK},
	} {
		for n := range 10 {
			body := strings.ReplaceAll(request.body, "%d", strconv.Itoa(n))
			before := syncs(t, trace)
			require.Equal(t, request.want, s.do(request.method, request.path, body, nil))
			require.Greater(t, syncs(t, trace), before, "%s %s was answered before its sync", request.method, request.path)
		}
	}
}

var synced = regexp.MustCompile(`(?m)sync(\(\d+\)| resumed>.*\)) += 0$`)

// syncs counts the syncs that succeeded. strace writes a line before it lets the process continue.
func syncs(t *testing.T, trace string) int {
	t.Helper()
	return len(synced.FindAllString(read(t, trace), -1))
}

// The program overrules a database setting that would not wait for syncs.
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
