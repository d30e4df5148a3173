package scale

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

const writersAtOnce = 16

var someone = service.PatientInput{
	FirstName: "Invented", LastName: "Example", DateOfBirth: "1980-02-03", ContactInfo: &models.ContactInfo{Phone: "212-555-0123"},
}

// BenchmarkSequencer makes clients create and read patients on a PostgreSQL that syncs, alternately with and without
// the sequencer. All turns work on the same growing log. Between the turns, the waiting events are sequenced, and the
// database is vacuumed. Each kind of turn comes first equally often.
func BenchmarkSequencer(b *testing.B) {
	const turns, length = 8, 4 * time.Second
	server := dbtest.NewServer(b, dbtest.Options{Fsync: true})
	server.Migrate(b)
	c := newClinic(b, server.URL())
	sequencer := repository.NewSequencer(c.store)
	for b.Loop() {
		var done [2]int64
		for turn := range 2 * turns {
			on := (turn + turn/2) % 2 // 0 1 1 0
			require.NoError(b, sequencer.Drain(b.Context()))
			// Otherwise PostgreSQL would vacuum during the measurement.
			require.NoError(b, c.db.Exec("VACUUM ANALYZE").Error)
			require.NoError(b, c.db.Exec("CHECKPOINT").Error)
			ctx, stop := context.WithTimeout(b.Context(), length)
			var running errgroup.Group
			if on == 1 {
				running.Go(func() error { sequencer.Run(ctx, slog.New(slog.DiscardHandler)); return nil })
			}
			done[on] += c.createAndRead(ctx, b)
			stop()
			require.NoError(b, running.Wait())
		}
		b.ReportMetric(float64(done[1])/float64(done[0]), "of-throughput")
		b.ReportMetric(float64(done[1])/(turns*length.Seconds()), "requests/s")
	}
}

// createAndRead runs clients until ctx is done, and returns the number of their units of work.
func (c *clinic) createAndRead(ctx context.Context, tb testing.TB) int64 {
	tb.Helper()
	var done atomic.Int64
	var clients errgroup.Group
	acting := receptionist(context.WithoutCancel(ctx))
	for range writersAtOnce {
		clients.Go(func() error {
			for ctx.Err() == nil {
				p, err := c.patients.Register(acting, service.Registration{PatientInput: someone, AllowDuplicate: true, DuplicateReason: "not the same"})
				if err != nil {
					return err
				}
				if _, err := c.patients.Get(acting, p.ID); err != nil {
					return err
				}
				done.Add(2)
			}
			return nil
		})
	}
	require.NoError(tb, clients.Wait())
	return done.Load()
}

// A log with an event for each of many patients is verified, also against its records.
func TestVerifyManyEvents(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		c := newClinic(t, url)
		c.load(t, invent(patients))
		log := service.NewAuditTreeService(c.store)
		begun := time.Now()
		_, _, err := log.Checkpoint(t.Context())
		require.NoError(t, err)
		sequenced := time.Now()
		v, err := log.Verify(audit.System(t.Context(), "test"), service.VerifyOptions{})
		require.NoError(t, err)
		verified := time.Now()
		rows, err := log.Verify(audit.System(t.Context(), "test"), service.VerifyOptions{Rows: true})
		require.NoError(t, err)
		require.True(t, v.OK && rows.OK)
		require.EqualValues(t, patients, v.Events)
		require.Equal(t, patients, rows.Rows)
		t.Logf("%d events: sequenced in %s, verified in %s, with records in %s", patients,
			sequenced.Sub(begun).Round(time.Millisecond), verified.Sub(sequenced).Round(time.Millisecond), time.Since(verified).Round(time.Millisecond))
	})
}
