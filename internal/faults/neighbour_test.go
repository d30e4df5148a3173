package faults

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
)

// Another process that opens and closes the database must not remove the write-ahead log. SQLite removes the log when
// the last process closes the database, and knows of others by their file locks. A process loses all its locks on a
// file when it closes the file anywhere.
func TestNeighbourLeavesTheWriteAheadLog(t *testing.T) {
	t.Parallel()
	url := dbtest.SQLite(t)
	in := newInstallation(t, url)
	s := in.serve()
	var acknowledged []string
	register := func() {
		for range 5 {
			var made struct{ ID string }
			require.Equal(t, http.StatusCreated, s.do("POST", "/api/v1/patients", somebody, &made))
			acknowledged = append(acknowledged, made.ID)
		}
	}
	register()
	require.True(t, locked(t, url), "the server holds no lock on its database")
	in.run("keys", "status")
	neighbour := dbtest.Open(t, url)
	var n int64
	require.NoError(t, neighbour.Raw("SELECT count(*) FROM patient").Scan(&n).Error)
	require.Equal(t, int64(len(acknowledged)), n)
	pool, err := neighbour.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	register()
	s.stop(syscall.SIGKILL)
	s = in.serve()
	for _, id := range acknowledged {
		require.Equal(t, http.StatusOK, s.do("GET", "/api/v1/patients/"+id, "", nil), "an acknowledged patient is lost")
	}
	s.stop(syscall.SIGTERM)
}

// locked reports whether any process holds a lock on a SQLite database's file.
func locked(t *testing.T, url string) bool {
	t.Helper()
	info, err := os.Stat(strings.TrimPrefix(url, "sqlite://"))
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		t.Skip("/proc/locks can't be read here (it is Linux's), so locks can't be seen")
	}
	return strings.Contains(string(locks), ":"+strconv.FormatUint(stat.Ino, 10)+" ")
}
