package scale

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/service"
)

const clientsAtOnce = 8

// Values and index tokens move to new keys while clients read, search and write. No request fails, and no change is
// lost.
func TestResealUnderLoad(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		c := newClinic(t, url)
		all := invent(few)
		c.load(t, all)
		speed := c.resealUnderLoad(t, all, clientsAtOnce)
		t.Logf("%.0f rows/s, %d requests, %d changes", speed.both, speed.requests, speed.changes)
	})
}

// BenchmarkReseal moves everything to new keys, first without clients, then with clients at work.
func BenchmarkReseal(b *testing.B) {
	c := newClinic(b, dbtest.Postgres(b))
	all := invent(patients)
	c.load(b, all)
	require.NoError(b, c.db.Exec("VACUUM ANALYZE").Error) // otherwise PostgreSQL would vacuum during the measurement
	for _, clients := range []int{0, clientsAtOnce} {
		b.Run(map[bool]string{true: "alone", false: "clients"}[clients == 0], func(b *testing.B) {
			for b.Loop() {
				s := c.resealUnderLoad(b, all, clients)
				b.ReportMetric(s.both, "rows/s")
				b.ReportMetric(s.values, "values-rows/s")
				b.ReportMetric(s.tokens, "tokens-rows/s")
				b.ReportMetric(float64(s.requests), "requests")
				b.ReportMetric(float64(s.changes), "changes")
			}
		})
	}
}

// speed is the number of patients moved per second: their values, their tokens, and both.
type speed struct {
	both, values, tokens float64
	requests, changes    int
}

// resealUnderLoad rotates both keys and moves everything to them, while clients work.
func (c *clinic) resealUnderLoad(tb testing.TB, all []*models.Patient, clients int) speed {
	tb.Helper()
	primaries := c.rotate(tb)
	address, token := c.serve(tb)
	running := newClients(clients, address, token, all)
	working, stop := context.WithCancel(tb.Context())
	var group errgroup.Group
	for _, client := range running {
		group.Go(func() error { return client.work(working) })
	}
	s := c.reseal(tb, len(all))
	stop()
	require.NoError(tb, group.Wait())
	c.requireMoved(tb, primaries)
	for _, client := range running {
		s.requests += client.did
		for _, p := range client.changed {
			require.NoError(tb, client.compare(tb.Context(), p))
		}
		s.changes += len(client.changed)
	}
	c.requireReadable(tb, len(all))
	return s
}

// rotate adds a data and an index key, and returns their ids.
func (c *clinic) rotate(tb testing.TB) []string {
	tb.Helper()
	primaries := make([]string, 2)
	var group errgroup.Group
	for i, purpose := range []phi.Purpose{phi.Data, phi.Index} {
		group.Go(func() (err error) {
			primaries[i], err = c.keys.Rotate(audit.System(tb.Context(), "scale"), purpose)
			return err
		})
	}
	require.NoError(tb, group.Wait())
	return primaries
}

func (c *clinic) reseal(tb testing.TB, rows int) speed {
	tb.Helper()
	start := time.Now()
	var valuesDone time.Time
	done, err := c.keys.Reseal(audit.System(tb.Context(), "scale"), 0, func(r service.Renewed) {
		if r.Reindexed == 0 {
			valuesDone = time.Now()
		}
	})
	end := time.Now()
	require.NoError(tb, err)
	require.Positive(tb, done.Resealed)
	rate := func(d time.Duration) float64 { return float64(rows) / d.Seconds() }
	return speed{both: rate(end.Sub(start)), values: rate(valuesDone.Sub(start)), tokens: rate(end.Sub(valuesDone))}
}

// requireMoved requires that no value is under an older key.
func (c *clinic) requireMoved(tb testing.TB, primaries []string) {
	tb.Helper()
	states, err := c.keys.Status(tb.Context())
	require.NoError(tb, err)
	for _, key := range states {
		if key.Purpose != phi.Data && key.Purpose != phi.Index {
			continue
		}
		if key.State == service.KeyPrimary {
			require.Contains(tb, primaries, key.ID)
			require.NotEmpty(tb, key.Values)
		} else {
			require.Empty(tb, key.Values, "still under an older key")
		}
	}
}

// requireReadable opens every patient.
func (c *clinic) requireReadable(tb testing.TB, rows int) {
	tb.Helper()
	page, seen := service.Page{Limit: 200}, 0
	for more := true; more; {
		var found []*models.Patient
		var err error
		found, more, err = c.patients.Search(receptionist(tb.Context()), models.PatientQuery{}, page)
		require.NoError(tb, err)
		for _, p := range found {
			require.False(tb, p.Unreadable())
		}
		seen += len(found)
		page.After = found[len(found)-1].ID
	}
	require.Equal(tb, rows, seen)
}
