package repository

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/models"
)

// Actor returns the account of an actor with a session or an API key, as it is now. It returns a NotFound error if
// the account is disabled, or if the session or the key has ended.
func (s *Store) Actor(ctx context.Context, actor audit.Actor) (*models.Account, error) {
	account, err := NewAccountRepository(s).ByID(ctx, actor.ID)
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

// HoldActor is Actor, and keeps the account unchanged until the transaction of ctx ends.
func (s *Store) HoldActor(ctx context.Context, actor audit.Actor) (*models.Account, error) {
	if _, err := NewAccountRepository(s).Hold(ctx, actor.ID); err != nil {
		return nil, err
	}
	return s.Actor(ctx, actor)
}
