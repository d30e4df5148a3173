package repository

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/models"
)

// BreakGlassRepository keeps emergency accesses.
type BreakGlassRepository struct{ Base[models.BreakGlass] }

// NewBreakGlassRepository returns the emergency accesses of a store.
func NewBreakGlassRepository(s *Store) *BreakGlassRepository {
	return &BreakGlassRepository{Base[models.BreakGlass]{s}}
}

// Active returns an account's unexpired emergency accesses, the newest first.
func (r *BreakGlassRepository) Active(ctx context.Context, accountID uuid.UUID, now time.Time) ([]*models.BreakGlass, error) {
	var rows []*models.BreakGlass
	err := r.store.handle(ctx).Where("account_id = ? AND expires_at > ?", accountID, now).Order("id DESC").Find(&rows).Error
	return rows, translate(err)
}

// Untold returns the emergency accesses opened at since or later that were not reported yet, the oldest first, at
// most limit.
func (r *BreakGlassRepository) Untold(ctx context.Context, since time.Time, limit int) ([]*models.BreakGlass, error) {
	var rows []*models.BreakGlass
	err := r.store.handle(ctx).Where("told_at IS NULL AND created_at >= ?", since).Order("id").Limit(limit).Find(&rows).Error
	return rows, translate(err)
}

// Told notes that an emergency access was reported at a time.
func (r *BreakGlassRepository) Told(ctx context.Context, id uuid.UUID, at time.Time) error {
	return translate(r.store.handle(ctx).Model(&models.BreakGlass{}).Where("id = ?", id).UpdateColumn("told_at", at).Error)
}
