package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/repository"
	"novamind/service"
)

// awaitRefusal waits until a server that may have seen the token refuses it, and returns how long that took.
func awaitRefusal(t *testing.T, b *bundle, token string) time.Duration {
	t.Helper()
	start := time.Now()
	for {
		_, err := b.auth.Authenticate(t.Context(), token)
		if err != nil {
			require.True(t, apperr.Is(err, apperr.Unauthenticated), "%v", err)
			return time.Since(start)
		}
		require.Less(t, time.Since(start), time.Minute, "the token is taken for good")
		time.Sleep(time.Millisecond)
	}
}

// withServers returns two servers of one database, with a first account.
func withServers(t *testing.T, url string) (one, other *bundle) {
	t.Helper()
	one = newBundle(t, url)
	withAccount(t, one)
	return one, newServer(t, url, one.kek, time.Hour)
}

// A permission that is taken away ends at once on the server of the change, and soon on the other servers.
func TestRevocationReachesEveryServer(t *testing.T) {
	t.Parallel()
	accounts := func(b *bundle) *repository.AccountRepository { return repository.NewAccountRepository(b.store) }
	for name, revoke := range map[string]func(t *testing.T, b *bundle, mine, other *service.Login){
		"logout": func(t *testing.T, b *bundle, _, other *service.Login) {
			require.NoError(t, b.auth.Logout(holding(t, b, other)))
		},
		"ending the session": func(t *testing.T, b *bundle, mine, other *service.Login) {
			require.NoError(t, b.auth.EndSession(holding(t, b, mine), sessionOf(t, b, other)))
		},
		"another password": func(t *testing.T, b *bundle, mine, _ *service.Login) {
			require.NoError(t, b.auth.SetPassword(holding(t, b, mine), password, "another passphrase"))
		},
		"disabling": func(t *testing.T, b *bundle, mine, _ *service.Login) {
			require.NoError(t, b.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error {
				a, err := accounts(b).ByID(ctx, mine.Account.ID)
				require.NoError(t, err)
				a.Disabled = true
				return accounts(b).Update(ctx, a)
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				one, two := withServers(t, url)
				mine, other := login(t, one), login(t, one)
				holding(t, one, other)
				holding(t, two, other)
				revoke(t, one, mine, other)
				_, err := one.auth.Authenticate(t.Context(), other.Token)
				require.True(t, apperr.Is(err, apperr.Unauthenticated), "%v", err)
				t.Logf("the other server refused it after %v", awaitRefusal(t, two, other.Token))
			})
		})
	}
}

// Changed roles take effect at once on the server of the change, and soon on the others.
func TestRoleChangeReachesEveryServer(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one, two := withServers(t, url)
		l := login(t, one)
		roles := func(b *bundle) []string {
			caller, err := b.auth.Authenticate(t.Context(), l.Token)
			require.NoError(t, err)
			return caller.Account.Roles
		}
		require.Equal(t, service.Roles(), roles(one))
		require.Equal(t, service.Roles(), roles(two))
		accounts := repository.NewAccountRepository(one.store)
		require.NoError(t, one.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error {
			a, err := accounts.ByID(ctx, l.Account.ID)
			require.NoError(t, err)
			a.Roles = []string{service.RoleAuditor}
			return accounts.Update(ctx, a)
		}))
		require.Equal(t, []string{service.RoleAuditor}, roles(one))
		require.Eventually(t, func() bool { return len(roles(two)) == 1 }, time.Minute, time.Millisecond)
	})
}

// An unused session ends. A session in use continues, and is not written at each request.
func TestIdleSessionsEnd(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one, two := withServers(t, url)
		idle, used := login(t, one), login(t, one)
		backdate := func(l *service.Login, by time.Duration) {
			require.NoError(t, one.db.Exec("UPDATE session SET last_seen_at = ? WHERE id = ?", time.Now().UTC().Add(-by), sessionOf(t, two, l).String()).Error)
		}
		seen := func(l *service.Login) (at time.Time) {
			require.NoError(t, one.db.Raw("SELECT last_seen_at FROM session WHERE id = ?", sessionOf(t, two, l).String()).Scan(&at).Error)
			return at
		}
		backdate(used, 50*time.Minute)
		holding(t, one, used)
		require.WithinDuration(t, time.Now(), seen(used), time.Minute)
		backdate(used, time.Second)
		before := seen(used)
		holding(t, newServer(t, url, one.kek, time.Hour), used)
		require.Equal(t, before, seen(used))

		backdate(idle, time.Hour)
		_, err := one.auth.Authenticate(t.Context(), idle.Token)
		require.True(t, apperr.Is(err, apperr.Unauthenticated), "%v", err)
		found, more, err := one.auth.Sessions(holding(t, one, used), service.Page{Limit: 10})
		require.NoError(t, err)
		require.False(t, more)
		require.Len(t, found, 1, "the idle one is not shown")
		login(t, one)
		require.Equal(t, 2, one.count(t, "session"), "a login clears away what has ended")
	})
}

// An account sees and ends only its own sessions.
func TestSessionsOfOthersAreOutOfReach(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		theirs := login(t, b)
		stranger := as(t, service.RoleAdmin)
		require.True(t, apperr.Is(b.auth.EndSession(stranger, sessionOf(t, b, theirs)), apperr.NotFound))
		require.True(t, apperr.Is(b.auth.EndSession(holding(t, b, theirs), uuid.Must(uuid.NewV7())), apperr.NotFound))
		found, _, err := b.auth.Sessions(stranger, service.Page{Limit: 10})
		require.NoError(t, err)
		require.Empty(t, found)
		holding(t, b, theirs)
	})
}

// If the database does not answer, nobody is let in on knowledge from a while ago.
func TestAuthenticationFailsClosed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		l := login(t, b)
		holding(t, b, l)
		require.NoError(t, b.store.Close())
		require.Eventually(t, func() bool {
			_, err := b.auth.Authenticate(t.Context(), l.Token)
			return err != nil
		}, time.Minute, time.Millisecond)
	})
}

func TestAccountsThatNeedASecondFactorAreToldSo(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		require.Error(t, b.auth.RequireTOTP([]string{"janitor"}))
		for _, roles := range [][]string{nil, {service.RoleAdmin}} {
			require.NoError(t, b.auth.RequireTOTP(roles))
			caller, err := b.auth.Authenticate(t.Context(), login(t, b).Token)
			require.NoError(t, err)
			require.Equal(t, roles != nil, caller.TOTPDue)
		}
	})
}

func sessionOf(t *testing.T, b *bundle, l *service.Login) uuid.UUID {
	t.Helper()
	actor, err := audit.ActorFrom(holding(t, b, l))
	require.NoError(t, err)
	return actor.SessionID
}
