package service_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/service"
)

// A minute of refusals from one address is one event, however many there are. Refusals that can't be recorded are
// kept.
func TestRefusalsAreOneEventPerAddress(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		refusals := service.NewRefusalService(b.store)
		for range 50 {
			refusals.Note("192.0.2.1", apperr.Unauthenticated)
			refusals.Note("192.0.2.1", apperr.RateLimited)
			refusals.Note("192.0.2.2", apperr.Unauthenticated)
		}
		require.NoError(t, b.db.Exec("ALTER TABLE auditlog RENAME TO away").Error)
		require.Error(t, refusals.Flush(t.Context()))
		require.NoError(t, b.db.Exec("ALTER TABLE away RENAME TO auditlog").Error)
		require.NoError(t, refusals.Flush(t.Context()))
		require.NoError(t, refusals.Flush(t.Context()), "nothing is left")
		var events []struct{ Address, Details, Outcome string }
		require.NoError(t, b.db.Raw("SELECT address, details, outcome FROM auditlog WHERE action = ? ORDER BY address", audit.Refuse).Scan(&events).Error)
		require.Equal(t, []struct{ Address, Details, Outcome string }{
			{"192.0.2.1", "50 auth.required, 50 request.rate_limited", audit.Denied},
			{"192.0.2.2", "50 auth.required", audit.Denied},
		}, events)
		for i := range 5000 {
			refusals.Note(strconv.Itoa(i), apperr.Unauthenticated)
		}
		require.NoError(t, refusals.Flush(t.Context()))
		require.Len(t, b.events(t, audit.Refuse), 1003, "a thousand addresses, and the others as one")
	})
}
