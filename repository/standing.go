package repository

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/models"
)

// HoldActor returns the account of who acts by a session or an API key, as it is now, and keeps it so until the transaction of ctx ends. It returns a
// NotFound error where the account is disabled, or the session or the key has ended.
func (s *Store) HoldActor(ctx context.Context, actor audit.Actor) (*models.Account, error) {
	account, err := NewAccountRepository(s).Hold(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	by, id := s.handle(ctx).Model(&models.Session{}), actor.SessionID
	if actor.APIKeyID != uuid.Nil {
		by, id = s.handle(ctx).Model(&models.APIKey{}), actor.APIKeyID
	}
	var n int64
	if err := by.Where("id = ? AND account_id = ?", id, account.ID).Count(&n).Error; err != nil {
		return nil, translate(err)
	}
	if account.Disabled || n == 0 {
		return nil, translate(gorm.ErrRecordNotFound)
	}
	return account, nil
}
