// Package phi seals protected health information (45 CFR 160.103) before it reaches a database, and opens it again.
//
// A sealed value is text of the form
//
//	phi1:<key id, 8 hex digits>:<base64url of nonce, ciphertext and tag>
//
// AES-256-GCM by Tink, with the table, column, row id and row version as associated data: a value that was altered,
// or moved from another place or an earlier version of its row, does not open.
//
// Searching goes through blind indexes: keyed hashes of normalised values.
package phi

import (
	"errors"
	"fmt"
)

// Redacted is the text that every printed form of a sealed field shows.
const Redacted = "[PHI]"

var (
	// ErrUnreadable is returned if a sealed value was altered, moved or put back, or if its key is not in the
	// keyset.
	ErrUnreadable = errors.New("phi: sealed value can't be opened")
	// ErrUnknownKey is the ErrUnreadable of a value whose key the keyset lacks. Another process may have added the
	// key since.
	ErrUnknownKey = fmt.Errorf("%w: its key is not in the keyset", ErrUnreadable)
	// ErrNotSealed is returned if plain text was about to reach the database.
	ErrNotSealed = errors.New("phi: refused to hand a plain value to the database")
)
