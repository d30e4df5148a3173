package repository

import (
	"context"

	"gorm.io/gorm/clause"

	"novamind/internal/phi"
	"novamind/models"
)

// KeysetRepository keeps the wrapped keysets.
type KeysetRepository struct{ store *Store }

// NewKeysetRepository returns the keysets of a store.
func NewKeysetRepository(s *Store) *KeysetRepository { return &KeysetRepository{s} }

// All returns the wrapped keysets by purpose.
func (r *KeysetRepository) All(ctx context.Context) (map[phi.Purpose]string, error) {
	var rows []models.Keyset
	if err := r.store.handle(ctx).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	out := make(map[phi.Purpose]string, len(rows))
	for _, row := range rows {
		out[phi.Purpose(row.Purpose)] = row.Wrapped
	}
	return out, nil
}

// AddMissing stores a database's first keysets, all or none. Where another process was first, its keysets stay.
func (r *KeysetRepository) AddMissing(ctx context.Context, wrapped map[phi.Purpose]string) error {
	rows := make([]models.Keyset, 0, len(wrapped))
	for _, p := range phi.Purposes() { // in one order, so that two processes don't wait for each other
		rows = append(rows, models.Keyset{Purpose: string(p), Wrapped: wrapped[p]})
	}
	return translate(r.store.handle(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "purpose"}}, DoNothing: true}).Create(&rows).Error)
}
