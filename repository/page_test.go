package repository_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
)

// Each row that exists at the start is listed once, in order. This holds for every page size and direction, and for
// rows added before or behind the page in the meantime.
func TestPagesListEachRowOnce(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		for range 5 {
			create(t, store, invented())
		}
		rapid.Check(t, func(rt *rapid.T) {
			start := ids(find(t, store, models.PatientQuery{}))
			page := repository.Page{Limit: rapid.IntRange(1, 6).Draw(rt, "limit"), Descending: rapid.Bool().Draw(rt, "descending")}
			var seen []uuid.UUID
			for more := true; more; {
				var found []*models.Patient
				require.NoError(rt, store.Read(intending(t, "page"), func(ctx context.Context) (err error) {
					found, more, err = patients.Search(ctx, models.PatientQuery{}, page, everybody)
					return err
				}))
				require.LessOrEqual(rt, len(found), page.Limit)
				require.NotEmpty(rt, found, "more was promised")
				seen = append(seen, ids(found)...)
				page.After = seen[len(seen)-1]
				if len(start) < 12 && rapid.Bool().Draw(rt, "insert") {
					added := invented()
					added.ID = uuid.New() // anywhere in the order
					create(t, store, added)
				}
			}
			order := func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }
			if page.Descending {
				slices.Reverse(seen)
			}
			require.True(rt, slices.IsSortedFunc(seen, order))
			require.Len(rt, slices.Compact(slices.Clone(seen)), len(seen), "no row twice")
			for _, id := range start {
				require.Contains(rt, seen, id)
			}
		})
	})
}

// A row read only to learn whether there are more is not part of the rows shown.
func TestRowsReadAheadAreNotInTheEvent(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		for range 6 { // more than any step reads ahead
			create(t, store, invented())
		}
		require.NoError(t, store.Read(intending(t, "page"), func(ctx context.Context) error {
			found, more, err := repository.NewPatientRepository(store).Active(ctx, repository.Page{Limit: 2})
			require.Len(t, found, 2)
			require.True(t, more)
			return err
		}))
		events := eventsOf(t, store, repository.AuditLogQuery{Action: []string{"page"}})
		require.Len(t, events[0].Subjects, 2)
	})
}

func TestBaseErrors(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		p := create(t, store, invented())
		_, err := get(t, store, uuid.New())
		require.True(t, apperr.Is(err, apperr.NotFound))
		in := func(fn func(context.Context) error) error { return store.InTx(actor(t.Context()), fn) }

		twin := invented()
		twin.ID = p.ID
		require.True(t, apperr.Is(in(func(ctx context.Context) error { return patients.Create(ctx, twin) }), apperr.Duplicate))
		require.Error(t, in(func(ctx context.Context) error { return patients.Update(ctx, twin) }), "was never read")
		require.Error(t, in(func(ctx context.Context) error { return patients.Delete(ctx, twin) }), "was never read")

		read := func() *models.Patient {
			p, err := get(t, store, p.ID)
			require.NoError(t, err)
			return p
		}
		first, second := read(), read()
		require.NoError(t, in(func(ctx context.Context) error { return patients.Delete(ctx, first) }))
		require.True(t, apperr.Is(in(func(ctx context.Context) error { return patients.Delete(ctx, second) }), apperr.Stale))
		require.True(t, apperr.Is(in(func(ctx context.Context) error { return patients.Update(ctx, second) }), apperr.Stale), "and it does not come back")
		require.Zero(t, countPatients(t, dbtest.Open(t, url)))
	})
}

// Times are compared as moments, in any zone.
func TestAuditLogBetween(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		require.NoError(t, store.Read(intending(t, "test"), func(context.Context) error { return nil }))
		at := eventsOf(t, store, repository.AuditLogQuery{Action: []string{"test"}})[0].OccurredAt
		for _, zone := range []*time.Location{time.UTC, time.FixedZone("west", -11*3600), time.FixedZone("east", 13*3600)} {
			for _, c := range []struct {
				from, to time.Time
				want     int
			}{
				{at, time.Time{}, 1}, {at.Add(time.Microsecond), time.Time{}, 0}, {time.Time{}, at, 0}, {time.Time{}, at.Add(time.Microsecond), 1},
			} {
				q := repository.AuditLogQuery{Action: []string{"test"}}
				if !c.from.IsZero() {
					q.From = c.from.In(zone)
				}
				if !c.to.IsZero() {
					q.To = c.to.In(zone)
				}
				require.Len(t, eventsOf(t, store, q), c.want, zone)
			}
		}
		_, _, err := repository.NewAuditLogRepository(store).Search(t.Context(), repository.AuditLogQuery{}, repository.Page{Limit: 1})
		require.ErrorIs(t, err, audit.ErrOutsideUnit)
	})
}
