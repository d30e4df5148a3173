package service_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// session logs in an account with the password chosen, and returns the context of its requests.
func (b *bundle) session(t *testing.T, account *models.Account) context.Context {
	t.Helper()
	l, err := b.auth.Login(anonymous(t), service.Credentials{Email: account.Email, Password: chosen})
	require.NoError(t, err)
	return holding(t, b, l)
}

// changes are some changes, mainly of permissions, by a request that was let in already.
func (b *bundle) changes(t *testing.T) map[string]func(context.Context) error {
	t.Helper()
	patient, clinician, key := b.register(t), b.account(t, service.RoleClinician), b.apiKey(t)
	return map[string]func(context.Context) error{
		"account": func(ctx context.Context) error {
			_, err := b.accounts.Create(ctx, accountInput(service.RoleAdmin), nil)
			return err
		},
		"change": func(ctx context.Context) error {
			_, err := b.accounts.Change(ctx, clinician.ID, anyVersion, edit(func(in *service.AccountInput) { in.Name = "Other" }))
			return err
		},
		"reset": func(ctx context.Context) error {
			_, err := b.accounts.Reset(ctx, clinician.ID, nil)
			return err
		},
		"key": func(ctx context.Context) error {
			_, err := b.apiKeys.Create(ctx, keyInput())
			return err
		},
		"assignment": func(ctx context.Context) error {
			_, err := b.carers.Assign(ctx, patient.ID, clinician.ID)
			return err
		},
		"emergency": func(ctx context.Context) error {
			_, _, err := b.emergencies.Open(ctx, service.BreakGlassInput{PatientID: &patient.ID, Reason: emergency})
			return err
		},
		"patient": func(ctx context.Context) error {
			_, err := b.patients.Register(ctx, another(input()))
			return err
		},
		"revocation": func(ctx context.Context) error { return b.apiKeys.Revoke(ctx, key.ID, anyVersion) },
	}
}

// A change is decided by the permissions that the actor has at the time of the change, not by those at the start of
// the request. This holds for all changes, above all for those of permissions.
func TestChangesTakeTheRightsOfTheirMoment(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.withPassword(t, service.RoleAdmin) // the admin that remains
		admin := as(t, service.RoleAdmin)
		for name, end := range map[string]func(*models.Account){
			"disabled": func(a *models.Account) {
				_, err := b.accounts.Change(admin, a.ID, anyVersion, edit(func(in *service.AccountInput) { in.Disabled = true }))
				require.NoError(t, err)
			},
			"demoted": func(a *models.Account) {
				_, err := b.accounts.Change(admin, a.ID, anyVersion, edit(func(in *service.AccountInput) { in.Roles = []string{service.RoleAuditor} }))
				require.NoError(t, err)
			},
			"reset": func(a *models.Account) {
				_, err := b.accounts.Reset(admin, a.ID, nil)
				require.NoError(t, err)
			},
		} {
			account := b.withPassword(t, service.Roles()...)
			ctx := b.session(t, account)
			tried := b.changes(t)
			end(account)
			for what, change := range tried {
				require.True(t, apperr.Is(change(ctx), apperr.Forbidden), "%s, %s", name, what)
			}
			denials := 0
			actor, err := audit.ActorFrom(ctx)
			require.NoError(t, err)
			require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE outcome = 'denied' AND user_id = ?", actor.ID.String()).Scan(&denials).Error)
			require.Equal(t, len(tried), denials, name)
		}
		front := b.withPassword(t, service.RoleFrontDesk)
		ctx := b.session(t, front)
		_, err := b.accounts.Change(admin, front.ID, anyVersion, edit(func(in *service.AccountInput) { in.Roles = []string{service.RoleClinician} }))
		require.NoError(t, err)
		_, err = b.patients.Change(ctx, b.register(t).ID, anyVersion, func(p *models.Patient) (service.PatientInput, error) { return input(), nil })
		require.True(t, apperr.Is(err, apperr.Forbidden), "a role that reaches less far: %v", err)

		ctx = b.session(t, b.withPassword(t, service.Roles()...))
		for what, change := range b.changes(t) {
			require.NoError(t, change(ctx), what)
		}
	})
}

// A key works as long as its account may have one, no matter how the key was made.
func TestKeysNeedAnAdmin(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		for _, role := range service.Roles() {
			account := b.account(t, role)
			ctx := audit.WithActor(t.Context(), audit.Actor{ID: account.ID, Roles: []string{service.RoleAdmin}, Origin: "test"})
			_, secret, err := keyParts(b.apiKeys.Create(ctx, keyInput()))
			require.NoError(t, err)
			_, err = b.auth.Authenticate(t.Context(), secret)
			require.Equal(t, role != service.RoleAdmin, apperr.Is(err, apperr.Unauthenticated), "%s: %v", role, err)
		}
	})
}

// A stolen session cannot remove the password or the second factor of its own account.
func TestNobodyResetsThemselves(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		secret, _ := enrolled(t, b)
		l, err := b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: password, Code: code(t, secret)})
		require.NoError(t, err)
		mine := holding(t, b, l)
		for _, chose := range []*string{nil, new(chosen)} {
			_, err = b.accounts.Reset(mine, l.Account.ID, chose)
			require.True(t, apperr.Is(err, apperr.Forbidden), "%v", err)
		}
		_, err = b.accounts.Change(mine, l.Account.ID, anyVersion, edit(func(in *service.AccountInput) { in.RemoveSecondFactor = true }))
		require.True(t, apperr.Is(err, apperr.Forbidden), "%v", err)
		_, err = b.accounts.Change(mine, l.Account.ID, anyVersion, edit(func(in *service.AccountInput) { in.Name = "Other" }))
		require.NoError(t, err)
		require.Equal(t, 1, b.count(t, "secondfactor"))
	})
}

// A repeat with another password is another request. So is any repeat after the password was changed.
func TestRepeatsKnowThePassword(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		admin, in, other := as(t, service.RoleAdmin), accountInput(service.RoleAdmin), chosen+" too"
		once := service.Idempotency{Key: "key", Request: "body"}
		create := func(password string) error {
			_, _, err := b.createOnce(admin, in, &password, once)
			return err
		}
		require.NoError(t, create(chosen))
		require.NoError(t, create(chosen))
		require.True(t, apperr.Is(create(other), apperr.KeyReused))
		account, err := b.accounts.ByEmail(admin, in.Email)
		require.NoError(t, err)
		_, err = b.accounts.Repeated(admin, account.ID, new(chosen))
		require.NoError(t, err)
		_, err = b.accounts.Repeated(admin, account.ID, &other)
		require.True(t, apperr.Is(err, apperr.KeyReused), "%v", err)
		require.NoError(t, b.auth.SetPassword(b.session(t, account), chosen, other))
		for _, guess := range []string{chosen, other} {
			require.True(t, apperr.Is(create(guess), apperr.KeyReused))
		}
		_, err = b.accounts.Repeated(admin, uuid.New(), nil)
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
	})
}
