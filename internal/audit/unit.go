package audit

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ErrOutsideUnit is returned if a row is touched outside a unit of work, where nothing collects the event. The
// access is refused.
var ErrOutsideUnit = errors.New("audit: access outside a unit of work")

// Intent is the action that a service is about to take. It names the events of the following unit of work.
type Intent struct {
	private

	Action     string
	EntityType string
	EntityID   uuid.UUID // Nil for lists and searches
	Details    string
	Reason     string
}

type intentKey struct{}

// WithIntent returns a context in which i is the intent of the next unit of work.
func WithIntent(ctx context.Context, i Intent) context.Context {
	return context.WithValue(ctx, intentKey{}, i)
}

// Unit collects the rows that one unit of work touches. It is safe for concurrent use.
type Unit struct {
	actor  Actor
	intent Intent

	mu         sync.Mutex
	changes    []Event
	seen       []Subject // in the order of first access
	seenSet    map[uuid.UUID]bool
	unreadable []Event
	undo       []func()
}

type unitKey struct{}

// Begin opens a unit of work in ctx, on behalf of the actor of ctx and with its intent. It returns ErrNoActor
// without an actor.
func Begin(ctx context.Context) (context.Context, *Unit, error) {
	actor, err := ActorFrom(ctx)
	if err != nil {
		return nil, nil, err
	}
	intent, _ := ctx.Value(intentKey{}).(Intent)
	u := &Unit{actor: actor, intent: intent, seenSet: map[uuid.UUID]bool{}}
	return context.WithValue(ctx, unitKey{}, u), u, nil
}

// Current returns the unit of work of ctx, or ErrOutsideUnit.
func Current(ctx context.Context) (*Unit, error) {
	u, ok := ctx.Value(unitKey{}).(*Unit)
	if !ok {
		return nil, ErrOutsideUnit
	}
	return u, nil
}

// Accessed notes that a row is about to be opened.
func (u *Unit) Accessed(entityType string, id uuid.UUID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.seenSet[id] {
		u.seenSet[id] = true
		u.seen = append(u.seen, Subject{ID: id, EntityType: entityType})
	}
}

// Withhold takes back Accessed for a row that was opened but turned out not to be part of the answer.
func (u *Unit) Withhold(id uuid.UUID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forget(id)
}

// UsedFor sets the purpose of use of all following events.
func (u *Unit) UsedFor(purpose string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.actor.Purpose = purpose
}

// ForgetChanges takes back Changed and Record, because their changes were rolled back.
func (u *Unit) ForgetChanges() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes = nil
}

// OnRollback registers undo, to be called if the open transaction does not commit. undo resets the struct of a row
// that the transaction wrote.
func (u *Unit) OnRollback(undo func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.undo = append(u.undo, undo)
}

// Ended tells the unit how its transaction ended. Unless it was committed, Ended calls the functions of OnRollback,
// the last first.
func (u *Unit) Ended(committed bool) {
	u.mu.Lock()
	undo := u.undo
	u.undo = nil
	u.mu.Unlock()
	if committed {
		return
	}
	for _, take := range slices.Backward(undo) {
		take()
	}
}

// Untouched reports whether the unit has neither seen nor changed any row.
func (u *Unit) Untouched() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.changes)+len(u.seen)+len(u.unreadable) == 0
}

// Unreadable notes that a row was found altered, and was not shown.
func (u *Unit) Unreadable(entityType string, id uuid.UUID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.unreadable = append(u.unreadable, u.stamp(Event{
		Action: Read, EntityType: entityType, EntityID: id, Subjects: []Subject{{ID: id, EntityType: entityType}},
		Outcome: Failure, Details: "phi.unreadable",
	}))
}

// Changed notes a change of a row: its event will be committed with it. operation is Create, Update or Purge. If
// the unit intends something more precise for this row (deactivate is an update), the intent names the event.
func (u *Unit) Changed(operation, entityType string, id uuid.UUID, c Change) {
	u.mu.Lock()
	defer u.mu.Unlock()
	e := Event{
		Action: cmp.Or(c.Action, operation), EntityType: entityType, EntityID: id, Fields: c.Fields, Diff: c.Diff, Outcome: Success,
		Details:  c.Details,
		Subjects: append([]Subject{{ID: id, EntityType: entityType, RowVersion: c.RowVersion, RowDigest: c.RowDigest}}, c.Others...),
	}
	if u.intent.EntityType == entityType && u.intent.EntityID == id {
		e.Action, e.Details, e.Reason = u.intent.Action, cmp.Or(u.intent.Details, e.Details), u.intent.Reason
	}
	u.changes = append(u.changes, u.stamp(e))
}

// Record notes an event that no hook sees, such as a login.
func (u *Unit) Record(e Event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes = append(u.changes, u.stamp(e))
}

// Commit returns the events to be stored in the transaction that is about to commit, and forgets them. They are the
// changes, and one event for the rows that were seen but not changed.
func (u *Unit) Commit() []Event {
	u.mu.Lock()
	defer u.mu.Unlock()
	events := u.takeChanges()
	if len(u.seen) > 0 {
		events = append(events, u.access(Read, u.seen[0].EntityType, Success, ""))
	}
	return append(events, u.takeUnreadable()...)
}

// TakeChanges returns the events of the changes so far, to be stored now, and forgets them. Commit returns the
// later ones.
func (u *Unit) TakeChanges() []Event {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.takeChanges()
}

func (u *Unit) takeChanges() []Event {
	events := u.changes
	for _, e := range events {
		for _, s := range e.Subjects {
			u.forget(s.ID)
		}
	}
	u.changes = nil
	return events
}

// Answer returns the events to be stored before a read is answered. One event carries every row seen, even if there
// was none.
func (u *Unit) Answer() []Event {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Event{u.access(u.intent.Action, u.intent.EntityType, Success, u.intent.Details)}, u.takeUnreadable()...)
}

// Fail returns the events to be stored after a unit that ended with an error or was rolled back. They carry the
// intent, the rows seen on the way, and the reason for the end. reason is an error code.
func (u *Unit) Fail(outcome, reason string) []Event {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes = nil
	unreadable := u.takeUnreadable()
	if len(unreadable) == 1 && unreadable[0].EntityID == u.intent.EntityID && u.intent.Action == Read {
		return unreadable // this event says the same already
	}
	return append([]Event{u.access(u.intent.Action, u.intent.EntityType, outcome, reason)}, unreadable...)
}

func (u *Unit) access(action, entityType, outcome, details string) Event {
	e := u.stamp(Event{
		Action: action, EntityType: entityType, EntityID: u.intent.EntityID, Subjects: u.seen,
		Outcome: outcome, Details: details, Reason: u.intent.Reason,
	})
	if u.intent.EntityType != entityType {
		e.EntityID = uuid.Nil
	}
	u.seen, u.seenSet = nil, map[uuid.UUID]bool{}
	return e
}

func (u *Unit) forget(id uuid.UUID) {
	if u.seenSet[id] {
		delete(u.seenSet, id)
		u.seen = slices.DeleteFunc(u.seen, func(s Subject) bool { return s.ID == id })
	}
}

func (u *Unit) takeUnreadable() []Event {
	events := u.unreadable
	u.unreadable = nil
	return events
}

// stamp fills in the actor, the time and the place.
func (u *Unit) stamp(e Event) Event { return Stamp(u.actor, e) }

// Stamp gives an event its id, and fills in the actor, the time and the place. An address and a time that the event
// already has stay.
func Stamp(a Actor, e Event) Event {
	e.ID = uuid.Must(uuid.NewV7())
	if e.OccurredAt.IsZero() {
		e.OccurredAt = time.Now()
	} else {
		first := FirstID(e.OccurredAt)
		copy(e.ID[:6], first[:6])
	}
	e.OccurredAt = e.OccurredAt.UTC().Truncate(time.Microsecond)
	if e.UserID == uuid.Nil {
		e.UserID = a.ID
	}
	e.Origin, e.RequestID = a.Origin, a.RequestID
	e.ActorRoles, e.OnBehalfOf, e.SessionID, e.APIKeyID = a.Roles, a.OnBehalfOf, a.SessionID, a.APIKeyID
	e.Address, e.Route, e.Purpose = cmp.Or(e.Address, a.Address), a.Route, a.Purpose
	return e
}
