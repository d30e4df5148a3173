package faults

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
)

// Another process that opens the database and goes again must not take the write-ahead log with it: SQLite removes it when the last one
// leaves, and knows of the others by their file locks, all of which a process loses when it closes the file anywhere.
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
	in.run("keys", "status")
	t.Run("neighbour", func(t *testing.T) { //nolint:paralleltest // it opens, reads and closes between the writes
		var n int64
		require.NoError(t, dbtest.Open(t, url).Raw("SELECT count(*) FROM patient").Scan(&n).Error)
		require.Equal(t, int64(len(acknowledged)), n)
	})
	register()
	s.stop(syscall.SIGKILL)
	s = in.serve()
	for _, id := range acknowledged {
		require.Equal(t, http.StatusOK, s.do("GET", "/api/v1/patients/"+id, "", nil), "an acknowledged patient is lost")
	}
	s.stop(syscall.SIGTERM)
}
