package phi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
)

// normalizer is the version of the rules that map many spellings to one value. It changes whenever the rules
// change.
const normalizer = "novamind blind index 2"

// Indexer makes blind index tokens: truncated HMAC-SHA256 of normalised values under subkeys of the index keyset.
// There is one subkey for each table, column and purpose.
//
// A token is text of the form bi1:<key id>:<purpose>:<hex>. Equal values have equal tokens: that is its use, and
// its leak (docs/threat-model.md).
type Indexer struct {
	keys        map[uint32]prf.PRF
	primary     uint32
	phoneRegion string
	subkeys     *sync.Map // subkeyName → []byte
}

type subkeyName struct {
	key                    uint32
	table, column, purpose string
}

// Term names the index that a value goes into: its place, and the number of bits of the hash to keep.
type Term struct {
	Table, Column, Purpose string
	Bits                   int // a multiple of 8, at most 256
}

func newIndexer(handle *keyset.Handle, phoneRegion string) (*Indexer, error) {
	set, err := prf.NewPRFSet(handle)
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	return &Indexer{keys: set.PRFs, primary: set.PrimaryID, phoneRegion: phoneRegion, subkeys: &sync.Map{}}, nil
}

// Scheme returns the rules by which values become tokens: the normaliser's version, and the region of phone
// numbers. It is part of every subkey, so tokens of different schemes never compare equal.
func (x *Indexer) Scheme() string { return normalizer + " " + x.phoneRegion }

// Primary returns the id of the key that Token uses.
func (x *Indexer) Primary() string { return formatKeyID(x.primary) }

// PerKey returns an indexer for each key of the keyset, with that key as its primary.
func (x *Indexer) PerKey() []*Indexer {
	out := make([]*Indexer, 0, len(x.keys))
	for id := range x.keys {
		other := *x
		other.primary = id
		out = append(out, &other)
	}
	return out
}

// Knows reports whether the keyset has this key.
func (x *Indexer) Knows(keyID string) bool {
	id, ok := parseKeyID(keyID)
	return ok && x.keys[id] != nil
}

// Older reports whether a token is under a key of the keyset that is not the primary.
func (x *Indexer) Older(token string) bool {
	rest, ok := strings.CutPrefix(token, "bi1:")
	keyID, _, named := strings.Cut(rest, ":")
	return ok && named && x.Knows(keyID) && keyID != x.Primary()
}

// Keys returns the number of keys in the keyset.
func (x *Indexer) Keys() int { return len(x.keys) }

// Token returns the token to store for a normalised value.
func (x *Indexer) Token(t Term, normalised string) (string, error) {
	return x.token(x.primary, t, normalised)
}

// Candidates returns the tokens under which a normalised value may be stored: one for each key of the keyset.
func (x *Indexer) Candidates(t Term, normalised string) ([]string, error) {
	tokens := make([]string, 0, len(x.keys))
	for id := range x.keys {
		token, err := x.token(id, t, normalised)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

func (x *Indexer) token(key uint32, t Term, normalised string) (string, error) {
	subkey, err := x.subkey(subkeyName{key, t.Table, t.Column, t.Purpose})
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, subkey)
	mac.Write([]byte(normalised))
	return "bi1:" + formatKeyID(key) + ":" + t.Purpose + ":" + hex.EncodeToString(mac.Sum(nil)[:t.Bits/8]), nil
}

// subkey derives the key of one index, once: the PRF over the length-prefixed parts of its name.
func (x *Indexer) subkey(n subkeyName) ([]byte, error) {
	if subkey, ok := x.subkeys.Load(n); ok {
		return subkey.([]byte), nil //nolint:forcetypeassert // only stored below
	}
	var name []byte
	for _, part := range [...]string{x.Scheme(), n.table, n.column, n.purpose} {
		name = binary.BigEndian.AppendUint32(name, uint32(len(part))) //nolint:gosec // names of ours
		name = append(name, part...)
	}
	subkey, err := x.keys[n.key].ComputePRF(name, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	x.subkeys.Store(n, subkey)
	return subkey, nil
}
