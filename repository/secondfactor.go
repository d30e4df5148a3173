package repository

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"novamind/models"
)

// SecondFactorRepository keeps second factors, and their used codes. Call its methods inside a transaction.
type SecondFactorRepository struct{ Base[models.SecondFactor] }

// NewSecondFactorRepository returns the second factors of a store.
func NewSecondFactorRepository(s *Store) *SecondFactorRepository {
	return &SecondFactorRepository{Base[models.SecondFactor]{s}}
}

// OfAccount returns an account's second factor, to check a code against. The row counts as not shown. It returns a
// NotFound or an Unreadable error.
func (r *SecondFactorRepository) OfAccount(ctx context.Context, accountID uuid.UUID) (*models.SecondFactor, error) {
	var f models.SecondFactor
	if err := r.store.handle(ctx).Where("account_id = ?", accountID).Take(&f).Error; err != nil {
		return nil, translate(err)
	}
	withhold(ctx, []*models.SecondFactor{&f})
	return &f, nil
}

// Advance notes that a code of a time step was used, and reports whether this was its first use. Of several
// concurrent callers, one gets true. A step before the newest used step counts as used.
func (r *SecondFactorRepository) Advance(ctx context.Context, accountID uuid.UUID, step int64) (bool, error) {
	db := r.store.handle(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "account_id"}},
		DoUpdates: clause.Assignments(map[string]any{"step": step}),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Lt{Column: clause.Column{Table: "totpuse", Name: "step"}, Value: step}}},
	}).Create(&models.TOTPUse{AccountID: accountID, Step: step})
	return db.RowsAffected == 1, translate(db.Error)
}

// ReplaceRecoveryCodes replaces all recovery codes of an account.
func (r *SecondFactorRepository) ReplaceRecoveryCodes(ctx context.Context, accountID uuid.UUID, hashes []string) error {
	db := r.store.handle(ctx)
	if err := db.Where("account_id = ?", accountID).Delete(&models.RecoveryCode{}).Error; err != nil || len(hashes) == 0 {
		return translate(err)
	}
	rows := make([]models.RecoveryCode, len(hashes))
	for i, hash := range hashes {
		rows[i] = models.RecoveryCode{AccountID: accountID, CodeHash: hash}
	}
	return translate(db.Create(&rows).Error)
}

// UseRecoveryCode removes a recovery code, and reports whether there was one.
func (r *SecondFactorRepository) UseRecoveryCode(ctx context.Context, accountID uuid.UUID, hash string) (bool, error) {
	db := r.store.handle(ctx).Where("account_id = ? AND code_hash = ?", accountID, hash).Delete(&models.RecoveryCode{})
	return db.RowsAffected == 1, translate(db.Error)
}
