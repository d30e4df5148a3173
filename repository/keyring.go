package repository

import (
	"context"
	"errors"
	"fmt"

	"novamind/internal/phi"
)

// Unlock opens the database's keysets with the key-encryption key at kekURI, and hands them to the models' hooks. A database
// that has none yet gets its first ones, and, where kekURI is a file that does not exist, a new key-encryption key.
// It returns an error when the key is missing or wrong for this database. It is called once, before the store is shared.
func (s *Store) Unlock(ctx context.Context, kekURI, phoneRegion string) error {
	keysets := NewKeysetRepository(s)
	wrapped, err := keysets.All(ctx)
	if err != nil {
		return err
	}
	if len(wrapped) == 0 {
		if wrapped, err = s.firstKeysets(ctx, keysets, kekURI); err != nil {
			return err
		}
	}
	kek, err := phi.LoadKEK(kekURI)
	if errors.Is(err, phi.ErrNoKEK) {
		return fmt.Errorf("this database is sealed, and its key-encryption key is missing: %w; "+
			"bring back the key that was made with this database", err)
	}
	if err != nil {
		return err
	}
	ring, err := phi.OpenKeyring(kek, wrapped, phoneRegion)
	if err != nil {
		return err
	}
	return s.UseKeyring(ring)
}

// firstKeysets makes and stores the keysets of a new database. Several processes may try at once: all go on with those that
// were stored first.
func (s *Store) firstKeysets(ctx context.Context, keysets *KeysetRepository, kekURI string) (map[phi.Purpose]string, error) {
	kek, err := phi.LoadKEK(kekURI)
	if errors.Is(err, phi.ErrNoKEK) {
		if err = phi.CreateKEK(kekURI); err == nil {
			kek, err = phi.LoadKEK(kekURI)
		}
	}
	if err != nil {
		return nil, err
	}
	fresh := map[phi.Purpose]string{}
	for _, p := range phi.Purposes() {
		if fresh[p], err = phi.NewKeyset(p, kek); err != nil {
			return nil, err
		}
	}
	if err := keysets.AddMissing(ctx, fresh); err != nil {
		return nil, err
	}
	return keysets.All(ctx)
}
