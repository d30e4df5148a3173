package repository

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
)

// A connection that ended while an answer was awaited is a fault of the database, and no internal error. The driver
// doesn't call such a statement safe to retry.
func TestEndedConnectionsAreCalledUnavailable(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.EmptyPostgres(t))
	require.NoError(t, err)
	reader := conn.PgConn().Exec(t.Context(), "SELECT 1")
	require.NoError(t, conn.PgConn().Close(t.Context()))
	_, err = reader.ReadAll()
	require.ErrorIs(t, err, pgconn.ErrConnClosed)
	require.False(t, pgconn.SafeToRetry(err))
	require.True(t, apperr.Is(translate(fmt.Errorf("query: %w", err)), apperr.Unavailable), "%v", err)
}
