package faults

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
)

// Every change that the server acknowledged exists after kill -9, with its event. No event exists without its
// patient.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		in := newInstallation(t, url)
		db := dbtest.Open(t, url)
		for range rounds {
			s := in.serve()
			l := writing(s)
			s.stop(syscall.SIGKILL)
			l.end()
			s = in.serve()
			requireKept(s, l, db)
			requirePaired(s, db)
			s.stop(syscall.SIGTERM)
			requireSound(in, db)
			t.Logf("%d acknowledged, %d shown", len(l.acknowledged), len(l.shown))
		}
	})
}

// Killing PostgreSQL under a running server loses no acknowledged change. Clients are told to come back later. Once
// PostgreSQL runs again, the same server answers them.
func TestKilledPostgreSQL(t *testing.T) {
	t.Parallel()
	postgres := dbtest.NewServer(t, dbtest.Options{Fsync: true})
	in := newInstallation(t, postgres.URL())
	s := in.serve()
	for round := range 2 * rounds {
		l := writing(s)
		if round%2 == 0 {
			postgres.Kill(t)
			l.end()
			postgres.Start(t)
		} else { // PostgreSQL restarts by itself, perhaps before a client notices
			killBackend(t, postgres)
			l.end()
		}
		for status := range l.refused {
			require.Equal(t, http.StatusServiceUnavailable, status, "PostgreSQL's end is no fault of the request or of the program\n%s",
				errorLines(s))
		}
		awaitReady(s)
		db := dbtest.Open(t, postgres.URL())
		requireKept(s, l, db)
		requirePaired(s, db)
		requireSound(in, db)
		t.Logf("%d acknowledged, %d shown", len(l.acknowledged), len(l.shown))
	}
	s.stop(syscall.SIGTERM)
}

// errorLines returns the log lines of requests that failed because of the server.
func errorLines(s *server) string {
	return strings.Join(regexp.MustCompile(`(?m)^.*level=ERROR msg=request .*status=500.*$`).FindAllString(read(s.t, s.output), -1), "\n")
}

// killBackend kills one of the processes that serve the program. PostgreSQL then ends all of them and recovers from
// its log.
func killBackend(t *testing.T, postgres *dbtest.Server) {
	t.Helper()
	var pid int
	require.NoError(t, dbtest.Open(t, postgres.URL()).
		Raw("SELECT pid FROM pg_stat_activity WHERE application_name = 'novamind' ORDER BY random() LIMIT 1").Scan(&pid).Error)
	process, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, process.Kill(), "backend "+strconv.Itoa(pid))
}

// awaitReady returns when the server has its database again, on each of its open connections.
func awaitReady(s *server) {
	s.t.Helper()
	for range clients {
		require.Eventually(s.t, func() bool {
			return s.do("GET", "/readyz", "", nil) == http.StatusOK && s.do("GET", "/api/v1/auth/me", "", nil) == http.StatusOK
		}, time.Minute, 10*time.Millisecond, "the server does not find PostgreSQL again")
	}
}

// requireSound verifies the audit log and the records against it. It also requires that each event is exactly one
// leaf.
func requireSound(in *installation, db *gorm.DB) {
	in.t.Helper()
	in.run("audit", "verify", "--rows")
	var strays int64
	require.NoError(in.t, db.Raw(`SELECT (SELECT count(*) FROM auditlog) - (SELECT count(*) FROM auditleaf) - (SELECT count(*) FROM auditoutbox)
		+ (SELECT count(*) - count(DISTINCT event_id) FROM auditleaf)`).Scan(&strays).Error)
	require.Zero(in.t, strays, "an event is one leaf, or waits to become one")
}
