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

// KeyLease is the time for which a server uses the keysets that it has read. A new key is promoted, and an old one
// retired, only after every server must have read the keysets again.
const KeyLease = time.Second

// keyCare keeps a store's keyring in step with the database, where other processes may change the keysets.
type keyCare struct {
	kekURI string

	mu      sync.Mutex
	wrapped map[phi.Purpose]string
	checked time.Time
	behind  error // the error that kept the current keysets from being opened
}

// Unlock opens the database's keysets with the key-encryption key at kekURI, and hands them to the models' hooks,
// with the guard under them. A database without keysets gets its first ones. If kekURI is a file that does not
// exist, such a database also gets a new key-encryption key. Unlock returns an error if the key is missing or wrong
// for this database, or if no keyset has the key of a sealed value. Call it once, before the store is shared.
// ErrUnknownKey and ErrIndexScheme come last: the store is unlocked by then, for a command that looks for the
// cause.
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

// addMissingKeysets creates the keysets of a new database, and the keysets that a database of an older version does
// not use yet. Several processes may try at once: all go on with the keysets that were stored first.
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

// notYetUsed returns the log's missing keysets if no event was ever authenticated or sequenced: then an older
// version of the program created the database. Any other missing keyset was removed, and is not returned.
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

// refresh reads the keysets again once the lease has expired.
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

// reload reads the keysets on db, and opens them if they changed. Opening fails while this server does not have the
// new key-encryption key. The server then keeps its keysets, and behind holds the error. The database refuses
// values sealed under a retired key.
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

// ErrUnknownKey is returned if the database holds values under a key that no keyset has.
var ErrUnknownKey = errors.New("which is in no keyset of this database: restore the table keyset from a backup, or let novamind audit verify say what was altered")

// checkKeyIDs returns ErrUnknownKey if the database holds values under keys that no keyset has: they could not be
// read.
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

// ErrIndexScheme is returned if patients are indexed by other rules than the current ones: searches would miss
// them.
var ErrIndexScheme = errors.New("patients are indexed by other rules (clinic.phone_region, or those of an older version of the program): stop the servers and run " +
	"novamind keys rotate --index, or set clinic.phone_region back")

// ErrIndexUnnoted is ErrIndexScheme for a database that does not say by which rules patients are indexed. They are
// the current rules if service.KeyService.AdoptIndexScheme finds so.
var ErrIndexUnnoted = fmt.Errorf("the database does not record its index rules: %w", ErrIndexScheme)

// checkIndexScheme compares the rules by which tokens were made with the current rules. A database without tokens
// takes the current rules.
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

// CheckKeys seals and opens a value. It returns the error of doing so, or the error that keeps this server from
// following a change of the keys.
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

// follows returns the error that keeps this server from using the keysets of the database.
func (k *keyCare) follows() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.behind
}

// errProbe rolls back the transaction of a probe.
var errProbe = errors.New("repository: probe")

// CheckAudit writes an event and rolls it back. It returns an audit.unavailable error if the log accepts no event,
// and another error if the sequencer lags behind.
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

// maxLag is the longest time that an event may wait to become a leaf before CheckAudit fails.
const maxLag = 5 * time.Second

func (s *Store) checkLag(ctx context.Context) error {
	pending, since, err := NewAuditTreeRepository(s).Pending(ctx)
	if err != nil || pending == 0 || time.Since(since) <= maxLag {
		return err
	}
	return fmt.Errorf("%s to be sequenced, the oldest for %s",
		plural.Count(pending, "audit event waits", "audit events wait"), time.Since(since).Round(time.Second))
}
