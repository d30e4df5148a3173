package repository

import (
	"context"

	"gorm.io/gorm/clause"

	"novamind/internal/phi"
	"novamind/models"
)

// KeysetRepository keeps the wrapped keysets.
type KeysetRepository struct{ Base[models.Keyset] }

// NewKeysetRepository returns the keysets of a store.
func NewKeysetRepository(s *Store) *KeysetRepository {
	return &KeysetRepository{Base[models.Keyset]{s}}
}

// ByPurpose returns one keyset, locked until the transaction of ctx ends. It returns a NotFound error.
func (r *KeysetRepository) ByPurpose(ctx context.Context, p phi.Purpose) (*models.Keyset, error) {
	var row models.Keyset
	db := r.store.handle(ctx)
	if r.store.engine == PostgreSQL {
		db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	if err := db.Where("purpose = ?", string(p)).Take(&row).Error; err != nil {
		return nil, translate(err)
	}
	return &row, nil
}

// IndexScheme returns the scheme by which this program makes tokens.
func (r *KeysetRepository) IndexScheme() string { return r.store.keyring.Indexer().Scheme() }

// Hold returns all keysets, locked until the transaction of ctx ends, so that no other process changes a key in the
// meantime. It returns a NotFound error if one is missing.
func (r *KeysetRepository) Hold(ctx context.Context) ([]*models.Keyset, error) {
	rows := make([]*models.Keyset, 0, len(phi.Purposes()))
	for _, p := range phi.Purposes() { // in a fixed order, so that two processes don't wait for each other
		row, err := r.ByPurpose(ctx, p)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// addMissing stores a database's first keysets. Keysets that another process stored first stay.
func (r *KeysetRepository) addMissing(ctx context.Context, wrapped map[phi.Purpose]string) error {
	rows := make([]models.Keyset, 0, len(wrapped))
	for _, p := range phi.Purposes() { // in a fixed order, so that two processes don't wait for each other
		if wrapped[p] != "" {
			rows = append(rows, models.Keyset{Purpose: string(p), Wrapped: wrapped[p]})
		}
	}
	onConflict := clause.OnConflict{Columns: []clause.Column{{Name: "purpose"}}, DoNothing: true}
	return translate(r.store.handle(ctx).Clauses(onConflict).Create(&rows).Error)
}
