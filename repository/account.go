package repository

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/phi"
	"novamind/models"
)

// AccountRepository finds and keeps accounts.
type AccountRepository struct{ Base[models.Account] }

// NewAccountRepository returns the accounts of a store.
func NewAccountRepository(s *Store) *AccountRepository {
	return &AccountRepository{Base[models.Account]{s}}
}

// ByEmail returns the account with this e-mail, in any case. It returns a NotFound error.
func (r *AccountRepository) ByEmail(ctx context.Context, email string) (*models.Account, error) {
	email = phi.NormalizeText(email)
	if strings.ContainsRune(email, 0) { // PostgreSQL's text can't hold it, and refuses the question
		return nil, translate(gorm.ErrRecordNotFound)
	}
	var a models.Account
	if err := r.store.handle(ctx).Where("email = ?", email).Take(&a).Error; err != nil {
		return nil, translate(err)
	}
	return &a, nil
}

// Hold returns an account as it is now, and keeps it so until the transaction of ctx ends. It returns a NotFound error.
func (r *AccountRepository) Hold(ctx context.Context, id uuid.UUID) (*models.Account, error) {
	db := r.store.handle(ctx)
	if r.store.engine == PostgreSQL { // SQLite has one writer at a time
		db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthShare})
	}
	var a models.Account
	if err := db.Where("id = ?", id).Take(&a).Error; err != nil {
		return nil, translate(err)
	}
	return &a, nil
}

// Any reports whether there is an account.
func (r *AccountRepository) Any(ctx context.Context) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Account{}).Limit(1).Count(&n).Error
	return n > 0, translate(err)
}
