package handler

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"novamind/internal/apperr"
)

// A cursor is base64url(id of the last row ‖ HMAC-SHA256 over route, path, filters and that id). The filters may be
// PHI; of them a cursor holds nothing but the tag. 48 bytes make 64 characters with no spare bits, so each cursor has
// one spelling.
const (
	cursorLabel  = "novamind list cursor 1"
	cursorBytes  = 16 + sha256.Size
	cursorLength = cursorBytes / 3 * 4
)

// cursorSealer makes and opens the cursors of all lists.
type cursorSealer struct{ key []byte }

// newCursorSealer takes a key of at least 32 bytes, the same on every server that shares the load, used for nothing else.
func newCursorSealer(key []byte) (*cursorSealer, error) {
	if len(key) < sha256.Size {
		return nil, errors.New("the cursor key has fewer than 32 bytes")
	}
	return &cursorSealer{key: slices.Clone(key)}, nil
}

// cursorScope is one list as the cursors see it: its route, path parameters and filters, length-prefixed.
type cursorScope struct{ key, context []byte }

func (s *cursorSealer) scope(c *gin.Context, filters any) (cursorScope, error) {
	selection, err := json.Marshal(filters, json.Deterministic(true))
	if err != nil {
		return cursorScope{}, apperr.Wrap(apperr.Internal, internalDetail, err)
	}
	parts := [][]byte{[]byte(cursorLabel), []byte(c.FullPath()), selection}
	for _, param := range c.Params {
		parts = append(parts, []byte(param.Key), []byte(param.Value))
	}
	return cursorScope{key: s.key, context: lengthPrefixed(parts)}, nil
}

func lengthPrefixed(parts [][]byte) []byte {
	var joined []byte
	for _, part := range parts {
		joined = binary.BigEndian.AppendUint64(joined, uint64(len(part)))
		joined = append(joined, part...)
	}
	return joined
}

func (l cursorScope) seal(last uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(append(last[:], l.tag(last)...))
}

func (l cursorScope) open(cursor string) (uuid.UUID, bool) {
	// The length is checked first because the decoder skips line breaks.
	if len(cursor) != cursorLength {
		return uuid.Nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != cursorBytes {
		return uuid.Nil, false
	}
	last := uuid.UUID(raw[:16])
	if !hmac.Equal(raw[16:], l.tag(last)) {
		return uuid.Nil, false
	}
	return last, true
}

func (l cursorScope) tag(last uuid.UUID) []byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write(l.context)
	mac.Write(last[:])
	return mac.Sum(nil)
}
