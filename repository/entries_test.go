package repository_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/repository"
)

// BenchmarkEntries reads events as verification does, a thousand at a time.
func BenchmarkEntries(b *testing.B) {
	for _, engine := range dbtest.Engines() {
		b.Run(engine.Name, func(b *testing.B) {
			store := openStore(b, engine.URL(b))
			require.NoError(b, store.InTx(actor(b.Context()), func(ctx context.Context) error {
				for range 1000 {
					if err := repository.NewPatientRepository(store).Create(ctx, invented()); err != nil {
						return err
					}
				}
				return nil
			}))
			log := repository.NewAuditLogRepository(store)
			ids, _, err := log.IDs(b.Context(), repository.AuditLogQuery{}, repository.Page{Limit: 1000})
			require.NoError(b, err)
			require.Len(b, ids, 1000)
			tree := repository.NewAuditTreeRepository(store)
			for b.Loop() {
				entries, err := tree.Entries(b.Context(), ids)
				require.NoError(b, err)
				require.Len(b, entries, 1000)
			}
		})
	}
}
