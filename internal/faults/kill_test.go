package faults

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
)

const somebody = `{"first_name":"Kay","last_name":"Example","date_of_birth":"1980-02-03","contact_info":{"phone":"212-555-0123"}}`

// What the server acknowledged is there after kill -9, with its event; and no event is there without its patient.
func TestKill(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		in := newInstallation(t, url)
		for range rounds {
			s := in.serve()
			acknowledged := killDuringWrites(s)
			require.NotEmpty(t, acknowledged)
			s = in.serve()
			for _, id := range acknowledged {
				require.Equal(t, http.StatusOK, s.do("GET", "/api/v1/patients/"+id, "", nil), "an acknowledged patient is lost")
				var log struct{ Items []struct{ Outcome string } }
				require.Equal(t, http.StatusOK, s.do("GET", "/api/v1/audit-logs?action=create&entity_id="+id, "", &log))
				require.Len(t, log.Items, 1, "an acknowledged patient has one event")
			}
			s.stop(syscall.SIGTERM)
			t.Logf("%d acknowledged", len(acknowledged))
		}
		db := dbtest.Open(t, url)
		var stray int64
		require.NoError(t, db.Raw(`SELECT (SELECT count(*) FROM patient p WHERE NOT EXISTS
				(SELECT 1 FROM auditlog a WHERE a.entity_id = p.id AND a.action = 'create' AND a.outcome = 'success'))
			+ (SELECT count(*) FROM auditlog a WHERE a.entity_type = 'patient' AND a.action = 'create' AND a.outcome = 'success'
				AND NOT EXISTS (SELECT 1 FROM patient p WHERE p.id = a.entity_id))`).Scan(&stray).Error)
		require.Zero(t, stray, "patients without events, or events without patients")
	})
}

// killDuringWrites kills the server while 16 clients register patients, and returns the ids that it acknowledged.
func killDuringWrites(s *server) []string {
	var mu sync.Mutex
	var acknowledged []string
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for {
				var made struct{ ID string }
				if s.do("POST", "/api/v1/patients", somebody, &made) != http.StatusCreated {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, made.ID)
				mu.Unlock()
			}
		})
	}
	for enough := false; !enough; {
		time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		mu.Lock()
		enough = len(acknowledged) > 0
		mu.Unlock()
	}
	s.stop(syscall.SIGKILL)
	clients.Wait()
	return acknowledged
}
