package repository

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/models"
)

// RiskFlagRepository keeps flags of risk.
type RiskFlagRepository struct{ Base[models.RiskFlag] }

// NewRiskFlagRepository returns the flags of a store.
func NewRiskFlagRepository(s *Store) *RiskFlagRepository {
	return &RiskFlagRepository{Base[models.RiskFlag]{s}}
}

// Of returns one page of a patient's flags in scope, and whether there are more. If open is true, it returns only
// unresolved flags.
func (r *RiskFlagRepository) Of(ctx context.Context, patientID uuid.UUID, open bool, scope RecordScope, page Page) ([]*models.RiskFlag, bool, error) {
	return r.List(ctx, page, ofPatient(patientID), scope.where(visibleFlag), unresolved(open))
}

func unresolved(only bool) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		if only {
			db = db.Where("resolved_at IS NULL")
		}
		return db
	}
}

// InScope returns a flag in scope. It returns a NotFound error if there is none in scope, or an Unreadable error.
func (r *RiskFlagRepository) InScope(ctx context.Context, id uuid.UUID, scope RecordScope) (*models.RiskFlag, error) {
	var f models.RiskFlag
	if err := r.store.handle(ctx).Scopes(scope.where(visibleFlag)).Where("id = ?", id).Take(&f).Error; err != nil {
		return nil, translate(err)
	}
	return &f, nil
}

// Raised reports whether a record has raised a flag, or another version of the record a flag that is unresolved. It
// shows nothing of the flag.
func (r *RiskFlagRepository) Raised(ctx context.Context, recordID uuid.UUID) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.RiskFlag{}).Where("record_id = ? OR "+awaiting, recordID, recordID).Count(&n).Error
	return n > 0, translate(err)
}

// awaiting is the condition on an unresolved flag that some version of a record has raised.
const awaiting = "resolved_at IS NULL AND record_id IN (" + versions + ")"

// Awaiting returns the unresolved flags that any version of a record has raised. It returns an Unreadable error.
func (r *RiskFlagRepository) Awaiting(ctx context.Context, recordID uuid.UUID) ([]*models.RiskFlag, error) {
	var rows []*models.RiskFlag
	err := r.store.handle(ctx).Where(awaiting, recordID).Find(&rows).Error
	return rows, translate(err)
}
