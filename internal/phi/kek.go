package phi

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrNoKEK is returned if there is no key-encryption key at the configured place.
var ErrNoKEK = errors.New("phi: no key-encryption key")

// KEK is the key-encryption key, which wraps the keysets in the database. Without the KEK, no sealed value in the
// database can be opened.
type KEK struct {
	aead tink.AEAD
	uri  string
}

// String returns the place of the key, not the key.
func (k *KEK) String() string { return k.uri }

// LoadKEK reads the key-encryption key from the place that uri names:
//
//	file:PATH  a Tink keyset in JSON, in a file that only its owner may read
//	env:NAME   the same text in an environment variable
//	hcvault://HOST:PORT/transit/keys/NAME   a key of HashiCorp Vault's transit engine
//
// It returns ErrNoKEK if there is none.
func LoadKEK(uri string) (*KEK, error) {
	if strings.HasPrefix(uri, "hcvault://") {
		return loadVaultKEK(uri)
	}
	handle, err := loadKEKHandle(uri)
	if err != nil {
		return nil, err
	}
	return kekOf(uri, handle)
}

// LoadNewestKEK is LoadKEK without the older keys that a rotation left. It opens only keysets that the newest key
// wrapped.
func LoadNewestKEK(uri string) (*KEK, error) {
	if strings.HasPrefix(uri, "hcvault://") {
		return loadVaultKEK(uri)
	}
	handle, err := loadKEKHandle(uri)
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManagerFromHandle(handle)
	if err := deleteOlder(manager, keysOf(handle)); err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	if handle, err = manager.Handle(); err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	return kekOf(uri, handle)
}

// KEKKeys lists the keys of the key-encryption keyset at a file: or env: uri. For a KMS, it lists none, because the
// KMS manages its keys.
func KEKKeys(uri string) ([]Key, error) {
	if strings.HasPrefix(uri, "hcvault://") {
		return nil, nil
	}
	handle, err := loadKEKHandle(uri)
	if err != nil {
		return nil, err
	}
	return keysOf(handle), nil
}

func loadKEKHandle(uri string) (*keyset.Handle, error) {
	text, err := readKEK(uri)
	if err != nil {
		return nil, err
	}
	return parseKEK(uri, text)
}

func kekOf(uri string, handle *keyset.Handle) (*KEK, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("%s holds a keyset that can't encrypt", uri)
	}
	return &KEK{aead: primitive, uri: uri}, nil
}

func parseKEK(uri string, text []byte) (*keyset.Handle, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		// The cause may quote the text.
		return nil, fmt.Errorf("%s does not hold a key-encryption key (a Tink keyset in JSON)", uri)
	}
	return handle, nil
}

func readKEK(uri string) ([]byte, error) {
	scheme, rest, _ := strings.Cut(uri, ":")
	switch scheme {
	case "file":
		info, err := os.Stat(rest)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w at %s", ErrNoKEK, uri)
		}
		if err != nil {
			return nil, fmt.Errorf("phi: %w", err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			return nil, fmt.Errorf("%s may be read by others (mode %04o): run chmod 600 %s", rest, info.Mode().Perm(), rest)
		}
		text, err := os.ReadFile(rest) //nolint:gosec // the path is the operator's
		if err != nil {
			return nil, fmt.Errorf("phi: %w", err)
		}
		return text, nil
	case "env":
		text, ok := os.LookupEnv(rest)
		if !ok || text == "" {
			return nil, fmt.Errorf("%w: the variable %s is not set", ErrNoKEK, rest)
		}
		return []byte(text), nil
	default:
		return nil, errors.New("phi.kek must begin with file:, env: or hcvault://")
	}
}

// CreateKEK makes a key-encryption key at a file: uri, unless the file exists already. The file appears whole or
// not at all, so that several processes may try at once. For other uris, it returns ErrNoKEK: their keys are made
// elsewhere.
func CreateKEK(uri string) error {
	path, ok := strings.CutPrefix(uri, "file:")
	if !ok {
		return fmt.Errorf("%w at %s, and none can be made there", ErrNoKEK, uri)
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	text, err := kekText(handle)
	if err != nil {
		return err
	}
	if err := WriteNewFile(path, text); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// AddKEK adds a key to the key-encryption keyset at a file: uri, and makes it the one that wraps. The old keys
// still unwrap. Two processes must not change the file at once: the caller must hold the database's keysets.
func AddKEK(uri string) error {
	return editKEK(uri, func(manager *keyset.Manager, _ []Key) error {
		id, err := manager.Add(aead.AES256GCMKeyTemplate())
		if err != nil {
			return err
		}
		return manager.SetPrimary(id)
	})
}

// TrimKEK destroys all keys of the key-encryption keyset at a file: uri except the one that wraps. The condition of
// AddKEK applies.
func TrimKEK(uri string) error {
	return editKEK(uri, deleteOlder)
}

func deleteOlder(manager *keyset.Manager, keys []Key) error {
	for _, key := range keys {
		if id, ok := parseKeyID(key.ID); ok && !key.Primary {
			if err := manager.Delete(id); err != nil {
				return err
			}
		}
	}
	return nil
}

func editKEK(uri string, edit func(*keyset.Manager, []Key) error) error {
	path, ok := strings.CutPrefix(uri, "file:")
	if !ok {
		return fmt.Errorf("the key-encryption key at %s is not a file: change it where it is kept", uri)
	}
	old, err := readKEK(uri)
	if err != nil {
		return err
	}
	handle, err := parseKEK(uri, old)
	if err != nil {
		return err
	}
	manager := keyset.NewManagerFromHandle(handle)
	if err := edit(manager, keysOf(handle)); err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	if handle, err = manager.Handle(); err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	text, err := kekText(handle)
	if err != nil {
		return err
	}
	if err := removeUnfinished(filepath.Dir(path)); err != nil {
		return err
	}
	return replaceFile(path, text)
}

// removeUnfinished removes files that killed processes left half-written: such a file may hold a key that is to be
// destroyed.
func removeUnfinished(folder string) error {
	left, err := filepath.Glob(filepath.Join(folder, unfinished))
	if err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	for _, path := range left {
		info, err := os.Stat(path)
		if err != nil || time.Since(info.ModTime()) < time.Minute { // another process may be about to finish it
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("phi: %w", err)
		}
	}
	return nil
}

func kekText(handle *keyset.Handle) ([]byte, error) {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	text.WriteByte('\n')
	return text.Bytes(), nil
}

// WriteNewFile writes a file of mode 0600 that appears whole and synced. It returns fs.ErrExist if a file of that
// name exists. Missing folders are made with mode 0700.
func WriteNewFile(path string, content []byte) error {
	// A link, unlike a rename, never replaces a file that another process put there first.
	return writeFile(path, content, os.Link)
}

// replaceFile is WriteNewFile for a file that may exist: it is replaced atomically.
func replaceFile(path string, content []byte) error {
	return writeFile(path, content, os.Rename)
}

// unfinished is the pattern of a file's name until the file is whole.
const unfinished = ".new-*"

func writeFile(path string, content []byte, place func(temp, path string) error) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	temp, err := os.CreateTemp(folder, unfinished) // CreateTemp makes it with mode 0600
	if err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	if err := place(temp.Name(), path); err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	return syncFolder(folder)
}

func syncFolder(folder string) error {
	dir, err := os.Open(folder) //nolint:gosec // the path is the operator's
	if err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("phi: %w", err)
	}
	return nil
}

// IsFile reports whether uri names a file.
func IsFile(uri string) bool { return strings.HasPrefix(uri, "file:") }

// IsVariable reports whether uri names an environment variable.
func IsVariable(uri string) bool { return strings.HasPrefix(uri, "env:") }

// SamePlace reports whether two uris name one key-encryption key, even if they name its file differently.
func SamePlace(a, b string) bool {
	if a == b || !IsFile(a) || !IsFile(b) {
		return a == b
	}
	first, err := os.Stat(strings.TrimPrefix(a, "file:"))
	if err != nil {
		return false
	}
	second, err := os.Stat(strings.TrimPrefix(b, "file:"))
	return err == nil && os.SameFile(first, second)
}
