package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/internal/plural"
	"novamind/models"
)

// KeyLease is how long a server goes on with the keysets it has read. A new key is promoted, and an old one retired, only after every
// server must have looked again.
const KeyLease = time.Second

// keyCare keeps a store's keyring in step with the database, where other processes may change the keysets.
type keyCare struct {
	kekURI string

	mu      sync.Mutex
	wrapped map[phi.Purpose]string
	checked time.Time
	behind  error // why the keysets of now could not be opened
}

// Unlock opens the database's keysets with the key-encryption key at kekURI, and hands them to the models' hooks, with the guard under
// them. A database that has none yet gets its first ones, and, where kekURI is a file that does not exist, a new key-encryption key.
// It returns an error when the key is missing or wrong for this database, or when a value is sealed under a key that no keyset has. It is
// called once, before the store is shared. An ErrUnknownKey or ErrIndexScheme comes last: the store is unlocked, for who comes to find out.
func (s *Store) Unlock(ctx context.Context, kekURI, phoneRegion string) error {
	s.keys = &keyCare{kekURI: kekURI}
	if err := s.addMissingKeysets(ctx); err != nil {
		return err
	}
	wrapped, err := readKeysets(s.db.WithContext(ctx))
	if err != nil {
		return err
	}
	ring, err := openKeyring(kekURI, wrapped, phoneRegion)
	if err != nil { // a rotation may just have wrapped them anew
		if wrapped, err = readKeysets(s.db.WithContext(ctx)); err != nil {
			return err
		}
		if ring, err = openKeyring(kekURI, wrapped, phoneRegion); err != nil {
			return err
		}
	}
	s.keyring, s.keys.wrapped, s.keys.checked = ring, wrapped, time.Now()
	guard := &models.Guard{Keyring: ring, Reload: func(tx *gorm.DB) error { return s.keys.reload(tx, s) }}
	if err := s.db.Use(guard); err != nil {
		return fmt.Errorf("repository: %w", err)
	}
	if err := s.checkKeyIDs(ctx); err != nil {
		return err
	}
	return s.checkIndexScheme(ctx)
}

func openKeyring(kekURI string, wrapped map[phi.Purpose]string, phoneRegion string) (*phi.Keyring, error) {
	kek, err := loadKEK(kekURI)
	if err != nil {
		return nil, err
	}
	return phi.OpenKeyring(kek, wrapped, phoneRegion)
}

func loadKEK(uri string) (*phi.KEK, error) {
	kek, err := phi.LoadKEK(uri)
	if errors.Is(err, phi.ErrNoKEK) {
		return nil, fmt.Errorf("this database is sealed, and its key-encryption key is missing: %w; "+
			"bring back the key that was made with this database", err)
	}
	return kek, err
}

// addMissingKeysets makes the keysets of a new database, and those that a database of an older version has no use for yet. Several processes may
// try at once: all go on with those that were stored first.
func (s *Store) addMissingKeysets(ctx context.Context) error {
	wrapped, err := readKeysets(s.db.WithContext(ctx))
	if err != nil {
		return err
	}
	missing := phi.Purposes()
	if len(wrapped) > 0 {
		if missing, err = s.notYetUsed(ctx, wrapped); err != nil || len(missing) == 0 {
			return err
		}
	}
	kek, err := phi.LoadKEK(s.keys.kekURI)
	if errors.Is(err, phi.ErrNoKEK) && len(wrapped) == 0 {
		if err = phi.CreateKEK(s.keys.kekURI); err == nil {
			kek, err = phi.LoadKEK(s.keys.kekURI)
		}
	}
	if err != nil {
		return err
	}
	added := make(map[phi.Purpose]string, len(missing))
	for _, p := range missing {
		if added[p], err = phi.NewKeyset(p, kek); err != nil {
			return err
		}
	}
	return NewKeysetRepository(s).addMissing(ctx, added)
}

// notYetUsed returns the log's keysets that are missing where no event was ever authenticated or sequenced: an older version of the program made
// the database. Any other missing keyset was removed.
func (s *Store) notYetUsed(ctx context.Context, wrapped map[phi.Purpose]string) ([]phi.Purpose, error) {
	var missing []phi.Purpose
	for _, p := range []phi.Purpose{phi.LogMAC, phi.LogSign} {
		if wrapped[p] == "" {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	var used bool
	row := s.db.WithContext(ctx).Statement.ConnPool.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT 1 FROM auditleaf) OR EXISTS (SELECT 1 FROM auditlog WHERE mac IS NOT NULL)")
	if err := row.Scan(&used); err != nil {
		return nil, translate(err)
	}
	if used {
		return nil, nil
	}
	return missing, nil
}

// refresh reads the keysets again once the lease is over.
func (k *keyCare) refresh(ctx context.Context, s *Store) error {
	if k == nil {
		return errors.New("repository: the store is locked")
	}
	k.mu.Lock()
	fresh := time.Since(k.checked) < KeyLease
	k.mu.Unlock()
	if fresh {
		return nil
	}
	return k.reload(s.db.WithContext(ctx), s)
}

// reload reads the keysets on db, and opens them where they changed. Where that fails, since this server has not got the new
// key-encryption key yet, it goes on with those it has: the database refuses what is sealed under a retired key, and behind says that it can't
// follow.
func (k *keyCare) reload(db *gorm.DB, s *Store) error {
	now := time.Now()
	wrapped, err := readKeysets(db)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.checked = now
	if maps.Equal(wrapped, k.wrapped) {
		k.behind = nil
		return nil
	}
	if k.behind = k.load(s, wrapped); k.behind == nil {
		k.wrapped = wrapped
	}
	return nil
}

func (k *keyCare) load(s *Store, wrapped map[phi.Purpose]string) error {
	kek, err := loadKEK(k.kekURI)
	if err != nil {
		return err
	}
	return s.keyring.Load(kek, wrapped)
}

func readKeysets(db *gorm.DB) (map[phi.Purpose]string, error) {
	var rows []models.Keyset
	if err := db.Session(&gorm.Session{NewDB: true}).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	wrapped := make(map[phi.Purpose]string, len(rows))
	for _, row := range rows {
		wrapped[phi.Purpose(row.Purpose)] = row.Wrapped
	}
	return wrapped, nil
}

// ErrUnknownKey: the database holds values under a key that no keyset has.
var ErrUnknownKey = errors.New("which is in no keyset of this database: restore the table keyset from a backup, or let novamind audit verify say what was altered")

// checkKeyIDs refuses a database that holds values under keys that no keyset has: they could not be read.
func (s *Store) checkKeyIDs(ctx context.Context) error {
	counts, err := NewKeyRepository(s).CountValues(ctx)
	if err != nil {
		return err
	}
	for keyID, columns := range counts {
		if s.keyring.Sealer(phi.Data).Knows(keyID) || s.keyring.Sealer(phi.Log).Knows(keyID) || s.keyring.Indexer().Knows(keyID) {
			continue
		}
		for column := range columns {
			return fmt.Errorf("%s holds values under the key %s, %w", column, keyID, ErrUnknownKey)
		}
	}
	return nil
}

// ErrIndexScheme: patients are indexed by other rules than today's, so searches would miss them.
var ErrIndexScheme = errors.New("patients are indexed by other rules (clinic.phone_region, or those of an older version of the program): stop the servers and run " +
	"novamind keys rotate --index, or set clinic.phone_region back")

// ErrIndexUnnoted is ErrIndexScheme where nothing says by which rules patients are indexed: those of today, if service.KeyService.AdoptIndexScheme finds so.
var ErrIndexUnnoted = fmt.Errorf("nothing says by which rules, so: %w", ErrIndexScheme)

// checkIndexScheme compares the rules that tokens were made by with today's. A database without tokens takes today's.
func (s *Store) checkIndexScheme(ctx context.Context) error {
	scheme := s.keyring.Indexer().Scheme()
	pool := s.db.WithContext(ctx).Statement.ConnPool
	var noted *string
	var indexed bool
	row := pool.QueryRowContext(ctx, `SELECT index_scheme, EXISTS (SELECT 1 FROM blindindex) FROM keyset WHERE purpose = $1`, string(phi.Index))
	if err := row.Scan(&noted, &indexed); err != nil {
		return translate(err)
	}
	switch {
	case noted != nil && *noted == scheme:
		return nil
	case indexed && noted == nil:
		return ErrIndexUnnoted
	case indexed:
		return ErrIndexScheme
	}
	_, err := pool.ExecContext(ctx, "UPDATE keyset SET index_scheme = $1 WHERE purpose = $2", scheme, string(phi.Index))
	return translate(err)
}

// CursorKey returns the key that signs list cursors, the same on every server of this database.
func (s *Store) CursorKey() []byte { return s.keyring.CursorKey() }

// CheckKeys seals and opens a value, and returns what failed, or why this server can't follow a change of the keys.
func (s *Store) CheckKeys(ctx context.Context) error {
	if err := s.keys.refresh(ctx, s); err != nil {
		return err
	}
	if err := s.keys.follows(); err != nil {
		return err
	}
	for _, p := range []phi.Purpose{phi.Data, phi.Log} {
		place := phi.Binding{Table: "readiness", Column: string(p)}
		sealed, err := s.keyring.Sealer(p).Seal([]byte("ready"), place)
		if err != nil {
			return err
		}
		if _, err := s.keyring.Sealer(p).Open(sealed, place); err != nil {
			return err
		}
	}
	return nil
}

// follows returns why the keysets in use are not those of the database.
func (k *keyCare) follows() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.behind
}

// errProbe rolls a probe back.
var errProbe = errors.New("repository: probe")

// CheckAudit writes an event and takes it back, and returns an audit.unavailable error where the log takes none.
func (s *Store) CheckAudit(ctx context.Context) error {
	ctx, unit, err := audit.Begin(audit.System(ctx, "readiness"))
	if err != nil {
		return translate(err)
	}
	err = s.transact(ctx, func(tx *transaction) error {
		if err := insertEvents(tx.db, unit.Answer()); err != nil {
			return err
		}
		return errProbe
	})
	if !errors.Is(err, errProbe) {
		return translate(err)
	}
	return s.checkLag(ctx)
}

// maxLag is how long an event may wait to become a leaf before something is wrong.
const maxLag = 5 * time.Second

func (s *Store) checkLag(ctx context.Context) error {
	pending, since, err := NewAuditTreeRepository(s).Pending(ctx)
	if err != nil || pending == 0 || time.Since(since) <= maxLag {
		return err
	}
	return fmt.Errorf("%s to be sequenced, the oldest for %s",
		plural.Count(pending, "audit event waits", "audit events wait"), time.Since(since).Round(time.Second))
}
