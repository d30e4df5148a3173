package service_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/service"
)

// from returns the context of a request from an address, before login.
func from(t *testing.T, address string) context.Context {
	t.Helper()
	return audit.WithActor(t.Context(), audit.Actor{Origin: "test", Address: address})
}

// throttled returns a server with an account that allows five failures before a wait.
func throttled(t *testing.T, url string) *bundle {
	t.Helper()
	b := newServerWith(t, url, filepath.Join(t.TempDir(), "kek"), config.Auth{
		SessionLifetime: time.Hour, SessionIdle: time.Hour, LoginFailures: 5, LoginLockout: time.Hour, Argon2: cheapest,
	})
	service.LengthenWaits(b.auth)
	withAccount(t, b)
	return b
}

// guess tries n wrong passwords, and returns how many were checked.
func guess(t *testing.T, b *bundle, email, address string, n int) int {
	t.Helper()
	seen := 0
	for range n {
		_, err := b.auth.Login(from(t, address), service.Credentials{Email: email, Password: "wrong horse battery"})
		if apperr.Is(err, apperr.RateLimited) {
			var e *apperr.Error
			require.ErrorAs(t, err, &e)
			require.Positive(t, e.RetryAfter)
			continue
		}
		require.True(t, apperr.Is(err, apperr.BadCredentials), "%v", err)
		seen++
	}
	return seen
}

func rightFrom(t *testing.T, b *bundle, address string) error {
	t.Helper()
	_, err := b.auth.Login(from(t, address), service.Credentials{Email: email, Password: password})
	return err
}

// Guessing from one address is stopped, and the next login from that address must wait. A login from elsewhere need
// not.
func TestGuessingFromOneAddressIsThrottled(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := throttled(t, url)
		hashes := service.CountHashes(b.auth)
		require.Equal(t, 5, guess(t, b, email, "192.0.2.1", 20))
		require.EqualValues(t, 5, hashes.Load(), "what has to wait costs no hash")
		require.True(t, apperr.Is(rightFrom(t, b, "192.0.2.1"), apperr.RateLimited), "the right password has to wait too")
		require.NoError(t, rightFrom(t, b, "192.0.2.2"))
		require.Equal(t, 5, guess(t, b, "nobody@example.org", "192.0.2.1", 20), "an unknown account is treated alike")
		require.Equal(t, 5, guess(t, b, "  NOBODY@example.org", "2001:db8::1", 3)+guess(t, b, "nobody@example.org", "2001:db8::2", 20))
	})
}

// Strangers share a budget, however many addresses they have. When the budget is used up, familiar addresses can
// still log in.
func TestStrangersLockNobodyOut(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := throttled(t, url)
		require.NoError(t, rightFrom(t, b, "192.0.2.1"))
		seen := 0
		for i := range 80 {
			seen += guess(t, b, email, fmt.Sprintf("198.51.100.%d", i), 1)
		}
		require.Equal(t, 50, seen)
		require.True(t, apperr.Is(rightFrom(t, b, "203.0.113.9"), apperr.RateLimited))
		for range 3 {
			require.NoError(t, rightFrom(t, b, "192.0.2.1"))
		}
		require.Equal(t, 5, guess(t, b, email, "192.0.2.1", 20), "a familiar address has a budget too")
	})
}

// Concurrent attempts get no more guesses than attempts one after the other.
func TestParallelGuessesShareTheBudget(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := throttled(t, url)
		hashes := service.CountHashes(b.auth)
		var racers sync.WaitGroup
		for range 40 {
			racers.Go(func() {
				_, err := b.auth.Login(from(t, "192.0.2.1"), service.Credentials{Email: email, Password: "wrong horse battery"})
				if !apperr.Is(err, apperr.RateLimited) && !apperr.Is(err, apperr.BadCredentials) {
					t.Error(err)
				}
			})
		}
		racers.Wait()
		require.EqualValues(t, 5, hashes.Load())
	})
}

// A login takes back the failures that were counted against its address.
func TestALoginGivesTheBudgetBack(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := throttled(t, url)
		for range 5 {
			require.Equal(t, 4, guess(t, b, email, "192.0.2.1", 4))
			require.NoError(t, rightFrom(t, b, "192.0.2.1"))
		}
		require.NoError(t, b.db.Exec("UPDATE logintally SET expires_at = ?", time.Now().Add(-time.Hour).UTC()).Error)
		require.NoError(t, rightFrom(t, b, "192.0.2.9"))
		require.Equal(t, 2, b.count(t, "logintally"), "what says nothing any more is cleared away")
	})
}

// Guessing the password inside an open session is throttled too.
func TestGuessingInASessionIsThrottled(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := throttled(t, url)
		ctx := holding(t, b, login(t, b))
		for range 5 {
			require.True(t, apperr.Is(b.auth.SetPassword(ctx, "wrong horse battery", "another passphrase"), apperr.BadCredentials))
		}
		require.True(t, apperr.Is(b.auth.SetPassword(ctx, password, "another passphrase"), apperr.RateLimited))
		_, err := b.auth.EnrolTOTP(ctx, password)
		require.True(t, apperr.Is(err, apperr.RateLimited), "%v", err)
	})
}
