package service_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

const chosen = "a passphrase of one's own"

// edit returns an edit that applies changes to the present account.
func edit(change func(*service.AccountInput)) func(*models.Account) (service.AccountInput, error) {
	return func(a *models.Account) (service.AccountInput, error) {
		in := service.AccountInput{Email: a.Email, Name: a.Name, Roles: a.Roles, Disabled: a.Disabled}
		change(&in)
		return in, nil
	}
}

// An invitation allows one login, for a limited time.
func TestInvitations(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		admin := as(t, service.RoleAdmin)
		in := accountInput(service.RoleFrontDesk, service.RoleClinician)
		in.Email = "New.Person@Example.org"
		account, link, err := parts(b.accounts.Create(admin, in, nil))
		require.NoError(t, err)
		require.Equal(t, "new.person@example.org", account.Email)
		require.Equal(t, []string{service.RoleClinician, service.RoleFrontDesk}, []string(account.Roles))
		require.Len(t, b.events(t, audit.Invite), 1)
		require.NotContains(t, b.everything(t), link.Token)

		redeem := func(token, password string) error { return b.accounts.Redeem(anonymous(t), token, password) }
		require.True(t, apperr.Is(redeem("x"+link.Token, chosen), apperr.BadCredentials))
		require.True(t, apperr.Is(redeem("", chosen), apperr.BadCredentials))
		require.True(t, apperr.Is(redeem(link.Token, "too short"), apperr.Invalid), "a refused password does not use the link up")
		require.NoError(t, redeem(link.Token, chosen))
		require.True(t, apperr.Is(redeem(link.Token, chosen), apperr.BadCredentials), "once")
		login, err := b.auth.Login(anonymous(t), service.Credentials{Email: "NEW.person@example.org", Password: chosen})
		require.NoError(t, err)
		require.False(t, login.Account.MustChangePassword, "they chose it themselves")

		_, link, err = parts(b.accounts.Reset(admin, account.ID, nil))
		require.NoError(t, err)
		_, err = b.auth.Authenticate(t.Context(), login.Token)
		require.True(t, apperr.Is(err, apperr.Unauthenticated), "a reset ends sessions")
		_, err = b.auth.Login(anonymous(t), service.Credentials{Email: account.Email, Password: chosen})
		require.True(t, apperr.Is(err, apperr.BadCredentials), "and the password")
		_, newer, err := parts(b.accounts.Reset(admin, account.ID, nil))
		require.NoError(t, err)
		require.True(t, apperr.Is(redeem(link.Token, chosen), apperr.BadCredentials), "a newer link takes the place of an older one")
		require.NoError(t, b.db.Exec("UPDATE accountlink SET expires_at = created_at").Error)
		require.True(t, apperr.Is(redeem(newer.Token, chosen), apperr.BadCredentials), "expired")
		require.Len(t, b.events(t, audit.Reset), 2)
	})
}

// everything returns the result of plain SQL on the tables about accounts.
func (b *bundle) everything(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for _, query := range []string{
		"SELECT email || password_hash FROM account", "SELECT token_hash FROM accountlink", "SELECT token_hash FROM session",
		"SELECT COALESCE(details, '') || COALESCE(reason, '') || COALESCE(CAST(diff AS text), '') || COALESCE(CAST(changes AS text), '') FROM auditlog",
	} {
		var rows []string
		require.NoError(t, b.db.Raw(query).Scan(&rows).Error)
		text.WriteString(strings.Join(rows, "\n"))
	}
	return text.String()
}

// When many requests redeem one link at once, one succeeds.
func TestLinksAreUsedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one := newBundle(t, url)
		other := newServer(t, url, one.kek, time.Hour)
		_, link, err := parts(one.accounts.Create(as(t, service.RoleAdmin), accountInput(service.RoleClinician), nil))
		require.NoError(t, err)
		var succeeded atomic.Int64
		var racing sync.WaitGroup
		for i := range 20 {
			racing.Go(func() {
				err := []*bundle{one, other}[i%2].accounts.Redeem(anonymous(t), link.Token, chosen)
				switch {
				case err == nil:
					succeeded.Add(1)
				case !apperr.Is(err, apperr.BadCredentials):
					t.Error(err)
				}
			})
		}
		racing.Wait()
		require.Equal(t, int64(1), succeeded.Load())
	})
}

// A password that an admin chose must be changed first.
func TestFirstPasswordsMustBeChanged(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		admin := as(t, service.RoleAdmin)
		account, link, err := parts(b.accounts.Create(admin, accountInput(service.RoleClinician), new(chosen)))
		require.NoError(t, err)
		require.Nil(t, link)
		login, err := b.auth.Login(anonymous(t), service.Credentials{Email: account.Email, Password: chosen})
		require.NoError(t, err)
		require.True(t, login.Account.MustChangePassword)
		account, link, err = parts(b.accounts.Reset(admin, account.ID, new(chosen+" too")))
		require.NoError(t, err)
		require.Nil(t, link)
		require.True(t, account.MustChangePassword)
		for _, password := range []string{"short", strings.Repeat("x", 200)} {
			_, err = b.accounts.Create(admin, accountInput(service.RoleClinician), &password)
			require.True(t, apperr.Is(err, apperr.Invalid), "%v", err)
			_, err = b.accounts.Reset(admin, account.ID, &password)
			require.True(t, apperr.Is(err, apperr.Invalid), "%v", err)
		}
	})
}

// A repeated request makes no second account, and does not show the link again.
func TestRepeatedInvitations(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		admin := as(t, service.RoleAdmin)
		once := service.Idempotency{Key: "key", Request: "body"}
		in := accountInput(service.RoleClinician)
		first, link, err := b.createOnce(admin, in, nil, once)
		require.NoError(t, err)
		require.NotNil(t, link)
		again, link, err := b.createOnce(admin, in, nil, once)
		require.NoError(t, err)
		require.Equal(t, first.ID, again.ID)
		require.Nil(t, link)
		_, err = b.accounts.Create(admin, in, nil)
		require.True(t, apperr.Is(err, apperr.Duplicate), "%v", err)
		for _, bad := range []service.AccountInput{
			{Email: in.Email, Name: "x"},
			{Email: "nobody", Name: "x", Roles: []string{"admin"}},
			{Email: "a@example.org", Roles: []string{"admin"}},
			{Email: "a@example.org", Name: "x", Roles: []string{"system"}},
			{Email: "a@example.org", Name: "x", Roles: []string{"integration"}},
			{Email: "a@example.org", Name: "x", Roles: []string{"Admin"}},
		} {
			_, err = b.accounts.Create(admin, bad, nil)
			require.True(t, apperr.Is(err, apperr.Invalid), "%v", err)
		}
		require.Equal(t, 1, b.count(t, "account"))
	})
}

// A disabled account loses its logins at once, and does not get them back when it is enabled.
func TestDisabling(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		admin := as(t, service.RoleAdmin)
		account, link, err := parts(b.accounts.Create(admin, accountInput(service.RoleClinician), nil))
		require.NoError(t, err)
		require.NoError(t, b.accounts.Redeem(anonymous(t), link.Token, chosen))
		login, err := b.auth.Login(anonymous(t), service.Credentials{Email: account.Email, Password: chosen})
		require.NoError(t, err)
		set := func(disabled bool) {
			t.Helper()
			_, err = b.accounts.Change(admin, account.ID, anyVersion, edit(func(in *service.AccountInput) { in.Disabled = disabled }))
			require.NoError(t, err)
		}
		out := func() {
			t.Helper()
			_, err := b.auth.Authenticate(t.Context(), login.Token)
			require.True(t, apperr.Is(err, apperr.Unauthenticated), "%v", err)
		}
		set(true)
		out()
		_, err = b.auth.Login(anonymous(t), service.Credentials{Email: account.Email, Password: chosen})
		require.True(t, apperr.Is(err, apperr.BadCredentials), "%v", err)
		_, link, err = parts(b.accounts.Reset(admin, account.ID, nil))
		require.NoError(t, err)
		require.True(t, apperr.Is(b.accounts.Redeem(anonymous(t), link.Token, chosen), apperr.BadCredentials))
		set(false)
		out()
		require.Zero(t, b.count(t, "session"))
		require.NoError(t, b.accounts.Redeem(anonymous(t), link.Token, chosen))
		set(true)
		require.Zero(t, b.count(t, "accountlink"))
		require.Len(t, b.events(t, audit.Disable), 2)
		require.Len(t, b.events(t, audit.Enable), 1)
	})
}

// New roles take effect at once, and the log has the old and the new roles.
func TestRoleChanges(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		admin := as(t, service.RoleAdmin)
		account, link, err := parts(b.accounts.Create(admin, accountInput(service.RoleClinician), nil))
		require.NoError(t, err)
		require.NoError(t, b.accounts.Redeem(anonymous(t), link.Token, chosen))
		login, err := b.auth.Login(anonymous(t), service.Credentials{Email: account.Email, Password: chosen})
		require.NoError(t, err)
		give := func(ctx context.Context, roles ...string) error {
			_, err := b.accounts.Change(ctx, account.ID, anyVersion, edit(func(in *service.AccountInput) { in.Roles = roles }))
			return err
		}
		require.NoError(t, give(admin, service.RoleAdmin, service.RoleClinician))
		session, err := b.auth.Authenticate(t.Context(), login.Token)
		require.NoError(t, err)
		require.Equal(t, []string{service.RoleAdmin, service.RoleClinician}, []string(session.Account.Roles))
		require.NoError(t, give(admin, service.RoleClinician, service.RoleAdmin), "the same set")
		events := b.events(t, audit.ChangeRoles)
		require.Len(t, events, 1)
		require.Equal(t, "from clinician to admin, clinician", *events[0].Details)
		require.Equal(t, account.ID, *events[0].EntityID)

		self := audit.WithActor(t.Context(), audit.Actor{ID: account.ID, Roles: session.Account.Roles, Origin: "test"})
		require.True(t, apperr.Is(give(self, service.RoleAdmin, service.RoleClinician, service.RoleAuditor), apperr.Forbidden))
		b.account(t, service.RoleAdmin)
		require.True(t, apperr.Is(give(self, service.RoleClinician), apperr.LastAdmin), "who is invited and never came is no admin yet")
		b.withPassword(t, service.RoleAdmin)
		require.NoError(t, give(self, service.RoleClinician))
		require.NoError(t, give(admin, service.RoleAdmin, service.RoleClinician))
		require.NoError(t, give(self, service.RoleAdmin), "one may give up a role")
		never := func(int64) bool { return false }
		_, err = b.accounts.Change(admin, account.ID, never, edit(func(*service.AccountInput) {}))
		require.True(t, apperr.Is(err, apperr.Stale), "%v", err)
		_, err = b.accounts.Change(admin, uuid.New(), anyVersion, edit(func(*service.AccountInput) {}))
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
	})
}

// One admin remains, no matter how many admins are disabled or lose the role at once on two servers.
func TestOneAdminStays(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one := newBundle(t, url)
		other := newServer(t, url, one.kek, time.Hour)
		admin := as(t, service.RoleAdmin)
		for range 3 {
			admins := make([]*models.Account, 8)
			for i := range admins {
				admins[i] = one.withPassword(t, service.RoleAdmin)
			}
			one.db.Exec("UPDATE account SET disabled = true WHERE id NOT IN ?", ids(admins))
			var kept atomic.Int64
			var racing sync.WaitGroup
			for i, a := range admins {
				racing.Go(func() {
					_, err := []*bundle{one, other}[i%2].accounts.Change(admin, a.ID, anyVersion, edit(func(in *service.AccountInput) {
						if in.Disabled = i%3 == 0; !in.Disabled {
							in.Roles = []string{service.RoleClinician}
						}
					}))
					switch {
					case apperr.Is(err, apperr.LastAdmin):
						kept.Add(1)
					case err != nil:
						t.Error(err)
					}
				})
			}
			racing.Wait()
			require.Equal(t, int64(1), kept.Load())
			no := false
			left, _, err := one.accounts.Search(admin, service.AccountQuery{Role: []string{service.RoleAdmin}, Disabled: &no}, onePage)
			require.NoError(t, err)
			require.Len(t, left, 1)
		}
	})
}

func ids(accounts []*models.Account) []uuid.UUID {
	out := make([]uuid.UUID, len(accounts))
	for i, a := range accounts {
		out[i] = a.ID
	}
	return out
}

// Practitioners lists the clinicians whose accounts are not disabled.
func TestPractitioners(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		one, two := b.account(t, service.RoleClinician), b.account(t, service.RoleAdmin, service.RoleClinician)
		b.account(t, service.RoleFrontDesk)
		gone := b.account(t, service.RoleClinician)
		_, err := b.accounts.Change(as(t, service.RoleAdmin), gone.ID, anyVersion, edit(func(in *service.AccountInput) { in.Disabled = true }))
		require.NoError(t, err)
		found, more, err := b.accounts.Practitioners(as(t, service.RoleFrontDesk), service.Page{Limit: 1})
		require.NoError(t, err)
		require.True(t, more)
		rest, more, err := b.accounts.Practitioners(as(t, service.RoleFrontDesk), service.Page{Limit: 1, After: found[0].ID})
		require.NoError(t, err)
		require.False(t, more)
		require.Equal(t, []uuid.UUID{one.ID, two.ID}, ids(append(found, rest...)))
		named, err := b.accounts.Practitioner(as(t, service.RoleAuditor), gone.ID)
		require.NoError(t, err, "a disabled account keeps its name")
		require.Equal(t, gone.Name, named.Name)
		_, err = b.accounts.Practitioner(as(t, service.RoleAuditor), uuid.New())
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
		_, _, err = b.accounts.Search(as(t, service.RoleAdmin), service.AccountQuery{Role: []string{service.RoleAdmin, "nobody"}}, onePage)
		require.True(t, apperr.Is(err, apperr.Invalid), "%v", err)
	})
}

// An admin can remove the second factor of an owner that lost it. The password stays the same.
func TestRemovingASecondFactor(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		enrolled(t, b)
		with := service.Credentials{Email: email, Password: password}
		_, err := b.auth.Login(anonymous(t), with)
		require.True(t, apperr.Is(err, apperr.TOTPNeeded), "%v", err)
		admin := as(t, service.RoleAdmin)
		account, err := b.accounts.ByEmail(admin, email)
		require.NoError(t, err)
		_, err = b.accounts.Reset(admin, account.ID, new(password+" anew"))
		require.NoError(t, err)
		with.Password += " anew"
		_, err = b.auth.Login(anonymous(t), with)
		require.True(t, apperr.Is(err, apperr.TOTPNeeded), "a new password does not do away with it: %v", err)
		for range 2 {
			account, err = b.accounts.Change(admin, account.ID, anyVersion, edit(func(in *service.AccountInput) { in.RemoveSecondFactor = true }))
			require.NoError(t, err)
			require.Nil(t, account.MFASince)
		}
		require.Len(t, b.events(t, audit.DisableMFA), 1)
		require.Zero(t, b.count(t, "secondfactor")+b.count(t, "recoverycode"))
		_, err = b.auth.Login(anonymous(t), with)
		require.NoError(t, err)
	})
}

// API keys end with their account, or with its permission to make keys, and do not come back.
func TestKeysDieWithTheirAccount(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		admin := as(t, service.RoleAdmin)
		b.account(t, service.RoleAdmin) // the admin that remains
		for name, c := range map[string]struct{ take, giveBack func(*service.AccountInput) }{
			"disabled": {
				func(in *service.AccountInput) { in.Disabled = true },
				func(in *service.AccountInput) { in.Disabled = false },
			},
			"no admin any more": {
				func(in *service.AccountInput) { in.Roles = []string{service.RoleClinician} },
				func(in *service.AccountInput) { in.Roles = []string{service.RoleAdmin} },
			},
		} {
			account := b.account(t, service.RoleAdmin)
			mine := audit.WithActor(t.Context(), audit.Actor{ID: account.ID, Roles: account.Roles, Origin: "test"})
			_, secret, err := keyParts(b.apiKeys.Create(mine, keyInput()))
			require.NoError(t, err)
			change := func(how func(*service.AccountInput)) {
				t.Helper()
				_, err := b.accounts.Change(admin, account.ID, anyVersion, edit(how))
				require.NoError(t, err)
			}
			change(func(in *service.AccountInput) { in.Name = "Other" })
			_, err = b.auth.Authenticate(t.Context(), secret)
			require.NoError(t, err, name)
			for _, how := range []func(*service.AccountInput){c.take, c.giveBack} {
				change(how)
				_, err = b.auth.Authenticate(t.Context(), secret)
				require.True(t, apperr.Is(err, apperr.Unauthenticated), "%s: %v", name, err)
			}
			require.Zero(t, b.count(t, "apikey"), name)
		}
	})
}
