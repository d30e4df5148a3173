package repository_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/repository"
)

// A request's event is one statement, and the rows that the event names are another, for any number of patients
// read.
func TestReadingAddsTwoStatements(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		var out bytes.Buffer
		cfg := config.Default().Database
		cfg.URL, cfg.Echo = config.DSN(url), true
		store, err := repository.Open(t.Context(), cfg, slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		require.NoError(t, store.Unlock(t.Context(), "file:"+filepath.Join(t.TempDir(), "kek"), "US"))
		for range 150 {
			create(t, store, invented())
		}
		for _, limit := range []int{1, 10, 150} {
			out.Reset()
			ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.List, EntityType: "patient"})
			require.NoError(t, store.Read(ctx, func(ctx context.Context) error {
				rows, _, err := repository.NewPatientRepository(store).Active(ctx, repository.Page{Limit: limit})
				require.Len(t, rows, limit)
				return err
			}))
			require.Equal(t, 2, strings.Count(out.String(), "INSERT INTO"), "%d patients", limit)
			reads := 0
			for line := range strings.Lines(out.String()) {
				// read again once a second, by any request
				if strings.Contains(line, "SELECT ") && !strings.Contains(line, "keyset") {
					reads++
				}
			}
			require.Equal(t, 1, reads, "%d patients", limit)
		}
	})
}
