package repository

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/models"
)

// APIKeyRepository finds and keeps API keys.
type APIKeyRepository struct{ Base[models.APIKey] }

// NewAPIKeyRepository returns the API keys of a store.
func NewAPIKeyRepository(s *Store) *APIKeyRepository {
	return &APIKeyRepository{Base[models.APIKey]{s}}
}

// ByHash returns the unexpired key with this hash, its account, and the time of its last use. It returns a NotFound
// error.
func (r *APIKeyRepository) ByHash(ctx context.Context, hash string, now time.Time) (*models.APIKey, error) {
	var k models.APIKey
	err := r.store.handle(ctx).Preload("Account").Preload("Use").Where("key_hash = ? AND expires_at > ?", hash, now).Take(&k).Error
	if err != nil {
		return nil, translate(err)
	}
	return &k, nil
}

// ByID is Base.ByID, and also loads the time of the key's last use.
func (r *APIKeyRepository) ByID(ctx context.Context, id uuid.UUID) (*models.APIKey, error) {
	var k models.APIKey
	if err := r.store.handle(ctx).Preload("Use").Where("id = ?", id).Take(&k).Error; err != nil {
		return nil, translate(err)
	}
	return &k, nil
}

// List is Base.List, and also loads the time of each key's last use.
func (r *APIKeyRepository) List(ctx context.Context, page Page) ([]*models.APIKey, bool, error) {
	return r.Base.List(ctx, page, func(db *gorm.DB) *gorm.DB { return db.Preload("Use") })
}

// Touch notes that a key is used. It runs a transaction of its own: call it outside of any other.
func (r *APIKeyRepository) Touch(ctx context.Context, id uuid.UUID, now time.Time) error {
	return r.store.transact(ctx, func(tx *transaction) error {
		return translate(tx.db.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "api_key_id"}}, DoUpdates: clause.AssignmentColumns([]string{"last_used_at"}),
		}).Create(&models.APIKeyUse{APIKeyID: id, LastUsedAt: now}).Error)
	})
}

// RevokeAll removes the keys of an account.
func (r *APIKeyRepository) RevokeAll(ctx context.Context, accountID uuid.UUID) error {
	var keys []*models.APIKey
	if err := r.store.handle(ctx).Where("account_id = ?", accountID).Order("id").Find(&keys).Error; err != nil {
		return translate(err)
	}
	for _, k := range keys {
		if err := r.Delete(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// Delete is Base.Delete. From then on, the key no longer authenticates anyone.
func (r *APIKeyRepository) Delete(ctx context.Context, k *models.APIKey) error {
	r.store.revoke(ctx, k.AccountID)
	return r.Base.Delete(ctx, k)
}
