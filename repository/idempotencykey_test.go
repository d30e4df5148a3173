package repository_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/repository"
)

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		keys := repository.NewIdempotencyKeyRepository(store)
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		expires := now.Add(24 * time.Hour)
		account, made := uuid.New(), uuid.New()
		remember := func(id uuid.UUID, now, expires time.Time) error {
			return store.InTx(actor(t.Context()), func(ctx context.Context) error {
				return keys.Remember(ctx, account, "key", "canary body", id, now, expires)
			})
		}
		require.NoError(t, remember(made, now, expires))
		for _, c := range []struct {
			name, key, request string
			account            uuid.UUID
			at                 time.Time
			want               uuid.UUID
			code               apperr.Code
		}{
			{"the same again", "key", "canary body", account, now, made, ""},
			{"just before it expires", "key", "canary body", account, expires.Add(-time.Microsecond), made, ""},
			{"expired", "key", "canary body", account, expires, uuid.Nil, ""},
			{"expired, with another body", "key", "other body", account, expires, uuid.Nil, ""},
			{"another body", "key", "other body", account, now, uuid.Nil, apperr.KeyReused},
			{"another key", "other", "canary body", account, now, uuid.Nil, ""},
			{"another account", "key", "other body", uuid.New(), now, uuid.Nil, ""},
		} {
			got, err := keys.Find(t.Context(), c.account, c.key, c.request, c.at)
			require.Equal(t, c.code, apperr.CodeOf(err), c.name)
			require.Equal(t, c.want, got, c.name)
		}
		require.True(t, apperr.Is(remember(uuid.New(), now, expires), apperr.Duplicate))
		renewed := uuid.New()
		require.NoError(t, remember(renewed, expires, expires.Add(time.Hour)), "an expired key may be used again")
		got, err := keys.Find(t.Context(), account, "key", "canary body", expires)
		require.NoError(t, err)
		require.Equal(t, renewed, got)

		var stored []map[string]any
		require.NoError(t, dbtest.Open(t, url).Raw("SELECT key_hash, request_hash FROM idempotencykey").Scan(&stored).Error)
		require.Len(t, stored, 1)
		for _, hash := range stored[0] {
			require.Regexp(t, `^bi1:[0-9a-f]{8}:idempotency_[a-z]+:[0-9a-f]{64}$`, hash)
		}
	})
}
