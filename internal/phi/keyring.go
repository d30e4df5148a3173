package phi

import (
	"bytes"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Purpose names what a keyset is for.
type Purpose string

// The keysets. The log has one of its own: the log can't be sealed anew, so its keys are never retired.
const (
	Data  Purpose = "data"
	Log   Purpose = "log"
	Index Purpose = "index"
)

// Purposes lists every keyset that a database holds.
func Purposes() []Purpose { return []Purpose{Data, Log, Index} }

func (p Purpose) template() *tinkpb.KeyTemplate {
	if p == Index {
		return prf.HMACSHA256PRFKeyTemplate()
	}
	return aead.AES256GCMKeyTemplate()
}

// associatedData keeps a wrapped keyset from being put in the place of another.
func (p Purpose) associatedData() []byte { return []byte("novamind keyset " + string(p)) }

// NewKeyset makes a keyset with one key, wrapped by kek: Tink's JSON form of an encrypted keyset.
func NewKeyset(p Purpose, kek *KEK) (string, error) {
	handle, err := keyset.NewHandle(p.template())
	if err != nil {
		return "", fmt.Errorf("phi: %w", err)
	}
	var wrapped bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewJSONWriter(&wrapped), kek.aead, p.associatedData()); err != nil {
		return "", fmt.Errorf("phi: %w", err)
	}
	return wrapped.String(), nil
}

func openKeyset(p Purpose, kek *KEK, wrapped string) (*keyset.Handle, error) {
	reader := keyset.NewJSONReader(bytes.NewReader([]byte(wrapped)))
	handle, err := keyset.ReadWithAssociatedData(reader, kek.aead, p.associatedData())
	if err != nil {
		return nil, fmt.Errorf("the key-encryption key at %s does not open this database's %s keyset: "+
			"it belongs to another database, or the keyset was altered", kek, p)
	}
	return handle, nil
}

// Keyring holds the opened keysets of one database. It is safe for concurrent use.
type Keyring struct {
	sealers map[Purpose]*Sealer
	indexer *Indexer
}

// OpenKeyring opens the wrapped keysets, one for each of Purposes. phoneRegion is the ISO 3166 region in which phone
// numbers without a country code are read.
func OpenKeyring(kek *KEK, wrapped map[Purpose]string, phoneRegion string) (*Keyring, error) {
	ring := &Keyring{sealers: map[Purpose]*Sealer{}}
	for _, p := range Purposes() {
		handle, err := openKeyset(p, kek, wrapped[p])
		if err != nil {
			return nil, err
		}
		if p == Index {
			ring.indexer, err = newIndexer(handle, phoneRegion)
		} else {
			ring.sealers[p], err = newSealer(handle)
		}
		if err != nil {
			return nil, err
		}
	}
	return ring, nil
}

// Sealer returns the sealer for p, which is Data or Log.
func (r *Keyring) Sealer(p Purpose) *Sealer { return r.sealers[p] }

// Indexer returns the maker of blind indexes.
func (r *Keyring) Indexer() *Indexer { return r.indexer }

// CursorKey returns a key of 32 bytes for signing list cursors.
func (r *Keyring) CursorKey() []byte { return r.indexer.cursorKey }

// Sealer seals and opens values under one keyset.
type Sealer struct{ aead tink.AEAD }

func newSealer(handle *keyset.Handle) (*Sealer, error) {
	primitive, err := aead.New(handle) // kept: making a primitive costs more than using it
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	return &Sealer{aead: primitive}, nil
}

// Seal encrypts plain for the place that b names.
func (s *Sealer) Seal(plain []byte, b Binding) (string, error) {
	ciphertext, err := s.aead.Encrypt(plain, b.associatedData())
	if err != nil {
		return "", fmt.Errorf("phi: seal: %w", err)
	}
	return wrap(ciphertext), nil
}

// Open decrypts an envelope that was sealed for the place that b names. It returns ErrUnreadable for anything else.
func (s *Sealer) Open(envelope string, b Binding) ([]byte, error) {
	ciphertext, err := unwrap(envelope)
	if err != nil {
		return nil, err
	}
	plain, err := s.aead.Decrypt(ciphertext, b.associatedData())
	if err != nil {
		return nil, fmt.Errorf("%w: %s.%s", ErrUnreadable, b.Table, b.Column)
	}
	return plain, nil
}
