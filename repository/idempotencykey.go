package repository

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/phi"
	"novamind/models"
)

// IdempotencyKeyRepository remembers the resources that repeatable requests created.
type IdempotencyKeyRepository struct{ Base[models.IdempotencyKey] }

// NewIdempotencyKeyRepository returns the idempotency keys of a store.
func NewIdempotencyKeyRepository(s *Store) *IdempotencyKeyRepository {
	return &IdempotencyKeyRepository{Base[models.IdempotencyKey]{s}}
}

// A request's hash is keyed, like a blind index: a body with PHI could be guessed from a plain hash.
var (
	keyTerm     = phi.Term{Table: "idempotencykey", Column: "key_hash", Purpose: "idempotency_key", Bits: 256}
	requestTerm = phi.Term{Table: "idempotencykey", Column: "request_hash", Purpose: "idempotency_request", Bits: 256}
)

// Find returns the id of the resource that the account's request with this key created, or Nil if there was no such
// request. It returns a KeyReused error if that request was a different one.
func (r *IdempotencyKeyRepository) Find(ctx context.Context, accountID uuid.UUID, key, request string, now time.Time) (uuid.UUID, error) {
	keyHash, requestHash, err := r.hashes(key, request)
	if err != nil {
		return uuid.Nil, err
	}
	var rows []models.IdempotencyKey
	db := r.store.handle(ctx).Where("account_id = ? AND key_hash = ? AND expires_at > ?", accountID, keyHash, now)
	if err := db.Find(&rows).Error; err != nil {
		return uuid.Nil, translate(err)
	}
	if len(rows) == 0 {
		return uuid.Nil, nil
	}
	if subtle.ConstantTimeCompare([]byte(rows[0].RequestHash), []byte(requestHash)) != 1 {
		return uuid.Nil, apperr.New(apperr.KeyReused, "This Idempotency-Key was used with another request. Choose a new one.")
	}
	return rows[0].EntityID, nil
}

// Remember stores the id of the resource that a request created, and removes expired keys. It returns a Duplicate
// error if the same key was stored in the meantime.
func (r *IdempotencyKeyRepository) Remember(ctx context.Context, accountID uuid.UUID, key, request string, entityID uuid.UUID, now, expires time.Time) error {
	keyHash, requestHash, err := r.hashes(key, request)
	if err != nil {
		return err
	}
	if err := r.store.handle(ctx).Where("expires_at <= ?", now).Delete(&models.IdempotencyKey{}).Error; err != nil {
		return translate(err)
	}
	return r.Create(ctx, &models.IdempotencyKey{
		AccountID: accountID, KeyHash: keyHash, RequestHash: requestHash, EntityID: entityID, ExpiresAt: expires,
	})
}

func (r *IdempotencyKeyRepository) hashes(key, request string) (keyHash, requestHash string, err error) {
	indexer := r.store.keyring.Indexer()
	if keyHash, err = indexer.Token(keyTerm, key); err == nil {
		requestHash, err = indexer.Token(requestTerm, request)
	}
	return keyHash, requestHash, translate(err)
}
