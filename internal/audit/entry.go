package audit

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Entry is an event as the log holds it: its sensitive parts are sealed already.
type Entry struct {
	ID            uuid.UUID
	CreatedAt     time.Time
	UpdatedAt     time.Time
	OccurredAt    time.Time
	TransactionID *int64 // PostgreSQL's transaction id, assigned by the database
	UserID        *uuid.UUID
	ActorRoles    []string
	OnBehalfOf    *string
	SessionID     *uuid.UUID
	APIKeyID      *uuid.UUID
	Address       *string
	Route         *string
	Purpose       *string
	DataCategory  *string
	Action        string
	EntityType    string
	EntityID      *uuid.UUID
	Fields        []string
	Diff          *string // sealed
	Details       *string
	Reason        *string // sealed
	Outcome       string
	Origin        string
	RequestID     *string
	Nonce         *string // random, so that the hash of a guessable event reveals nothing
	MAC           *string
	Subjects      []EntrySubject
}

// EntrySubject is one row that an event showed or changed, as the log holds it.
type EntrySubject struct {
	EntityID   uuid.UUID
	EntityType *string
	RowVersion *int64
	RowDigest  *string
}

// Leaf returns the canonical bytes of the entry, which the tree hashes: all of its columns and subjects. The
// encoding is independent of any engine. Each part has its length before it, and an absent part differs from an
// empty one.
func (e Entry) Leaf() []byte {
	w := newLeafWriter()
	w.number(e.TransactionID)
	w.text(e.MAC)
	return append(w.out, e.Authenticated()...)
}

// Authenticated returns the canonical bytes that the program's MAC of an entry covers: all but the MAC, and the
// values that the database adds.
func (e Entry) Authenticated() []byte {
	w := newLeafWriter()
	w.bytes(e.ID[:])
	for _, t := range []time.Time{e.CreatedAt, e.UpdatedAt, e.OccurredAt} {
		w.bytes(binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())))
	}
	w.id(e.UserID)
	w.list(e.ActorRoles)
	w.text(e.OnBehalfOf)
	w.id(e.SessionID)
	w.id(e.APIKeyID)
	for _, s := range []*string{e.Address, e.Route, e.Purpose, e.DataCategory, &e.Action, &e.EntityType} {
		w.text(s)
	}
	w.id(e.EntityID)
	w.list(e.Fields)
	for _, s := range []*string{e.Diff, e.Details, e.Reason, &e.Outcome, &e.Origin, e.RequestID, e.Nonce} {
		w.text(s)
	}
	subjects := slices.Clone(e.Subjects)
	slices.SortFunc(subjects, func(a, b EntrySubject) int { return slices.Compare(a.EntityID[:], b.EntityID[:]) })
	w.count(len(subjects))
	for _, s := range subjects {
		w.bytes(s.EntityID[:])
		w.text(s.EntityType)
		w.number(s.RowVersion)
		w.text(s.RowDigest)
	}
	return w.out
}

// leafLabel begins every encoding, so that no other use of the keys accepts it as its own.
const leafLabel = "novamind event 1"

// leafWriter encodes parts, each with its length before it.
type leafWriter struct{ out []byte }

func newLeafWriter() *leafWriter {
	w := &leafWriter{out: make([]byte, 0, 512)}
	w.bytes([]byte(leafLabel))
	return w
}

// absent is a length that no part has; it marks an absent part.
const absent = 1<<32 - 1

func (w *leafWriter) count(n int) {
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(n)) //nolint:gosec // far below 4 Gi
}

func (w *leafWriter) bytes(b []byte) {
	w.count(len(b))
	w.out = append(w.out, b...)
}

func (w *leafWriter) none() { w.out = binary.BigEndian.AppendUint32(w.out, absent) }

func (w *leafWriter) text(s *string) {
	if s == nil {
		w.none()
		return
	}
	w.bytes([]byte(*s))
}

func (w *leafWriter) id(id *uuid.UUID) {
	if id == nil {
		w.none()
		return
	}
	w.bytes(id[:])
}

func (w *leafWriter) number(v *int64) {
	if v == nil {
		w.none()
		return
	}
	w.bytes(binary.BigEndian.AppendUint64(nil, uint64(*v))) //nolint:gosec // a bit pattern
}

func (w *leafWriter) list(parts []string) {
	w.count(len(parts))
	for _, p := range parts {
		w.bytes([]byte(p))
	}
}
