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
	"novamind/repository"
)

// settle is how long a change of the keysets needs to reach every server: twice the lease.
const settle = 2 * repository.KeyLease

// KeyService changes the keys while the clinic works. Its methods can be interrupted at any point, and go on when they are called again.
type KeyService struct {
	store    Store
	keysets  *repository.KeysetRepository
	keys     *repository.KeyRepository
	patients *repository.PatientRepository
	reseals  []*repository.ResealRepository
	kekURI   string
}

// NewKeyService returns the service on a store whose key-encryption key is at kekURI.
func NewKeyService(store *repository.Store, kekURI string) *KeyService {
	return &KeyService{
		store: store, kekURI: kekURI,
		keysets:  repository.NewKeysetRepository(store),
		keys:     repository.NewKeyRepository(store),
		patients: repository.NewPatientRepository(store),
		reseals:  repository.NewResealRepositories(store),
	}
}

// The states of a key.
const (
	KeyPrimary  = "primary"  // seals new values
	KeyActive   = "active"   // opens what it sealed
	KeyRetiring = "retiring" // opens, and the database refuses new values under it
	KeyGone     = "destroyed"
)

// KeyState is one key and what still needs it.
type KeyState struct {
	ID          string           `json:"id"`
	Purpose     phi.Purpose      `json:"purpose,omitempty"` // unknown of a destroyed key
	State       string           `json:"state"`
	Values      map[string]int64 `json:"values"` // table.column → count
	DestroyedAt *time.Time       `json:"destroyed_at,omitempty"`
}

// Status returns every key there is and was.
func (s *KeyService) Status(ctx context.Context) ([]KeyState, error) {
	kek, err := phi.LoadKEK(s.kekURI)
	if err != nil {
		return nil, err
	}
	counts, err := s.keys.CountValues(ctx)
	if err != nil {
		return nil, err
	}
	retired, err := s.keys.Retired(ctx)
	if err != nil {
		return nil, err
	}
	states := []KeyState{}
	for _, p := range phi.Purposes() {
		row, err := s.keysets.ByPurpose(ctx, p)
		if err != nil {
			return nil, err
		}
		keys, err := phi.Keys(p, kek, row.Wrapped)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			states = append(states, KeyState{ID: key.ID, Purpose: p, State: KeyActive, Values: counts[key.ID]})
			if key.Primary {
				states[len(states)-1].State = KeyPrimary
			}
		}
	}
	for _, gone := range retired {
		i := slices.IndexFunc(states, func(k KeyState) bool { return k.ID == gone.KeyID })
		if i >= 0 {
			states[i].State = KeyRetiring
		} else {
			states = append(states, KeyState{ID: gone.KeyID, State: KeyGone, DestroyedAt: gone.DestroyedAt, Values: counts[gone.KeyID]})
		}
	}
	for i := range states {
		if states[i].Values == nil {
			states[i].Values = map[string]int64{}
		}
	}
	return states, nil
}

// Rotate adds a key to the data or the index keyset, waits until every server has it, and makes it the one that new values are sealed under. It
// returns the new key's id. What was sealed before stays readable; Reseal and Reindex move it.
func (s *KeyService) Rotate(ctx context.Context, p phi.Purpose) (string, error) {
	added, err := s.editKeyset(ctx, audit.AddKey, p, func(kek *phi.KEK, wrapped string, keys []phi.Key) (string, error) {
		if !keys[len(keys)-1].Primary { // an interrupted rotation has added one
			return wrapped, nil
		}
		return phi.AddKey(p, kek, wrapped)
	})
	if err != nil {
		return "", err
	}
	if err := letSettle(ctx); err != nil {
		return "", err
	}
	keyID := added[len(added)-1].ID
	_, err = s.editKeyset(ctx, audit.PromoteKey, p, func(kek *phi.KEK, wrapped string, _ []phi.Key) (string, error) {
		return phi.Promote(p, kek, wrapped, keyID)
	})
	if err != nil {
		return "", err
	}
	return keyID, letSettle(ctx)
}

// editKeyset changes one keyset in a transaction, and returns its keys afterwards.
func (s *KeyService) editKeyset(ctx context.Context, action string, p phi.Purpose,
	edit func(kek *phi.KEK, wrapped string, keys []phi.Key) (string, error),
) ([]phi.Key, error) {
	kek, err := phi.LoadKEK(s.kekURI)
	if err != nil {
		return nil, err
	}
	var keys []phi.Key
	ctx = audit.WithIntent(ctx, audit.Intent{Action: action, EntityType: "keyset"})
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		row, err := s.keysets.ByPurpose(ctx, p)
		if err != nil {
			return err
		}
		before, err := phi.Keys(p, kek, row.Wrapped)
		if err != nil {
			return err
		}
		wrapped, err := edit(kek, row.Wrapped, before)
		if err != nil {
			return err
		}
		if keys, err = phi.Keys(p, kek, wrapped); err != nil || wrapped == row.Wrapped {
			return err
		}
		row.Wrapped = wrapped
		if err := s.keysets.Update(ctx, row); err != nil {
			return err
		}
		return recordKeyEvent(ctx, action, string(p), "")
	})
	return keys, err
}

// RotateKEK wraps the keysets by a new key-encryption key. No row is touched. Where the key is a file, it gets a new key; elsewhere the key was
// changed where it is kept, and the keysets are wrapped anew by its newest version. to, unless empty, is where the new key is from now on: the
// configuration has to follow, and other servers have to be stopped before.
func (s *KeyService) RotateKEK(ctx context.Context, to string) error {
	if to == "" || to == s.kekURI {
		return s.renewKEK(ctx)
	}
	from, err := phi.LoadKEK(s.kekURI)
	if err != nil {
		return err
	}
	if err := phi.CreateKEK(to); err != nil && !errors.Is(err, phi.ErrNoKEK) {
		return err
	}
	target, err := phi.LoadKEK(to)
	if err != nil {
		return err
	}
	return s.rewrap(ctx, from, target)
}

func (s *KeyService) renewKEK(ctx context.Context) error {
	file := phi.IsFile(s.kekURI)
	if file {
		if err := phi.AddKEK(s.kekURI); err != nil {
			return err
		}
	}
	kek, err := phi.LoadKEK(s.kekURI)
	if err != nil {
		return err
	}
	if err := s.rewrap(ctx, kek, kek); err != nil || !file {
		return err
	}
	// A server may have read the old wrapping and be about to open it.
	if err := letSettle(ctx); err != nil {
		return err
	}
	return phi.TrimKEK(s.kekURI)
}

func (s *KeyService) rewrap(ctx context.Context, from, to *phi.KEK) error {
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.RewrapKeys, EntityType: "keyset"})
	return s.store.InTx(ctx, func(ctx context.Context) error {
		for _, p := range phi.Purposes() {
			row, err := s.keysets.ByPurpose(ctx, p)
			if err != nil {
				return err
			}
			if row.Wrapped, err = phi.Rewrap(p, from, to, row.Wrapped); err != nil {
				return err
			}
			if err := s.keysets.Update(ctx, row); err != nil {
				return err
			}
		}
		return recordKeyEvent(ctx, audit.RewrapKeys, "", to.String())
	})
}

// ErrKeyNeeded: a key is not destroyed, since something can't be read without it.
var ErrKeyNeeded = errors.New("the key is still needed")

// Retire ends a key: from the first moment the database refuses new values under it; it is destroyed once no value and no kept backup needs it.
// It returns ErrKeyNeeded while one does, and an Invalid error for a primary key, an unknown one, or one of the log, which can't be sealed anew.
func (s *KeyService) Retire(ctx context.Context, keyID string) error {
	purpose, err := s.retirable(ctx, keyID)
	if err != nil {
		return err
	}
	// A server may have read the keysets just before another key was promoted.
	if err := letSettle(ctx); err != nil {
		return err
	}
	intent := audit.WithIntent(ctx, audit.Intent{Action: audit.RetireKey, EntityType: "keyset"})
	err = s.store.InTx(intent, func(ctx context.Context) error {
		if err := s.keys.Refuse(ctx, keyID); err != nil {
			return err
		}
		return recordKeyEvent(ctx, audit.RetireKey, string(purpose), keyID)
	})
	if err != nil {
		return err
	}
	if err := s.needed(ctx, keyID); err != nil {
		return err
	}
	_, err = s.editKeyset(ctx, audit.DestroyKey, purpose, func(kek *phi.KEK, wrapped string, _ []phi.Key) (string, error) {
		return phi.RemoveKey(purpose, kek, wrapped, keyID)
	})
	if err != nil {
		return err
	}
	return s.keys.Destroyed(ctx, keyID, time.Now().UTC())
}

func (s *KeyService) retirable(ctx context.Context, keyID string) (phi.Purpose, error) {
	states, err := s.Status(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(states, func(k KeyState) bool { return k.ID == keyID && k.State != KeyGone })
	switch {
	case i < 0:
		return "", apperr.New(apperr.Invalid, "There is no such key: see keys status.")
	case states[i].State == KeyPrimary:
		return "", apperr.New(apperr.Invalid, "The key seals new values: rotate first.")
	case slices.Contains([]phi.Purpose{phi.Log, phi.LogMAC, phi.LogSign}, states[i].Purpose):
		return "", apperr.New(apperr.Invalid, "The log can't be sealed or signed anew, so its keys are kept.")
	}
	return states[i].Purpose, nil
}

func (s *KeyService) needed(ctx context.Context, keyID string) error {
	counts, err := s.keys.CountValues(ctx)
	if err != nil {
		return err
	}
	values := int64(0)
	for _, n := range counts[keyID] {
		values += n
	}
	backups, err := s.keys.BackupsNeeding(ctx, keyID, time.Now().UTC())
	switch {
	case err != nil:
		return err
	case values > 0:
		return fmt.Errorf("%w: %d values are under it; run keys reseal first", ErrKeyNeeded, values)
	case backups > 0:
		return fmt.Errorf("%w: %d backups that are still kept can't be read without it", ErrKeyNeeded, backups)
	}
	return nil
}

func recordKeyEvent(ctx context.Context, action, purpose, details string) error {
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	if details == "" {
		details = purpose
	} else if purpose != "" {
		details = purpose + " " + details
	}
	unit.Record(audit.Event{Action: action, EntityType: "keyset", Outcome: audit.Success, Details: details})
	return nil
}

// letSettle waits until every server has seen a change of the keysets.
func letSettle(ctx context.Context) error {
	select {
	case <-time.After(settle):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
