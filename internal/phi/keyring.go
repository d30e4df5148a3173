package phi

import (
	"fmt"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keyring holds the opened keysets of one database. It is safe for concurrent use, also while Load replaces them.
type Keyring struct {
	phoneRegion string
	opened      atomic.Pointer[openedKeysets]
}

type openedKeysets struct {
	sealers   map[Purpose]*Sealer
	indexer   *Indexer
	cursorKey []byte
	logMAC    *Authenticator
	logSigner *LogSigner
}

// OpenKeyring opens the wrapped keysets, one for each of Purposes. phoneRegion is the ISO 3166 region in which phone
// numbers without a country code are read.
func OpenKeyring(kek *KEK, wrapped map[Purpose]string, phoneRegion string) (*Keyring, error) {
	ring := &Keyring{phoneRegion: phoneRegion}
	return ring, ring.Load(kek, wrapped)
}

// Load replaces all keysets at once. With an error, it replaces none.
func (r *Keyring) Load(kek *KEK, wrapped map[Purpose]string) error {
	handles := map[Purpose]*keyset.Handle{}
	for _, p := range Purposes() {
		handle, err := openKeyset(p, kek, wrapped[p])
		if err != nil {
			return err
		}
		handles[p] = handle
	}
	opened := &openedKeysets{sealers: map[Purpose]*Sealer{}}
	var err error
	for _, p := range []Purpose{Data, Log} {
		if opened.sealers[p], err = newSealer(handles[p]); err != nil {
			return err
		}
	}
	if opened.indexer, err = newIndexer(handles[Index], r.phoneRegion); err != nil {
		return err
	}
	if opened.cursorKey, err = newCursorKey(handles[Cursor]); err != nil {
		return err
	}
	if opened.logMAC, err = newAuthenticator(handles[LogMAC]); err != nil {
		return err
	}
	if opened.logSigner, err = newLogSigner(handles[LogSign]); err != nil {
		return err
	}
	r.opened.Store(opened)
	return nil
}

// Sealer returns the current sealer for p, which is Data or Log.
func (r *Keyring) Sealer(p Purpose) *Sealer { return r.opened.Load().sealers[p] }

// Indexer returns the current maker of blind index tokens.
func (r *Keyring) Indexer() *Indexer { return r.opened.Load().indexer }

// LogMAC returns the current maker of audit events' MACs.
func (r *Keyring) LogMAC() *Authenticator { return r.opened.Load().logMAC }

// LogSigner returns the current signer of the audit log's checkpoints.
func (r *Keyring) LogSigner() *LogSigner { return r.opened.Load().logSigner }

// CursorKey returns a key of 32 bytes for signing list cursors.
func (r *Keyring) CursorKey() []byte { return r.opened.Load().cursorKey }

func newCursorKey(handle *keyset.Handle) ([]byte, error) {
	set, err := prf.NewPRFSet(handle)
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	key, err := set.ComputePrimaryPRF([]byte("novamind list cursor"), 32)
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	return key, nil
}

// Sealer seals and opens values under one keyset.
type Sealer struct {
	aead    tink.AEAD
	primary string
	known   map[string]bool
}

func newSealer(handle *keyset.Handle) (*Sealer, error) {
	primitive, err := aead.New(handle) // kept: making a primitive costs more than using it
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	s := &Sealer{aead: primitive, known: map[string]bool{}}
	for _, key := range keysOf(handle) {
		s.known[key.ID] = true
		if key.Primary {
			s.primary = key.ID
		}
	}
	return s, nil
}

// Primary returns the id of the key that Seal uses.
func (s *Sealer) Primary() string { return s.primary }

// Knows reports whether the keyset has this key.
func (s *Sealer) Knows(keyID string) bool { return s.known[keyID] }

// Keys returns the number of keys in the keyset.
func (s *Sealer) Keys() int { return len(s.known) }

// Seal encrypts plain for the place that b names.
func (s *Sealer) Seal(plain []byte, b Binding) (string, error) {
	buffers := takeBuffers()
	defer buffers.release()
	buffers.associatedData = b.appendAssociatedData(buffers.associatedData)
	ciphertext, err := s.aead.Encrypt(plain, buffers.associatedData)
	if err != nil {
		return "", fmt.Errorf("phi: seal: %w", err)
	}
	buffers.sealed = appendWrapped(buffers.sealed, ciphertext)
	return string(buffers.sealed), nil
}

// Open decrypts an envelope that was sealed for the place that b names. It returns ErrUnreadable for anything else.
// If the keyset lacks the key, it returns ErrUnknownKey, which is an ErrUnreadable too.
func (s *Sealer) Open(envelope string, b Binding) ([]byte, error) {
	buffers := takeBuffers()
	defer buffers.release()
	ciphertext, err := appendUnwrapped(buffers.sealed, envelope)
	if err != nil {
		return nil, err
	}
	buffers.sealed = ciphertext
	buffers.associatedData = b.appendAssociatedData(buffers.associatedData)
	plain, err := s.aead.Decrypt(ciphertext, buffers.associatedData)
	switch {
	case err == nil:
		return plain, nil
	case !s.known[envelope[len(prefix):headerLen-1]]:
		return nil, fmt.Errorf("%w: %s.%s", ErrUnknownKey, b.Table, b.Column)
	default:
		return nil, fmt.Errorf("%w: %s.%s", ErrUnreadable, b.Table, b.Column)
	}
}
