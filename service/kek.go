package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// KEKRotation is the result of RotateKEK.
type KEKRotation struct {
	At string // where the key-encryption key is from now on, written as in phi.kek
	// KeptForBackups is how many retained backups may need the older key. The key is kept for them, because it wraps
	// their keysets.
	KeptForBackups int
}

// RotateKEK wraps the keysets by a new key-encryption key. It changes no other row. If the key is a file, the file
// gets a new key, and the old key is destroyed unless a retained backup may need it. A KMS changes its keys itself;
// then the newest version of the key wraps the keysets.
//
// If to is not empty, it is the place of the new key from now on, and the configuration must be changed to name it.
// Servers keep using their keys until they get the new one. RotateKEK returns an Invalid error if nothing would
// change. Concurrent calls run one after the other.
func (s *KeyService) RotateKEK(ctx context.Context, to string) (KEKRotation, error) {
	if to != "" && !phi.SamePlace(to, s.kekURI) {
		return s.moveKEK(ctx, to)
	}
	if phi.IsVariable(s.kekURI) {
		return KEKRotation{}, apperr.New(apperr.Invalid, "A key in an environment variable cannot be changed by this command. Name the place of the new key with --to.")
	}
	return s.renewKEK(ctx)
}

func (s *KeyService) moveKEK(ctx context.Context, to string) (KEKRotation, error) {
	if err := phi.CreateKEK(to); err != nil && !errors.Is(err, phi.ErrNoKEK) {
		return KEKRotation{}, err
	}
	err := s.rewrap(ctx, func([]*models.Keyset) (from, target *phi.KEK, err error) {
		if from, err = phi.LoadKEK(s.kekURI); err != nil {
			return nil, nil, err
		}
		target, err = phi.LoadKEK(to)
		return from, target, err
	})
	return KEKRotation{At: to}, err
}

func (s *KeyService) renewKEK(ctx context.Context) (KEKRotation, error) {
	done := KEKRotation{At: s.kekURI}
	err := s.rewrap(ctx, func(held []*models.Keyset) (from, to *phi.KEK, err error) {
		if err := s.addKEK(held); err != nil {
			return nil, nil, err
		}
		kek, err := phi.LoadKEK(s.kekURI)
		return kek, kek, err
	})
	if err != nil || !phi.IsFile(s.kekURI) {
		return done, err
	}
	// A server may have read the old wrapping and be about to open it.
	if err := letSettle(ctx); err != nil {
		return done, err
	}
	done.KeptForBackups, err = s.trimKEK(ctx)
	return done, err
}

// addKEK adds a key to the file, unless an interrupted rotation has added one that does not wrap everything yet.
func (s *KeyService) addKEK(held []*models.Keyset) error {
	if !phi.IsFile(s.kekURI) {
		return nil
	}
	settled, err := s.newestOpens(held)
	if err != nil || !settled {
		return err
	}
	return phi.AddKEK(s.kekURI)
}

// newestOpens reports whether the newest key-encryption key alone opens every keyset.
func (s *KeyService) newestOpens(held []*models.Keyset) (bool, error) {
	newest, err := phi.LoadNewestKEK(s.kekURI)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(held, func(row *models.Keyset) bool {
		_, err := phi.Keys(phi.Purpose(row.Purpose), newest, row.Wrapped)
		return err != nil
	}), nil
}

// rewrap wraps every keyset again. It locks all keysets while it looks up the key-encryption keys, so two rotations
// can't interleave.
func (s *KeyService) rewrap(ctx context.Context, keks func(held []*models.Keyset) (from, to *phi.KEK, err error)) error {
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.RewrapKeys, EntityType: "keyset"})
	return s.store.InTx(ctx, func(ctx context.Context) error {
		held, err := s.keysets.Hold(ctx)
		if err != nil {
			return err
		}
		from, to, err := keks(held)
		if err != nil {
			return err
		}
		for _, row := range held {
			if row.Wrapped, err = phi.Rewrap(phi.Purpose(row.Purpose), from, to, row.Wrapped); err != nil {
				return err
			}
			if err := s.keysets.Update(ctx, row); err != nil {
				return err
			}
		}
		return recordKeyEvent(ctx, audit.RewrapKeys, "", to.String())
	})
}

// trimKEK destroys the older key-encryption keys, unless retained backups may need them; it returns the number of
// those backups. It destroys none before the newest key opens every keyset.
func (s *KeyService) trimKEK(ctx context.Context) (kept int, err error) {
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.DestroyKey, EntityType: "keyset"})
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		held, err := s.keysets.Hold(ctx)
		if err != nil {
			return err
		}
		backups, err := s.keys.BackupsKept(ctx, time.Now().UTC())
		if kept = len(backups); err != nil || kept > 0 {
			return err
		}
		settled, err := s.newestOpens(held)
		if err != nil {
			return err
		}
		if !settled {
			return fmt.Errorf("%w: %s wraps a keyset by an older key; run keys rotate --kek again", ErrKeyNeeded, s.kekURI)
		}
		if err := recordKeyEvent(ctx, audit.DestroyKey, string(KEKPurpose), ""); err != nil {
			return err
		}
		return phi.TrimKEK(s.kekURI)
	})
	return kept, err
}
