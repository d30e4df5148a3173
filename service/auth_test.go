package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

const (
	email    = "admin@example.org"
	password = "correct horse battery"
)

func undelivered(string, string) error { return errors.New("nobody asked for a password") }

// withAccount makes the first account.
func withAccount(t *testing.T, b *bundle) {
	t.Helper()
	made, err := b.auth.EnsureAccount(audit.System(t.Context(), "test"), email, password, undelivered)
	require.NoError(t, err)
	require.True(t, made)
}

func login(t *testing.T, b *bundle) *service.Login {
	t.Helper()
	l, err := b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: password})
	require.NoError(t, err)
	return l
}

// holding returns the context of a request with this token.
func holding(t *testing.T, b *bundle, l *service.Login) context.Context {
	t.Helper()
	caller, err := b.auth.Authenticate(t.Context(), l.Token)
	require.NoError(t, err)
	actor := caller.Actor()
	actor.Origin = "test"
	return audit.WithActor(t.Context(), actor)
}

// Every kind of failure looks the same from outside, and each is an event.
func TestLogin(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		l, err := b.auth.Login(anonymous(t), service.Credentials{Email: " Admin@Example.ORG", Password: password})
		require.NoError(t, err)
		var texts []string
		refused := func(email, password string) {
			t.Helper()
			l, err := b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: password})
			require.Nil(t, l)
			require.True(t, apperr.Is(err, apperr.BadCredentials), "%v", err)
			texts = append(texts, err.Error())
		}
		refused(email, "wrong horse battery")
		refused(email, "")
		refused(email, strings.ToUpper(password))
		refused("nobody@example.org", password)
		refused("", "")
		refused(email+"\x00", password)
		refused("nobody\xff@example.org", password)
		require.NoError(t, b.db.Exec("UPDATE account SET disabled = true").Error)
		refused(email, password)
		for _, text := range texts {
			require.Equal(t, texts[0], text)
		}
		awaitRefusal(t, b, l.Token)

		events := b.events(t, audit.Login)
		require.Len(t, events, 1+len(texts))
		require.Equal(t, audit.Success, events[0].Outcome)
		require.Equal(t, l.Account.ID, *events[0].EntityID)
		require.Equal(t, l.Account.ID, *events[0].UserID)
		for _, e := range events[1:] {
			require.Equal(t, audit.Failure, e.Outcome)
			require.Equal(t, string(apperr.BadCredentials), *e.Details)
			require.Nil(t, e.UserID)
		}
		require.Equal(t, l.Account.ID, *events[1].EntityID, "a wrong password names the account")
		require.Nil(t, events[4].EntityID, "an unknown one names none")
	})
}

// The database stores only hashes of tokens and passwords.
func TestSecretsAreStoredHashed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		l := login(t, b)
		var stored []string
		require.NoError(t, b.db.Raw("SELECT token_hash FROM session UNION ALL SELECT password_hash FROM account").Scan(&stored).Error)
		require.Len(t, stored, 2)
		require.NotContains(t, strings.Join(stored, " "), l.Token)
		require.NotContains(t, strings.Join(stored, " "), password)
		require.Regexp(t, `^\$argon2id\$v=19\$`, stored[1])
	})
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		for _, token := range []string{"", "x", strings.Repeat("A", 43)} {
			_, err := b.auth.Authenticate(t.Context(), token)
			require.True(t, apperr.Is(err, apperr.Unauthenticated))
		}
		out, stays := login(t, b), login(t, b)
		require.NotEqual(t, out.Token, stays.Token)
		require.NoError(t, b.auth.Logout(holding(t, b, out)))
		_, err := b.auth.Authenticate(t.Context(), out.Token)
		require.True(t, apperr.Is(err, apperr.Unauthenticated))
		holding(t, b, stays)
		require.Len(t, b.events(t, audit.Logout), 1)

		expired, err := newServer(t, url, b.kek, -time.Second).auth.Login(anonymous(t), service.Credentials{Email: email, Password: password})
		require.NoError(t, err)
		_, err = b.auth.Authenticate(t.Context(), expired.Token)
		require.True(t, apperr.Is(err, apperr.Unauthenticated), "expired")
		login(t, b)
		require.Equal(t, 2, b.count(t, "session"), "a login clears away what has expired")
	})
}

func TestSetPassword(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		mine, other := login(t, b), login(t, b)
		ctx := holding(t, b, mine)
		for replacement, code := range map[string]apperr.Code{
			"eleven char": apperr.Invalid, strings.Repeat("é", 129): apperr.Invalid, "": apperr.Invalid, password: apperr.Invalid,
		} {
			err := b.auth.SetPassword(ctx, password, replacement)
			require.True(t, apperr.Is(err, code), "%v", err)
			if replacement != "" {
				require.NotContains(t, err.Error(), replacement)
			}
		}
		require.True(t, apperr.Is(b.auth.SetPassword(ctx, "wrong horse battery", "a new password"), apperr.BadCredentials))
		holding(t, b, other)
		require.NoError(t, b.auth.SetPassword(ctx, password, "a new password"))
		holding(t, b, mine)
		_, err := b.auth.Authenticate(t.Context(), other.Token)
		require.True(t, apperr.Is(err, apperr.Unauthenticated), "the other sessions end")
		_, err = b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: password})
		require.True(t, apperr.Is(err, apperr.BadCredentials))
		_, err = b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: "a new password"})
		require.NoError(t, err)
		events := b.events(t, audit.SetPassword)
		require.Len(t, events, 2)
		require.Equal(t, []string{audit.Failure, audit.Success}, []string{events[0].Outcome, events[1].Outcome})
	})
}

// The password of a login may change after it was checked. Then no session outlives that change.
func TestLoginRacesPasswordChange(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		old := password
		for round := range 20 {
			replacement := fmt.Sprintf("passphrase number %d", round)
			mine, err := b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: old})
			require.NoError(t, err)
			ctx := holding(t, b, mine)
			var mu sync.Mutex
			var opened []string
			var racers sync.WaitGroup
			var changed atomic.Bool
			for range 6 {
				racers.Go(func() {
					for !changed.Load() {
						if l, err := b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: old}); err == nil {
							mu.Lock()
							opened = append(opened, l.Token)
							mu.Unlock()
						}
					}
				})
			}
			require.NoError(t, b.auth.SetPassword(ctx, old, replacement))
			changed.Store(true)
			racers.Wait()
			for _, token := range opened {
				_, err := b.auth.Authenticate(t.Context(), token)
				require.True(t, apperr.Is(err, apperr.Unauthenticated), "a session of the old password lives on")
			}
			old = replacement
		}
	})
}

// Eight concurrent starts on two servers make one account. Its password is delivered once, and works.
func TestFirstAccountIsMadeOnce(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one := newBundle(t, url)
		other := newServer(t, url, one.kek, time.Hour)
		var delivered, made atomic.Int32
		var handedOver atomic.Value
		var racing sync.WaitGroup
		for i := range 8 {
			racing.Go(func() {
				ok, err := []*bundle{one, other}[i%2].auth.EnsureAccount(audit.System(t.Context(), "test"), email, "", func(_, password string) error {
					delivered.Add(1)
					handedOver.Store(password)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				if ok {
					made.Add(1)
				}
			})
		}
		racing.Wait()
		require.Equal(t, []int32{1, 1}, []int32{delivered.Load(), made.Load()})
		require.Equal(t, 1, one.count(t, "account"))
		l, err := one.auth.Login(anonymous(t), service.Credentials{Email: email, Password: handedOver.Load().(string)})
		require.NoError(t, err)
		require.True(t, l.Account.MustChangePassword)
		require.ElementsMatch(t, service.Roles(), []string(l.Account.Roles))
		require.NoError(t, one.auth.SetPassword(holding(t, one, l), handedOver.Load().(string), password))
		require.False(t, login(t, one).Account.MustChangePassword)
	})
}

// Imported accounts, disabled accounts and accounts without the admin role cannot administer. The first account is
// made beside them.
func TestFirstAccountIsMadeBesideThoseWhoCantAdminister(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := audit.System(t.Context(), "test")
		b.imported(t, map[string]string{"Practitioner": practitionerLine(1)})
		b.account(t, service.RoleClinician)
		_, err := b.auth.EnsureAccount(ctx, "doctor1@example.org", password, undelivered)
		require.True(t, apperr.Is(err, apperr.Invalid), "%v", err)
		made, err := b.auth.EnsureAccount(ctx, email, password, undelivered)
		require.NoError(t, err)
		require.True(t, made)
		login(t, b)
		made, err = b.auth.EnsureAccount(ctx, "second@example.org", password, undelivered)
		require.NoError(t, err)
		require.False(t, made)
		require.NoError(t, b.db.Exec("UPDATE account SET disabled = true WHERE email = ?", email).Error)
		made, err = b.auth.EnsureAccount(ctx, "second@example.org", password, undelivered)
		require.NoError(t, err)
		require.True(t, made, "nobody is left who could administer")
	})
}

// A password that could not be delivered belongs to no account.
func TestFirstAccountNeedsDelivery(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := audit.System(t.Context(), "test")
		failed := errors.New("disk full")
		_, err := b.auth.EnsureAccount(ctx, email, "", func(string, string) error { return failed })
		require.ErrorIs(t, err, failed)
		require.Zero(t, b.count(t, "account"))
		for _, c := range [][2]string{{"nobody", password}, {email, "eleven char"}} {
			_, err = b.auth.EnsureAccount(ctx, c[0], c[1], undelivered)
			require.True(t, apperr.Is(err, apperr.Invalid), "%v", err)
			require.NotContains(t, err.Error(), c[1])
		}
		withAccount(t, b)
		made, err := b.auth.EnsureAccount(ctx, "second@example.org", "", undelivered)
		require.NoError(t, err)
		require.False(t, made)
		require.False(t, login(t, b).Account.MustChangePassword)
	})
}

// A first password in a file is worthless once the account has another password, by any kind of change.
func TestFirstPasswordBecomesWorthless(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		admin := as(t, service.RoleAdmin)
		for how, change := range map[string]func(account *models.Account){
			"by its owner": func(account *models.Account) {
				require.NoError(t, b.auth.SetPassword(b.on(t, account), password, password+" too"))
			},
			"by a reset and a link": func(account *models.Account) {
				_, link, err := parts(b.accounts.Reset(admin, account.ID, nil))
				require.NoError(t, err)
				require.NoError(t, b.accounts.Redeem(anonymous(t), link.Token, password+" too"))
			},
			"by a reset alone": func(account *models.Account) {
				_, err := b.accounts.Reset(admin, account.ID, nil)
				require.NoError(t, err)
			},
			"by another first password": func(account *models.Account) {
				_, err := b.accounts.Reset(admin, account.ID, new(password+" too"))
				require.NoError(t, err)
			},
		} {
			account, _, err := parts(b.accounts.Create(admin, accountInput(service.RoleClinician), new(password)))
			require.NoError(t, err)
			first := b.auth.FirstPassword(account.Email, password)
			for range 2 {
				worthless, err := first.Worthless(t.Context())
				require.NoError(t, err)
				require.False(t, worthless, how)
			}
			change(account)
			worthless, err := first.Worthless(t.Context())
			require.NoError(t, err)
			require.True(t, worthless, how)
		}
		worthless, err := b.auth.FirstPassword("nobody@example.org", password).Worthless(t.Context())
		require.NoError(t, err)
		require.False(t, worthless, "nobody's tells nothing")
	})
}
