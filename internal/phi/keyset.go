package phi

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/signature"
)

// Purpose names the use of a keyset.
type Purpose string

// The keysets. The log has one of its own: the log can't be sealed anew, so its keys are never retired.
const (
	Data   Purpose = "data"
	Log    Purpose = "log"
	Index  Purpose = "index"
	Cursor Purpose = "cursor"

	LogMAC  Purpose = "log_mac"
	LogSign Purpose = "log_sign"
)

// Purposes lists every keyset that a database holds.
func Purposes() []Purpose { return []Purpose{Data, Log, Index, Cursor, LogMAC, LogSign} }

func (p Purpose) template() *tinkpb.KeyTemplate {
	switch p {
	case Index, Cursor, LogMAC:
		return prf.HMACSHA256PRFKeyTemplate()
	case LogSign:
		return signature.ED25519KeyWithoutPrefixTemplate() // the note names the key
	case Data, Log:
	}
	return aead.AES256GCMKeyTemplate()
}

// associatedData keeps a wrapped keyset from being put in the place of another.
func (p Purpose) associatedData() []byte { return []byte("novamind keyset " + string(p)) }

// Key describes one key of a keyset, without the key material.
type Key struct {
	ID      string // 8 hex digits, as in envelopes and tokens
	Primary bool   // new values are sealed under it
}

// A wrapped keyset is Tink's JSON form of an encrypted keyset. The functions below make a new one of an old one.

// NewKeyset makes a keyset with one key, wrapped by kek.
func NewKeyset(p Purpose, kek *KEK) (string, error) {
	handle, err := keyset.NewHandle(p.template())
	if err != nil {
		return "", fmt.Errorf("phi: %w", err)
	}
	return wrapKeyset(p, kek, handle)
}

// Keys lists a keyset's keys in the order in which they were added.
func Keys(p Purpose, kek *KEK, wrapped string) ([]Key, error) {
	handle, err := openKeyset(p, kek, wrapped)
	if err != nil {
		return nil, err
	}
	return keysOf(handle), nil
}

// AddKey adds a new key, which opens but does not seal until it is promoted.
func AddKey(p Purpose, kek *KEK, wrapped string) (string, error) {
	return editKeyset(p, kek, wrapped, func(m *keyset.Manager) error {
		_, err := m.Add(p.template())
		return err
	})
}

// Promote makes a key the one that seals new values.
func Promote(p Purpose, kek *KEK, wrapped, keyID string) (string, error) {
	return editKeyset(p, kek, wrapped, func(m *keyset.Manager) error {
		id, ok := parseKeyID(keyID)
		if !ok {
			return errors.New("not a key id")
		}
		return m.SetPrimary(id)
	})
}

// RemoveKey destroys a key that is not the primary. Values still sealed under it are lost.
func RemoveKey(p Purpose, kek *KEK, wrapped, keyID string) (string, error) {
	return editKeyset(p, kek, wrapped, func(m *keyset.Manager) error {
		id, ok := parseKeyID(keyID)
		if !ok {
			return errors.New("not a key id")
		}
		return m.Delete(id)
	})
}

// Rewrap wraps a keyset with another key-encryption key. The keys of the keyset stay.
func Rewrap(p Purpose, from, to *KEK, wrapped string) (string, error) {
	handle, err := openKeyset(p, from, wrapped)
	if err != nil {
		return "", err
	}
	return wrapKeyset(p, to, handle)
}

func editKeyset(p Purpose, kek *KEK, wrapped string, edit func(*keyset.Manager) error) (string, error) {
	handle, err := openKeyset(p, kek, wrapped)
	if err != nil {
		return "", err
	}
	manager := keyset.NewManagerFromHandle(handle)
	if err := edit(manager); err != nil {
		return "", fmt.Errorf("phi: %s keyset: %w", p, err)
	}
	if handle, err = manager.Handle(); err != nil {
		return "", fmt.Errorf("phi: %s keyset: %w", p, err)
	}
	return wrapKeyset(p, kek, handle)
}

func wrapKeyset(p Purpose, kek *KEK, handle *keyset.Handle) (string, error) {
	var wrapped bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewJSONWriter(&wrapped), kek.aead, p.associatedData()); err != nil {
		return "", fmt.Errorf("phi: the key-encryption key at %s can't wrap: %w", kek, err)
	}
	return wrapped.String(), nil
}

func openKeyset(p Purpose, kek *KEK, wrapped string) (*keyset.Handle, error) {
	if wrapped == "" {
		return nil, fmt.Errorf("this database has no %s keyset: it was removed", p)
	}
	reader := keyset.NewJSONReader(bytes.NewReader([]byte(wrapped)))
	handle, err := keyset.ReadWithAssociatedData(reader, kek.aead, p.associatedData())
	if err == nil {
		return handle, nil
	}
	if cause := unanswered(kek.aead); cause != nil {
		return nil, fmt.Errorf("the key-encryption key at %s can't be used: %w", kek, cause)
	}
	return nil, fmt.Errorf("the key-encryption key at %s does not open this database's %s keyset: "+
		"it belongs to another database, or the keyset was altered", kek, p)
}

func keysOf(handle *keyset.Handle) []Key {
	info := handle.KeysetInfo()
	keys := make([]Key, 0, len(info.GetKeyInfo()))
	for _, key := range info.GetKeyInfo() {
		keys = append(keys, Key{ID: formatKeyID(key.GetKeyId()), Primary: key.GetKeyId() == info.GetPrimaryKeyId()})
	}
	return slices.Clip(keys)
}
