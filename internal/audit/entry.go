package audit

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Entry is an event as the log holds it: what is sensitive in it is sealed already.
type Entry struct {
	ID            uuid.UUID
	CreatedAt     time.Time
	UpdatedAt     time.Time
	OccurredAt    time.Time
	TransactionID *int64 // PostgreSQL's, given by the database
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
	Nonce         *string // random, so that a hash tells nothing of an event that could be guessed
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

// Leaf returns the canonical bytes of the entry, all of its columns and subjects, which the tree hashes. It is an encoding of its own, not
// that of any engine: each part with its length before it, absent ones told from empty ones.
func (e Entry) Leaf() []byte {
	w := newLeafWriter()
	w.number(e.TransactionID)
	w.text(e.MAC)
	return append(w.out, e.Authenticated()...)
}

// Authenticated returns the canonical bytes that the program's MAC of an entry covers: all but the MAC, and what the database adds.
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

// leafLabel begins every encoding: no other use of the keys takes it for something of its own.
const leafLabel = "novamind event 1"

// leafWriter encodes parts, each with its length before it.
type leafWriter struct{ out []byte }

func newLeafWriter() *leafWriter {
	w := &leafWriter{out: make([]byte, 0, 512)}
	w.bytes([]byte(leafLabel))
	return w
}

// absent is a length that no part has.
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
