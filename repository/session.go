package repository

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/models"
)

// SessionRepository finds and keeps sessions.
type SessionRepository struct{ Base[models.Session] }

// NewSessionRepository returns the sessions of a store.
func NewSessionRepository(s *Store) *SessionRepository {
	return &SessionRepository{Base[models.Session]{s}}
}

// ByTokenHash returns the unexpired session of a token with its account. It returns a NotFound error.
func (r *SessionRepository) ByTokenHash(ctx context.Context, hash string, now time.Time) (*models.Session, error) {
	var s models.Session
	err := r.store.handle(ctx).Preload("Account").Where("token_hash = ? AND expires_at > ?", hash, now).Take(&s).Error
	if err != nil {
		return nil, translate(err)
	}
	return &s, nil
}

// End removes a session.
func (r *SessionRepository) End(ctx context.Context, id uuid.UUID) error {
	return translate(r.store.handle(ctx).Where("id = ?", id).Delete(&models.Session{}).Error)
}

// EndOthers removes the sessions of an account but one.
func (r *SessionRepository) EndOthers(ctx context.Context, accountID, keep uuid.UUID) error {
	return translate(r.store.handle(ctx).Where("account_id = ? AND id <> ?", accountID, keep).Delete(&models.Session{}).Error)
}

// RemoveExpired removes the sessions that ended before now.
func (r *SessionRepository) RemoveExpired(ctx context.Context, now time.Time) error {
	return translate(r.store.handle(ctx).Where("expires_at <= ?", now).Delete(&models.Session{}).Error)
}
