package repository_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/repository"
)

// A server whose schema was migrated down under it is out of service, but does not report a defect.
func TestAnotherSchemaIsNoDefect(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"a table": "DROP TABLE availability", "a column": "ALTER TABLE availability RENAME COLUMN version TO later",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				store := openStore(t, url)
				require.NoError(t, dbtest.Open(t, url).Exec(statement).Error)
				ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.List, EntityType: "availability"})
				err := store.Read(ctx, func(ctx context.Context) error {
					_, err := repository.NewAvailabilityRepository(store).ByID(ctx, uuid.New())
					return err
				})
				require.True(t, apperr.Is(err, apperr.Unavailable), "%v", err)
			})
		})
	}
}
