package faults

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

const somebody = `{"allow_duplicate":true,"duplicate_reason":"not the same","first_name":"Kay","last_name":"Example","date_of_birth":"1980-02-03","contact_info":{"phone":"212-555-0123"}}`

// clients is the number of clients that write at once.
const clients = 16

// load is a set of clients that register patients and read them again. Each continues until it is refused or the load
// ends.
type load struct {
	running      sync.WaitGroup
	ending       atomic.Bool
	mu           sync.Mutex
	acknowledged []string    // ids
	shown        []string    // ids of the requests that showed a patient
	refused      map[int]int // status → clients; 0: no answer
}

// writing starts clients and returns at a random moment, with some patients acknowledged and all clients at work.
func writing(s *server) *load {
	l := &load{refused: map[int]int{}}
	for range clients {
		l.running.Go(func() { l.register(s) })
	}
	for enough := false; !enough; {
		time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		l.mu.Lock()
		enough = len(l.acknowledged) > 0
		l.mu.Unlock()
	}
	return l
}

func (l *load) register(s *server) {
	for !l.ending.Load() {
		var made struct{ ID string }
		status := s.do("POST", "/api/v1/patients", somebody, &made)
		l.mu.Lock()
		if status == http.StatusCreated {
			l.acknowledged = append(l.acknowledged, made.ID)
		} else {
			l.refused[status]++
		}
		l.mu.Unlock()
		if status != http.StatusCreated || !l.read(s, made.ID) {
			return
		}
	}
}

// read requests a patient, and reports whether the client continues.
func (l *load) read(s *server, id string) bool {
	status, header, _ := s.exchange("GET", "/api/v1/patients/"+id, "")
	l.mu.Lock()
	defer l.mu.Unlock()
	if status == http.StatusOK {
		l.shown = append(l.shown, header.Get("X-Request-Id"))
		return true
	}
	l.refused[status]++
	return false
}

// end returns when no client is working any more.
func (l *load) end() {
	l.ending.Store(true)
	l.running.Wait()
}

// requireKept checks every acknowledged change: each patient opens and has its event, and each answer that showed a
// patient has its event.
func requireKept(s *server, l *load, db *gorm.DB) {
	s.t.Helper()
	for _, request := range l.shown {
		var events int64
		require.NoError(s.t, db.Raw("SELECT count(*) FROM auditlog WHERE request_id = ? AND action = 'read' AND outcome = 'success'", request).
			Scan(&events).Error)
		require.EqualValues(s.t, 1, events, "an answer that was given has one event")
	}
	for _, id := range l.acknowledged {
		require.Equal(s.t, http.StatusOK, s.do("GET", "/api/v1/patients/"+id, "", nil), "an acknowledged patient is lost")
		var log struct{ Items []struct{ Outcome string } }
		require.Equal(s.t, http.StatusOK, s.do("GET", "/api/v1/audit-logs?action=create&entity_id="+id, "", &log))
		require.Len(s.t, log.Items, 1, "an acknowledged patient has one event")
		require.Equal(s.t, "success", log.Items[0].Outcome)
	}
}

// requirePaired checks all rows: no patient is without its event, and no event without its patient.
func requirePaired(s *server, db *gorm.DB) {
	s.t.Helper()
	var stray int64
	require.NoError(s.t, db.Raw(`SELECT (SELECT count(*) FROM patient p WHERE NOT EXISTS
			(SELECT 1 FROM auditlog a WHERE a.entity_id = p.id AND a.action = 'create' AND a.outcome = 'success'))
		+ (SELECT count(*) FROM auditlog a WHERE a.entity_type = 'patient' AND a.action = 'create' AND a.outcome = 'success'
			AND NOT EXISTS (SELECT 1 FROM patient p WHERE p.id = a.entity_id))`).Scan(&stray).Error)
	require.Zero(s.t, stray, "patients without events, or events without patients")
}
