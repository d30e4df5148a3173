package service

import (
	"context"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/repository"
)

// AdoptIndexScheme records that today's rules made the index tokens of a database without that record. Such a
// database had its schema taken back to a version before the record existed. It returns repository.ErrIndexScheme if
// the tokens of a patient differ.
func (s *KeyService) AdoptIndexScheme(ctx context.Context) error {
	err := eachMisindexed(ctx, s.store, s.patients, func(uuid.UUID) error { return repository.ErrIndexScheme })
	if err != nil {
		return err
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.AdoptIndex, EntityType: "keyset"})
	return s.store.InBatch(ctx, func(ctx context.Context) error {
		row, err := s.keysets.ByPurpose(ctx, phi.Index)
		if err != nil {
			return err
		}
		scheme := s.keysets.IndexScheme()
		if row.IndexScheme != nil { // another process was faster
			if *row.IndexScheme != scheme {
				return repository.ErrIndexScheme
			}
			return nil
		}
		row.IndexScheme = &scheme
		if err := s.keysets.Update(ctx, row); err != nil {
			return err
		}
		return recordKeyEvent(ctx, audit.AdoptIndex, string(phi.Index), "")
	})
}

const tokenBatch = 500

// eachMisindexed calls do with every patient whose index tokens differ from the record, until do returns an error.
func eachMisindexed(ctx context.Context, store Store, patients *repository.PatientRepository, do func(uuid.UUID) error) error {
	for after := uuid.Nil; ; {
		var wrong []uuid.UUID
		err := store.InBatch(ctx, func(ctx context.Context) (err error) {
			wrong, after, err = patients.Misindexed(ctx, after, tokenBatch)
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range wrong {
			if err := do(id); err != nil {
				return err
			}
		}
		if after == uuid.Nil {
			return nil
		}
	}
}
