package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"novamind/internal/dbtest"
	"novamind/service"
)

// A pending enrolment does not replace a second factor that was confirmed meanwhile.
func TestEnrolmentsDoNotReplaceWhatWasConfirmed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		for range 15 {
			account, _, err := parts(b.accounts.Create(as(t, service.RoleAdmin), accountInput(service.RoleClinician), new(password)))
			require.NoError(t, err)
			ctx := b.on(t, account)
			enrolment, err := b.auth.EnrolTOTP(ctx, password)
			require.NoError(t, err)
			first := code(t, enrolment.Secret)
			var both errgroup.Group
			for range 3 {
				both.Go(func() error { _, _ = b.auth.EnrolTOTP(ctx, password); return nil })
			}
			both.Go(func() error { _, _ = b.auth.ConfirmTOTP(ctx, first); return nil })
			require.NoError(t, both.Wait())
			require.Zero(t, b.count(t, "account WHERE mfa_since IS NOT NULL AND id NOT IN (SELECT account_id FROM secondfactor WHERE confirmed_at IS NOT NULL)"))
		}
	})
}
