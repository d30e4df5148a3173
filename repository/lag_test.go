package repository_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
)

// An event that waits to be sequenced for longer than 5 seconds makes the server not ready.
func TestLagIsNoticed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		create(t, store, invented())
		sequence(t, store)
		require.NoError(t, store.CheckAudit(t.Context()))
		waits := func(since time.Duration) {
			id := audit.FirstID(time.Now().Add(-since))
			whole := uuid.Must(uuid.NewV7())
			copy(id[6:], whole[6:])
			require.NoError(t, dbtest.Open(t, url).Exec("INSERT INTO auditoutbox VALUES (?)", id.String()).Error)
		}
		waits(-time.Minute) // by a clock that is ahead: not too old, even on a slow machine
		require.NoError(t, store.CheckAudit(t.Context()))
		waits(time.Minute)
		require.ErrorContains(t, store.CheckAudit(t.Context()), "2 audit events wait to be sequenced")
		sequence(t, store)
		require.NoError(t, store.CheckAudit(t.Context()))
	})
}
