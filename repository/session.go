package repository

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/apperr"
	"novamind/models"
)

// SessionRepository finds and keeps sessions.
type SessionRepository struct{ Base[models.Session] }

// NewSessionRepository returns the sessions of a store.
func NewSessionRepository(s *Store) *SessionRepository {
	return &SessionRepository{Base[models.Session]{s}}
}

// ByTokenHash returns the session of a token with its account, unless it has expired or was last used before
// idleSince. It returns a NotFound error.
func (r *SessionRepository) ByTokenHash(ctx context.Context, hash string, now, idleSince time.Time) (*models.Session, error) {
	var s models.Session
	err := r.store.handle(ctx).Preload("Account").
		Where("token_hash = ? AND expires_at > ? AND last_seen_at > ?", hash, now, idleSince).Take(&s).Error
	if err != nil {
		return nil, translate(err)
	}
	return &s, nil
}

// OfAccount returns one page of the active sessions of an account, and whether there are more.
func (r *SessionRepository) OfAccount(ctx context.Context, accountID uuid.UUID, now, idleSince time.Time, page Page) ([]*models.Session, bool, error) {
	return r.List(ctx, page, func(db *gorm.DB) *gorm.DB {
		return db.Where("account_id = ? AND expires_at > ? AND last_seen_at > ?", accountID, now, idleSince)
	})
}

// Touch notes that a session is used. It runs a transaction of its own: call it outside of any other.
func (r *SessionRepository) Touch(ctx context.Context, id uuid.UUID, now time.Time) error {
	return r.store.transact(ctx, func(tx *transaction) error {
		return translate(tx.db.Model(&models.Session{}).Where("id = ? AND last_seen_at < ?", id, now).UpdateColumn("last_seen_at", now).Error)
	})
}

// End removes a session of an account. It returns a NotFound error.
func (r *SessionRepository) End(ctx context.Context, accountID, id uuid.UUID) error {
	r.store.revoke(ctx, accountID)
	db := r.store.handle(ctx).Where("id = ? AND account_id = ?", id, accountID).Delete(&models.Session{})
	if db.Error == nil && db.RowsAffected == 0 {
		return apperr.New(apperr.NotFound, "There is no such session.")
	}
	return translate(db.Error)
}

// EndOthers removes all sessions of an account but keep.
func (r *SessionRepository) EndOthers(ctx context.Context, accountID, keep uuid.UUID) error {
	r.store.revoke(ctx, accountID)
	return translate(r.store.handle(ctx).Where("account_id = ? AND id <> ?", accountID, keep).Delete(&models.Session{}).Error)
}

// RemoveEnded removes the sessions that have expired, or were last used before idleSince.
func (r *SessionRepository) RemoveEnded(ctx context.Context, now, idleSince time.Time) error {
	return translate(r.store.handle(ctx).Where("expires_at <= ? OR last_seen_at <= ?", now, idleSince).Delete(&models.Session{}).Error)
}
