package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
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
