package audit_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
)

var (
	who   = audit.Actor{ID: id(1), Roles: []string{"clinician"}, Origin: "api", RequestID: "request"}
	alice = id(2)
	bert  = id(3)
	carla = id(4)
)

func id(n byte) uuid.UUID { return uuid.UUID{15: n} }

// begin opens a unit of work with the intent i.
func begin(t *testing.T, i audit.Intent) *audit.Unit {
	t.Helper()
	_, unit, err := audit.Begin(audit.WithIntent(audit.WithActor(t.Context(), who), i))
	require.NoError(t, err)
	return unit
}

// shown returns subjects of one kind.
func shown(entityType string, ids ...uuid.UUID) []audit.Subject {
	var out []audit.Subject
	for _, id := range ids {
		out = append(out, audit.Subject{ID: id, EntityType: entityType})
	}
	return out
}

// plain checks the stamps of events, and removes them.
func plain(t *testing.T, events []audit.Event) []audit.Event {
	t.Helper()
	seen := map[uuid.UUID]bool{}
	for i, e := range events {
		require.Equal(t, uuid.Version(7), e.ID.Version())
		require.False(t, seen[e.ID], "two events of one id")
		seen[e.ID] = true
		require.Equal(t, time.UTC, e.OccurredAt.Location())
		require.Equal(t, e.OccurredAt, e.OccurredAt.Truncate(time.Microsecond), "more than the database keeps")
		require.Equal(t, [3]any{who.ID, who.Origin, who.RequestID}, [3]any{e.UserID, e.Origin, e.RequestID})
		require.Equal(t, who.Roles, e.ActorRoles)
		events[i].ID, events[i].OccurredAt, events[i].UserID, events[i].Origin, events[i].RequestID = uuid.Nil, time.Time{}, uuid.Nil, "", ""
		events[i].ActorRoles = nil
	}
	return events
}

func TestUnitsNeedAnActor(t *testing.T) {
	t.Parallel()
	_, _, err := audit.Begin(t.Context())
	require.ErrorIs(t, err, audit.ErrNoActor)
	_, err = audit.ActorFrom(t.Context())
	require.ErrorIs(t, err, audit.ErrNoActor)
	_, err = audit.Current(audit.WithActor(t.Context(), who))
	require.ErrorIs(t, err, audit.ErrOutsideUnit)

	ctx, unit, err := audit.Begin(audit.WithActor(t.Context(), who))
	require.NoError(t, err)
	current, err := audit.Current(context.WithoutCancel(ctx))
	require.NoError(t, err)
	require.Same(t, unit, current)

	job, err := audit.ActorFrom(audit.System(t.Context(), "reseal"))
	require.NoError(t, err)
	require.Equal(t, audit.Actor{Roles: []string{"system"}, Origin: "system:reseal"}, job)
}

func TestAnswerCarriesEveryRowSeenOnce(t *testing.T) {
	t.Parallel()
	u := begin(t, audit.Intent{Action: audit.Search, EntityType: "patient", Details: "by email", Reason: "asked"})
	require.True(t, u.Untouched())
	u.Accessed("patient", bert)
	u.Accessed("patient", alice)
	u.Accessed("patient", bert)
	u.Accessed("patient", carla)
	u.Withhold(alice)
	u.Withhold(id(9)) // never seen
	require.False(t, u.Untouched())
	require.Equal(t, []audit.Event{{
		Action: audit.Search, EntityType: "patient", Subjects: shown("patient", bert, carla), Details: "by email", Reason: "asked", Outcome: audit.Success,
	}}, plain(t, u.Answer()))
}

func TestAnswerOfNothingIsAnEvent(t *testing.T) {
	t.Parallel()
	u := begin(t, audit.Intent{Action: audit.Read, EntityType: "patient", EntityID: alice})
	require.Equal(t, []audit.Event{{Action: audit.Read, EntityType: "patient", EntityID: alice, Outcome: audit.Success}}, plain(t, u.Answer()))
}

func TestWithheldRowsMayBeSeenAfterAll(t *testing.T) {
	t.Parallel()
	u := begin(t, audit.Intent{Action: audit.List, EntityType: "patient"})
	u.Accessed("patient", alice)
	u.Withhold(alice)
	require.True(t, u.Untouched())
	u.Accessed("patient", alice)
	require.Equal(t, shown("patient", alice), u.Answer()[0].Subjects)
}

func TestCommitNamesTheIntendedChange(t *testing.T) {
	t.Parallel()
	u := begin(t, audit.Intent{Action: audit.Deactivate, EntityType: "patient", EntityID: alice, Details: "d", Reason: "asked"})
	u.Accessed("patient", alice)
	u.Changed(audit.Update, "patient", alice, audit.Change{Fields: []string{"active"}})
	u.Changed(audit.Update, "patient", bert, audit.Change{Fields: []string{"active"}})
	u.Changed(audit.Update, "account", alice, audit.Change{})
	require.Equal(t, []audit.Event{
		{
			Action: audit.Deactivate, EntityType: "patient", EntityID: alice, Subjects: shown("patient", alice), Fields: []string{"active"},
			Details: "d", Reason: "asked", Outcome: audit.Success,
		},
		{Action: audit.Update, EntityType: "patient", EntityID: bert, Subjects: shown("patient", bert), Fields: []string{"active"}, Outcome: audit.Success},
		{Action: audit.Update, EntityType: "account", EntityID: alice, Subjects: shown("account", alice), Outcome: audit.Success},
	}, plain(t, u.Commit()))
	require.Empty(t, u.Commit(), "an event is stored once")
	require.True(t, u.Untouched())
}

// A changed row was seen too, and its change says so. A row that was only seen on the way is a read.
func TestCommitAddsTheRowsOnlySeen(t *testing.T) {
	t.Parallel()
	u := begin(t, audit.Intent{Action: audit.Create, EntityType: "appointment", EntityID: carla, Reason: "asked"})
	u.Accessed("patient", alice)
	u.Accessed("patient", bert)
	u.Changed(audit.Update, "patient", bert, audit.Change{})
	events := plain(t, u.Commit())
	require.Len(t, events, 2)
	require.Equal(t, audit.Event{
		Action: audit.Read, EntityType: "patient", Subjects: shown("patient", alice), Reason: "asked", Outcome: audit.Success,
	}, events[1], "of another kind of row than was meant, so it does not name the row that was meant")
}

func TestUnreadableRowsAreEvents(t *testing.T) {
	t.Parallel()
	found := audit.Event{
		Action: audit.Read, EntityType: "patient", EntityID: alice, Subjects: shown("patient", alice), Details: "phi.unreadable", Outcome: audit.Failure,
	}
	for name, end := range map[string]func(*audit.Unit) []audit.Event{
		"commit": (*audit.Unit).Commit,
		"answer": (*audit.Unit).Answer,
		"fail":   func(u *audit.Unit) []audit.Event { return u.Fail(audit.Failure, "internal") },
	} {
		u := begin(t, audit.Intent{Action: audit.List, EntityType: "patient"})
		u.Accessed("patient", alice)
		u.Unreadable("patient", alice)
		require.False(t, u.Untouched(), name)
		events := plain(t, end(u))
		require.Len(t, events, 2, name)
		require.Equal(t, found, events[1], name)
		require.True(t, u.Untouched(), name)
	}

	u := begin(t, audit.Intent{Action: audit.Read, EntityType: "patient", EntityID: alice})
	u.Unreadable("patient", alice)
	require.False(t, u.Untouched())
	require.Equal(t, []audit.Event{found}, plain(t, u.Fail(audit.Failure, "phi.unreadable")), "said once")
}

// A unit that failed changed nothing, but the rows that it saw stay seen.
func TestFailForgetsChangesAndKeepsReads(t *testing.T) {
	t.Parallel()
	u := begin(t, audit.Intent{Action: audit.Update, EntityType: "patient", EntityID: alice, Details: "d", Reason: "asked"})
	u.Accessed("patient", alice)
	u.Changed(audit.Update, "patient", alice, audit.Change{Fields: []string{"active"}})
	u.Record(audit.Event{Action: audit.Login})
	require.Equal(t, []audit.Event{{
		Action: audit.Update, EntityType: "patient", EntityID: alice, Subjects: shown("patient", alice), Details: "stale", Reason: "asked",
		Outcome: audit.Denied,
	}}, plain(t, u.Fail(audit.Denied, "stale")))
	require.Empty(t, u.Commit(), "nothing of it is left")
}

// Changes that were rolled back are forgotten. Rows seen on the way, or found altered, stay.
func TestForgetChangesKeepsTheRest(t *testing.T) {
	t.Parallel()
	u := begin(t, audit.Intent{Action: audit.Read, EntityType: "patient"})
	u.Accessed("patient", alice)
	u.Changed(audit.Update, "patient", bert, audit.Change{})
	u.Record(audit.Event{Action: audit.Login})
	u.Unreadable("patient", carla)
	u.ForgetChanges()
	events := plain(t, u.Commit())
	require.Len(t, events, 2)
	require.Equal(t, shown("patient", alice), events[0].Subjects)
	require.Equal(t, shown("patient", carla), events[1].Subjects)
}

func TestRecordKeepsWhoItNames(t *testing.T) {
	t.Parallel()
	_, u, err := audit.Begin(audit.WithActor(t.Context(), audit.Actor{Origin: "api", RequestID: "request"}))
	require.NoError(t, err)
	u.Record(audit.Event{Action: audit.Login, UserID: bert, Outcome: audit.Success})
	events := u.Commit()
	require.Len(t, events, 1)
	require.Equal(t, bert, events[0].UserID)
	require.Equal(t, "request", events[0].RequestID)
}

func TestUnitsAreForManyGoroutines(t *testing.T) {
	t.Parallel()
	u := begin(t, audit.Intent{Action: audit.List, EntityType: "patient"})
	var work sync.WaitGroup
	for n := range byte(64) {
		work.Go(func() {
			u.Accessed("patient", id(n))
			u.Changed(audit.Update, "patient", id(n+100), audit.Change{})
			u.Unreadable("patient", id(n))
			if n%2 == 0 {
				u.Withhold(id(n))
			}
		})
	}
	work.Wait()
	events := u.Commit()
	require.Len(t, events, 64+1+64)
	require.Len(t, events[64].Subjects, 32)
}
