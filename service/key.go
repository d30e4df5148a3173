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
	"novamind/internal/plural"
	"novamind/repository"
)

// settle is how long a change of the keysets needs to reach every server: twice the lease.
const settle = 2 * repository.KeyLease

// KeyService changes the keys while the clinic works. Its methods can be interrupted at any point, and continue when
// they are called again.
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
	KeyPrimary  = "primary"   // seals new values
	KeyActive   = "active"    // only opens older values
	KeyRetiring = "retiring"  // opens, and the database refuses new values under it
	KeyGone     = "destroyed" // nothing sealed under it can be opened any more
)

// KEKPurpose is the purpose of a key-encryption key in KeyState. The key wraps the keysets, and seals no value.
const KEKPurpose phi.Purpose = "kek"

// KeyState is one key and the number of rows that still need it.
type KeyState struct {
	ID          string           `json:"id"`
	Purpose     phi.Purpose      `json:"purpose,omitempty"` // unknown for a destroyed key
	State       string           `json:"state"`
	Values      map[string]int64 `json:"values"` // table.column → count
	DestroyedAt *time.Time       `json:"destroyed_at,omitempty"`
}

// Status returns every present and former key. The keys of a KMS are not listed, because the KMS manages them.
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
	wrapping, err := phi.KEKKeys(s.kekURI)
	if err != nil {
		return nil, err
	}
	states := statesOf(KEKPurpose, wrapping, nil)
	for _, p := range phi.Purposes() {
		row, err := s.keysets.ByPurpose(ctx, p)
		if err != nil {
			return nil, err
		}
		keys, err := phi.Keys(p, kek, row.Wrapped)
		if err != nil {
			return nil, err
		}
		states = append(states, statesOf(p, keys, counts)...)
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

// Older returns the former primary keys of a keyset that are not destroyed.
func (s *KeyService) Older(ctx context.Context, p phi.Purpose) ([]string, error) {
	kek, err := phi.LoadKEK(s.kekURI)
	if err != nil {
		return nil, err
	}
	row, err := s.keysets.ByPurpose(ctx, p)
	if err != nil {
		return nil, err
	}
	keys, err := phi.Keys(p, kek, row.Wrapped)
	if err != nil {
		return nil, err
	}
	var older []string
	for _, key := range keys {
		if !key.Primary {
			older = append(older, key.ID)
		}
	}
	return older, nil
}

func statesOf(p phi.Purpose, keys []phi.Key, counts map[string]map[string]int64) []KeyState {
	states := make([]KeyState, len(keys))
	for i, key := range keys {
		states[i] = KeyState{ID: key.ID, Purpose: p, State: KeyActive, Values: counts[key.ID]}
		if key.Primary {
			states[i].State = KeyPrimary
		}
	}
	return states
}

// Rotate adds a key to the data or the index keyset, waits until every server has it, and then seals new values with
// it. It returns the new key's id. Older values stay readable; Reseal moves them to the new key.
func (s *KeyService) Rotate(ctx context.Context, p phi.Purpose) (string, error) {
	var keyID string
	err := s.editKeyset(ctx, audit.AddKey, p, func(ctx context.Context, kek *phi.KEK, wrapped string) (string, error) {
		var err error
		if keyID, err = s.waiting(ctx, p, kek, wrapped); err != nil || keyID != "" {
			return wrapped, err
		}
		if wrapped, err = phi.AddKey(p, kek, wrapped); err != nil {
			return "", err
		}
		keys, err := phi.Keys(p, kek, wrapped)
		if err != nil {
			return "", err
		}
		keyID = keys[len(keys)-1].ID
		return wrapped, nil
	})
	if err != nil {
		return "", err
	}
	if err := letSettle(ctx); err != nil {
		return "", err
	}
	err = s.editKeyset(ctx, audit.PromoteKey, p, func(ctx context.Context, kek *phi.KEK, wrapped string) (string, error) {
		refused, err := s.keys.Refused(ctx, keyID)
		if err != nil {
			return "", err
		}
		if refused {
			return "", apperr.New(apperr.Stale, "The new key was retired in the meantime. Run keys rotate again.")
		}
		return phi.Promote(p, kek, wrapped, keyID)
	})
	if err != nil {
		return "", err
	}
	return keyID, letSettle(ctx)
}

// waiting returns the key that an interrupted rotation added but did not promote, or "".
func (s *KeyService) waiting(ctx context.Context, p phi.Purpose, kek *phi.KEK, wrapped string) (string, error) {
	keys, err := phi.Keys(p, kek, wrapped)
	if err != nil {
		return "", err
	}
	last := keys[len(keys)-1]
	if last.Primary {
		return "", nil
	}
	refused, err := s.keys.Refused(ctx, last.ID)
	if err != nil || refused {
		return "", err
	}
	return last.ID, nil
}

// editKeyset changes one keyset in a transaction that locks all keysets.
func (s *KeyService) editKeyset(ctx context.Context, action string, p phi.Purpose,
	edit func(ctx context.Context, kek *phi.KEK, wrapped string) (string, error),
) error {
	ctx = audit.WithIntent(ctx, audit.Intent{Action: action, EntityType: "keyset"})
	return s.store.InBatch(ctx, func(ctx context.Context) error {
		rows, err := s.keysets.Hold(ctx)
		if err != nil {
			return err
		}
		// Read while the keysets are locked, because a rotation changes both.
		kek, err := phi.LoadKEK(s.kekURI)
		if err != nil {
			return err
		}
		row := rows[slices.Index(phi.Purposes(), p)]
		wrapped, err := edit(ctx, kek, row.Wrapped)
		if err != nil || wrapped == row.Wrapped {
			return err
		}
		row.Wrapped = wrapped
		if p == phi.Index && action == audit.PromoteKey {
			scheme := s.keysets.IndexScheme()
			row.IndexScheme = &scheme
		}
		if err := s.keysets.Update(ctx, row); err != nil {
			return err
		}
		return recordKeyEvent(ctx, action, string(p), "")
	})
}

// ErrKeyNeeded means that a key was not destroyed, because some value can't be read without it.
var ErrKeyNeeded = errors.New("the key is still needed")

// Retire ends a key. The database refuses new values under it at once. The key is destroyed once no value and no
// retained backup needs it; until then Retire returns ErrKeyNeeded. Retire returns an Invalid error for a primary
// key, an unknown key, or a key of the log, which can't be sealed again.
func (s *KeyService) Retire(ctx context.Context, keyID string) error {
	purpose, err := s.retirable(ctx, keyID)
	if err != nil {
		return err
	}
	// A server may have read the keysets just before another key was promoted.
	if err := letSettle(ctx); err != nil {
		return err
	}
	if err := s.refuse(ctx, purpose, keyID); err != nil {
		return err
	}
	if err := s.keys.Settled(ctx); err != nil {
		return err
	}
	if err := s.needed(ctx, keyID); err != nil {
		return err
	}
	return s.editKeyset(ctx, audit.DestroyKey, purpose, func(ctx context.Context, kek *phi.KEK, wrapped string) (string, error) {
		wrapped, err := phi.RemoveKey(purpose, kek, wrapped, keyID)
		if err != nil {
			return "", err
		}
		return wrapped, s.keys.Destroyed(ctx, keyID, time.Now().UTC())
	})
}

// refuse makes the database refuse new values under a key, unless the key was promoted meanwhile.
func (s *KeyService) refuse(ctx context.Context, p phi.Purpose, keyID string) error {
	return s.editKeyset(ctx, audit.RetireKey, p, func(ctx context.Context, kek *phi.KEK, wrapped string) (string, error) {
		keys, err := phi.Keys(p, kek, wrapped)
		if err != nil {
			return "", err
		}
		if slices.Contains(keys, phi.Key{ID: keyID, Primary: true}) {
			return "", errSealing()
		}
		if err := s.keys.Refuse(ctx, keyID); err != nil {
			return "", err
		}
		return wrapped, recordKeyEvent(ctx, audit.RetireKey, string(p), keyID)
	})
}

func errSealing() error {
	return apperr.New(apperr.Invalid, "The key seals new values. Run keys rotate first.")
}

func (s *KeyService) retirable(ctx context.Context, keyID string) (phi.Purpose, error) {
	states, err := s.Status(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(states, func(k KeyState) bool { return k.ID == keyID && k.State != KeyGone })
	switch {
	case i < 0:
		return "", apperr.New(apperr.Invalid, "There is no such key. Run keys status for a list.")
	case states[i].State == KeyPrimary:
		return "", errSealing()
	case slices.Contains([]phi.Purpose{phi.Log, phi.LogMAC, phi.LogSign}, states[i].Purpose):
		return "", apperr.New(apperr.Invalid, "The keys of the log cannot be retired, because the log cannot be sealed or signed again.")
	case states[i].Purpose == KEKPurpose:
		return "", apperr.New(apperr.Invalid, "The key wraps the keysets. Run keys rotate --kek to replace it.")
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
		return fmt.Errorf("%w: %s under it; run keys reseal, which names rows that can't be opened", ErrKeyNeeded,
			plural.Count(values, "value is", "values are"))
	case backups > 0:
		return fmt.Errorf("%w: %s still kept can't be read without it", ErrKeyNeeded,
			plural.Count(backups, "backup that is", "backups that are"))
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
