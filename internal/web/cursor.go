package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"novamind/internal/apperr"
)

// A cursor is base64url(position of the last row ‖ HMAC-SHA256 over route, path, filters and that position). The
// filters may be PHI; the cursor holds only the tag made from them. Strict decoding refuses spare bits that are set,
// so each cursor has one spelling.
const (
	cursorLabel   = "novamind list cursor 3"
	digestLabel   = "novamind list answer 1"
	positionBytes = 16 + 8 + 8
	cursorBytes   = positionBytes + sha256.Size
)

// noTime means that there is no time. It is the earliest time that a cursor could hold.
const noTime = 1 << 63

var cursorLength = base64.RawURLEncoding.EncodedLen(cursorBytes)

// Position is the place of a row in a list: its id, or, in a list ordered by time, its time and its id. The pages of
// a list of changes have the watermark of the first page.
type Position struct {
	ID        uuid.UUID
	Time      time.Time
	Watermark time.Time
}

func (p Position) bytes() []byte {
	out := slices.Clone(p.ID[:])
	for _, t := range []time.Time{p.Time, p.Watermark} {
		micros := uint64(noTime)
		if !t.IsZero() {
			micros = uint64(t.UnixMicro())
		}
		out = binary.BigEndian.AppendUint64(out, micros)
	}
	return out
}

func positionOf(raw []byte) Position {
	p := Position{ID: uuid.UUID(raw[:16])}
	for i, t := range []*time.Time{&p.Time, &p.Watermark} {
		if micros := binary.BigEndian.Uint64(raw[16+8*i:]); micros != noTime {
			*t = time.UnixMicro(int64(micros)).UTC() //nolint:gosec // as above
		}
	}
	return p
}

// CursorSealer makes and opens the cursors of all lists.
type CursorSealer struct{ Key []byte }

// NewCursorSealer takes a key of at least 32 bytes. The key must be the same on every server that shares the load,
// and have no other use.
func NewCursorSealer(key []byte) (*CursorSealer, error) {
	if len(key) < sha256.Size {
		return nil, errors.New("the cursor key has fewer than 32 bytes")
	}
	return &CursorSealer{Key: slices.Clone(key)}, nil
}

// cursorScope identifies one list for its cursors: its route, path parameters and filters, length-prefixed.
type cursorScope struct{ key, context []byte }

func (s *CursorSealer) scope(c *gin.Context, filters any) (cursorScope, error) {
	selection, err := json.Marshal(filters, json.Deterministic(true))
	if err != nil {
		return cursorScope{}, apperr.Wrap(apperr.Internal, InternalDetail, err)
	}
	parts := [][]byte{[]byte(cursorLabel), []byte(c.FullPath()), selection}
	for _, param := range c.Params {
		parts = append(parts, []byte(param.Key), []byte(param.Value))
	}
	return cursorScope{key: s.Key, context: lengthPrefixed(parts)}, nil
}

func lengthPrefixed(parts [][]byte) []byte {
	var joined []byte
	for _, part := range parts {
		joined = binary.BigEndian.AppendUint64(joined, uint64(len(part)))
		joined = append(joined, part...)
	}
	return joined
}

func (l cursorScope) seal(last Position) string {
	at := last.bytes()
	return base64.RawURLEncoding.EncodeToString(append(at, l.Tag(at)...))
}

func (l cursorScope) open(cursor string) (Position, bool) {
	// The length is checked first because the decoder skips line breaks.
	if len(cursor) != cursorLength {
		return Position{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != cursorBytes {
		return Position{}, false
	}
	if !hmac.Equal(raw[positionBytes:], l.Tag(raw[:positionBytes])) {
		return Position{}, false
	}
	return positionOf(raw[:positionBytes]), true
}

// digestOf returns the entity tag of an answer.
func digestOf(key, answer []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(lengthPrefixed([][]byte{[]byte(digestLabel), answer}))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

func (l cursorScope) Tag(last []byte) []byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write(l.context)
	mac.Write(last)
	return mac.Sum(nil)
}
