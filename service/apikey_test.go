package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

func keyInput() service.APIKeyInput {
	return service.APIKeyInput{Name: "laboratory", Scopes: []string{"patient.read"}, ExpiresAt: time.Now().Add(time.Hour)}
}

// onAccount gives the actor of ctx an existing account, because a key belongs to an account.
func (b *bundle) onAccount(t *testing.T, ctx context.Context) context.Context {
	t.Helper()
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return ctx
	}
	actor.ID = b.account(t, service.RoleAdmin).ID
	return audit.WithActor(ctx, actor)
}

// apiKey makes a key.
func (b *bundle) apiKey(t *testing.T) *models.APIKey {
	t.Helper()
	key, _, err := keyParts(b.apiKeys.Create(b.onAccount(t, as(t, service.RoleAdmin)), keyInput()))
	require.NoError(t, err)
	return key
}

// A revoked key is refused at once on the server that revoked it, and soon on all others.
func TestRevokedKeysReachEveryServer(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		one, two := withServers(t, url)
		key, secret, err := keyParts(one.apiKeys.Create(one.onAccount(t, as(t, service.RoleAdmin)), keyInput()))
		require.NoError(t, err)
		for _, b := range []*bundle{one, two} {
			caller, err := b.auth.Authenticate(t.Context(), secret)
			require.NoError(t, err)
			require.True(t, caller.Machine())
			actor := caller.Actor()
			require.Equal(t, []string{service.RoleIntegration}, actor.Roles)
			require.Equal(t, []string{"patient.read"}, actor.Scopes)
			require.Equal(t, key.ID, actor.APIKeyID)
		}
		require.NoError(t, one.apiKeys.Revoke(as(t, service.RoleAdmin), key.ID, anyVersion))
		_, err = one.auth.Authenticate(t.Context(), secret)
		require.True(t, apperr.Is(err, apperr.Unauthenticated), "%v", err)
		t.Logf("the other server refused it after %v", awaitRefusal(t, two, secret))
	})
}

// A key without scopes has no permission, even if its scopes were changed in the database.
func TestAKeyWithoutScopesHasNone(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		for _, scopes := range []string{"[]", "null"} {
			key, secret, err := keyParts(b.apiKeys.Create(b.onAccount(t, as(t, service.RoleAdmin)), keyInput()))
			require.NoError(t, err)
			require.NoError(t, b.db.Exec("UPDATE apikey SET scopes = ? WHERE id = ?", scopes, key.ID.String()).Error)
			caller, err := b.auth.Authenticate(t.Context(), secret)
			require.NoError(t, err)
			actor := caller.Actor()
			actor.Origin = "test"
			_, _, err = b.patients.Search(audit.WithActor(t.Context(), actor), models.PatientQuery{}, onePage)
			require.True(t, apperr.Is(err, apperr.Forbidden), "%v", err)
		}
	})
}
