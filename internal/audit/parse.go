package audit

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
)

// errLeaf is returned for bytes that are not a leaf.
var errLeaf = errors.New("audit: not the canonical bytes of an event")

// ParseLeaf returns the entry whose Leaf these bytes are. Any other bytes are an error, even another encoding of
// the same entry.
func ParseLeaf(leaf []byte) (Entry, error) {
	r := &leafReader{rest: leaf}
	r.label()
	e := Entry{TransactionID: r.number(), MAC: r.text()}
	r.label()
	r.id(&e.ID)
	for _, t := range []*time.Time{&e.CreatedAt, &e.UpdatedAt, &e.OccurredAt} {
		*t = r.time()
	}
	e.UserID = r.optionalID()
	e.ActorRoles = r.list()
	e.OnBehalfOf = r.text()
	e.SessionID, e.APIKeyID = r.optionalID(), r.optionalID()
	e.Address, e.Route, e.Purpose, e.DataCategory = r.text(), r.text(), r.text(), r.text()
	e.Action, e.EntityType = r.required(), r.required()
	e.EntityID = r.optionalID()
	e.Fields = r.list()
	e.Diff, e.Details, e.Reason = r.text(), r.text(), r.text()
	e.Outcome, e.Origin = r.required(), r.required()
	e.RequestID, e.Nonce = r.text(), r.text()
	for n := r.count(); n > 0 && !r.failed; n-- {
		var s EntrySubject
		r.id(&s.EntityID)
		s.EntityType, s.RowVersion, s.RowDigest = r.text(), r.number(), r.text()
		e.Subjects = append(e.Subjects, s)
	}
	if r.failed || len(r.rest) > 0 || string(e.Leaf()) != string(leaf) {
		return Entry{}, errLeaf
	}
	return e, nil
}

// leafReader reads the parts that leafWriter wrote, one after the other.
type leafReader struct {
	rest   []byte
	failed bool
}

func (r *leafReader) take(n int) []byte {
	if n > len(r.rest) {
		r.failed, r.rest = true, nil
		return nil
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

func (r *leafReader) count() uint32 {
	part := r.take(4)
	if r.failed {
		return 0
	}
	return binary.BigEndian.Uint32(part)
}

// optional returns the next part, and whether it is present.
func (r *leafReader) optional() ([]byte, bool) {
	n := r.count()
	if n == absent || r.failed {
		return nil, false
	}
	part := r.take(int(n))
	return part, !r.failed
}

func (r *leafReader) bytes() []byte {
	part, ok := r.optional()
	r.failed = r.failed || !ok
	return part
}

func (r *leafReader) label() {
	if string(r.bytes()) != leafLabel {
		r.failed = true
	}
}

func (r *leafReader) text() *string {
	part, ok := r.optional()
	if !ok {
		return nil
	}
	s := string(part)
	return &s
}

func (r *leafReader) required() string { return string(r.bytes()) }

func (r *leafReader) id(into *uuid.UUID) {
	part := r.bytes()
	if len(part) != len(into) {
		r.failed = true
		return
	}
	copy(into[:], part)
}

func (r *leafReader) optionalID() *uuid.UUID {
	part, ok := r.optional()
	if !ok || len(part) != len(uuid.UUID{}) {
		r.failed = r.failed || ok
		return nil
	}
	id := uuid.UUID(part)
	return &id
}

func (r *leafReader) number() *int64 {
	part, ok := r.optional()
	if !ok || len(part) != 8 {
		r.failed = r.failed || ok
		return nil
	}
	v := int64(binary.BigEndian.Uint64(part)) //nolint:gosec // a bit pattern
	return &v
}

func (r *leafReader) time() time.Time {
	part := r.bytes()
	if len(part) != 8 {
		r.failed = true
		return time.Time{}
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(part))).UTC() //nolint:gosec // a bit pattern
}

func (r *leafReader) list() []string {
	n := r.count()
	var parts []string
	for ; n > 0 && !r.failed; n-- {
		parts = append(parts, string(r.bytes()))
	}
	return parts
}
