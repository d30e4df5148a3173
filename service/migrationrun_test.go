package service_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/migrations"
	"novamind/migrations/runner"
	"novamind/service"
)

// Every run of a migration is one event.
func TestMigrationRunsAreEvents(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := audit.System(t.Context(), "migrate")
		runs := b.count(t, "schemamigrationlog")
		require.Positive(t, runs)
		for range 3 {
			require.NoError(t, service.NewMigrationRunService(b.store).Record(ctx))
			require.Len(t, b.events(t, audit.Migrate), runs)
		}
		require.Equal(t, "0001_initial up, program test", *b.events(t, audit.Migrate)[0].Details)
	})
}

// Rows that were discarded by undoing a version are missing on purpose, and the log knows. Any other missing row is
// still found.
func TestDiscardedRowsAreNotMissed(t *testing.T) {
	t.Parallel()
	for name, stolen := range map[string]bool{"discarded": false, "one was gone before": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				b := newBundle(t, url)
				gone := b.apiKey(t)
				b.apiKey(t)
				db := dbtest.Open(t, url)
				if stolen {
					require.NoError(t, db.Exec("DELETE FROM apikey WHERE id = ?", gone.ID.String()).Error)
				}
				set, err := migrations.Embedded(db.Name())
				require.NoError(t, err)
				r, err := runner.New(db, set, runner.Program{Version: "test", Rows: runner.DiscardRows}, slog.New(slog.DiscardHandler))
				require.NoError(t, err)
				_, err = r.Down(t.Context(), "0015")
				require.NoError(t, err)
				_, err = r.Up(t.Context(), "")
				require.NoError(t, err)
				require.NoError(t, service.NewMigrationRunService(b.store).Record(audit.System(t.Context(), "migrate")))
				result, err := service.NewAuditTreeService(b.store).Verify(operator(t), service.VerifyOptions{Rows: true})
				require.NoError(t, err)
				if !stolen {
					require.Empty(t, result.Findings)
					return
				}
				require.Len(t, result.Findings, 2, "two are missing, and one is accounted for: nobody can say which")
			})
		})
	}
}
