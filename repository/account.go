package repository

import (
	"context"
	"strings"

	"gorm.io/gorm"

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

// Any reports whether there is an account.
func (r *AccountRepository) Any(ctx context.Context) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Account{}).Limit(1).Count(&n).Error
	return n > 0, translate(err)
}
