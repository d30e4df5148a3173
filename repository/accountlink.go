package repository

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"novamind/models"
)

// AccountLinkRepository keeps the one-time links of accounts.
type AccountLinkRepository struct{ Base[models.AccountLink] }

// NewAccountLinkRepository returns the links of a store.
func NewAccountLinkRepository(s *Store) *AccountLinkRepository {
	return &AccountLinkRepository{Base[models.AccountLink]{s}}
}

// Replace stores an account's link in place of any earlier one.
func (r *AccountLinkRepository) Replace(ctx context.Context, link *models.AccountLink) error {
	if err := r.Revoke(ctx, link.AccountID); err != nil {
		return err
	}
	return r.Create(ctx, link)
}

// Revoke removes an account's link, if there is one.
func (r *AccountLinkRepository) Revoke(ctx context.Context, accountID uuid.UUID) error {
	return translate(r.store.handle(ctx).Where("account_id = ?", accountID).Delete(&models.AccountLink{}).Error)
}

// Take removes the unexpired link of a token and returns it. Of several concurrent callers, one gets the link. The
// others get a NotFound error, as for an unknown token.
func (r *AccountLinkRepository) Take(ctx context.Context, hash string, now time.Time) (*models.AccountLink, error) {
	db := r.store.handle(ctx).Where("token_hash = ? AND expires_at > ?", hash, now)
	if r.store.engine == PostgreSQL { // SQLite has one writer at a time
		db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	var link models.AccountLink
	if err := db.Take(&link).Error; err != nil {
		return nil, translate(err)
	}
	return &link, r.Revoke(ctx, link.AccountID)
}
