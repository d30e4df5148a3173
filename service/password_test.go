package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/service"
)

func TestCommonPasswords(t *testing.T) {
	t.Parallel()
	for _, common := range []string{
		"123456789012", "1QAZ2wsx3edc", "Administrator", "@dm1n1str@t0r", "administrator2026!", "passwordpassword", "aaaaaaaaaaaaa", "LetMeInLetMeIn",
		"abcabcabcabcab", strings.Repeat(" ", 12), strings.Repeat("\u3000", 12),
	} {
		require.True(t, service.IsCommonPassword(common), common)
	}
	for _, good := range []string{password, "a long passphrase", "Zoë likes two sugars", strings.Repeat("longer than eight ", 3), ""} {
		require.False(t, service.IsCommonPassword(good), good)
	}
}

// Each login computes one Argon2id hash, whatever its outcome. A login that must wait computes none
// (TestGuessingFromOneAddressIsThrottled).
func TestALoginCostsOneHash(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		secret, codes := enrolled(t, b)
		hashes := service.CountHashes(b.auth)
		for name, in := range map[string]service.Credentials{
			"unknown":        {Email: "nobody@example.org", Password: password},
			"empty":          {},
			"wrong password": {Email: email, Password: "wrong horse battery"},
			"no code":        {Email: email, Password: password},
			"wrong code":     {Email: email, Password: password, Code: wrong(t, secret)},
			"right":          {Email: email, Password: password, Code: codes[0]},
		} {
			before := hashes.Load()
			_, err := b.auth.Login(anonymous(t), in)
			require.Equal(t, name == "right", err == nil, "%s: %v", name, err)
			require.EqualValues(t, 1, hashes.Load()-before, name)
		}
	})
}

// A password is hashed again at the first login after the parameters grew, and at no other login.
func TestHashesGrow(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		cheap := newBundle(t, url)
		withAccount(t, cheap)
		stored := func() (hash string) {
			require.NoError(t, cheap.db.Raw("SELECT password_hash FROM account").Scan(&hash).Error)
			return hash
		}
		server := func(memory, passes int) *bundle {
			return newServerWith(t, url, cheap.kek, config.Auth{
				SessionLifetime: time.Hour, SessionIdle: time.Hour, LoginFailures: 100000, LoginLockout: time.Hour,
				Argon2: config.Argon2{MemoryKiB: memory, Passes: passes, Lanes: 1},
			})
		}
		dear := server(64, 2)
		first := stored()
		_, err := dear.auth.Login(anonymous(t), service.Credentials{Email: email, Password: "wrong horse battery"})
		require.True(t, apperr.Is(err, apperr.BadCredentials), "%v", err)
		require.Equal(t, first, stored())
		l := login(t, dear)
		require.Contains(t, stored(), "m=64,t=2,")
		holding(t, dear, l)
		grown := stored()
		login(t, dear)
		login(t, cheap)
		require.Equal(t, grown, stored(), "it does not grow again, and never shrinks")
		login(t, server(64, 3))
		require.Contains(t, stored(), "m=64,t=3,")
		require.Len(t, cheap.events(t, audit.Rehash), 2)
	})
}

func TestNewPasswordsAreJudgedByLengthAndUse(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		ctx := holding(t, b, login(t, b))
		for replacement, code := range map[string]string{
			"eleven char": "too_short", strings.Repeat("é", 129): "too_long", "Administrator": "common", password: "unchanged",
		} {
			err := b.auth.SetPassword(ctx, password, replacement)
			var e *apperr.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, []string{code}, []string{e.Fields[0].Code}, replacement)
		}
		current := password
		for _, good := range []string{"twelve chars", strings.Repeat("Übung macht die Meisterin, ", 5)[:128], "no digits or signs needed"} {
			require.NoError(t, b.auth.SetPassword(ctx, current, good))
			current = good
		}
	})
}
