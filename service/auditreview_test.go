package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

func (b *bundle) reviews(t *testing.T) *service.AuditReviewService {
	t.Helper()
	hours, err := config.Clinic{TimeZone: "America/New_York", Hours: "mon-fri 07:00-19:00"}.OpeningHours()
	require.NoError(t, err)
	return service.NewAuditReviewService(b.store, hours)
}

// happened records events with another time.
func (b *bundle) happened(t *testing.T, actor audit.Actor, events ...audit.Event) {
	t.Helper()
	require.NoError(t, b.store.InTx(audit.WithActor(t.Context(), actor), func(ctx context.Context) error {
		unit, err := audit.Current(ctx)
		if err != nil {
			return err
		}
		for _, e := range events {
			unit.Record(e)
		}
		return nil
	}))
}

func TestWeeks(t *testing.T) {
	t.Parallel()
	b := newBundle(t, dbtest.SQLite(t))
	reviews := b.reviews(t)
	for name, from := range map[string]string{
		"2026-W01": "2025-12-29T05:00:00Z", "2026-W11": "2026-03-09T04:00:00Z", "2026-W10": "2026-03-02T05:00:00Z", "2020-W53": "2020-12-28T05:00:00Z",
	} {
		week, err := reviews.Week(name)
		require.NoError(t, err, name)
		require.Equal(t, from, week.From.UTC().Format(time.RFC3339), name)
		require.Equal(t, name, reviews.WeekOf(week.To.Add(-time.Second)).Name)
		require.NotEqual(t, name, reviews.WeekOf(week.To).Name)
	}
	for _, name := range []string{"", "2026-W00", "2026-W54", "2021-W53", "2026-W1", "2026-1", "W01", "2026-W-1"} {
		_, err := reviews.Week(name)
		require.True(t, apperr.Is(err, apperr.NotFound), name)
	}
}

// A week's review lists exactly the events that need a review.
func TestReview(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		reviews := b.reviews(t)
		week, err := reviews.Week("2026-W11")
		require.NoError(t, err)
		patient := b.register(t)
		self := &models.Account{Email: "zoe@example.org", Name: "Zoë", Roles: []string{service.RoleClinician}, PasswordHash: "x"}
		require.NoError(t, b.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error {
			return repository.NewAccountRepository(b.store).Create(ctx, self)
		}))
		noon := week.From.Add(12 * time.Hour)
		seen := []audit.Subject{{ID: patient.ID, EntityType: "patient"}}
		read := func(at time.Time, outcome string) audit.Event {
			return audit.Event{OccurredAt: at, Action: audit.Read, EntityType: "patient", EntityID: patient.ID, Subjects: seen, Outcome: outcome}
		}
		other := audit.Actor{ID: uuid.Must(uuid.NewV7()), Origin: audit.API}
		b.happened(t, other,
			read(noon, audit.Success),
			read(noon, audit.Denied),
			read(week.From.Add(6*time.Hour), audit.Success), // before the opening hours of the clinic
			read(week.From.Add(-time.Minute), audit.Denied), // of the week before
			read(week.To, audit.Denied),                     // of the week after
			audit.Event{OccurredAt: noon, Action: audit.Export, EntityType: "auditlog", Outcome: audit.Success},
			audit.Event{OccurredAt: noon, Action: audit.BreakGlass, EntityType: "patient", EntityID: patient.ID, Outcome: audit.Success},
			audit.Event{OccurredAt: week.From.Add(time.Hour), Action: audit.Login, EntityType: "account", Outcome: audit.Success},
		)
		b.happened(t, audit.Actor{ID: other.ID, Origin: audit.API, Purpose: audit.BreakTheGlass}, read(noon, audit.Success))
		b.happened(t, audit.Actor{ID: self.ID, Origin: audit.API}, read(noon, audit.Success))
		b.happened(t, audit.Actor{Origin: audit.DirectSQL}, audit.Event{OccurredAt: noon, Action: audit.Update, EntityType: "patient", Outcome: audit.Success})
		review, err := reviews.Review(as(t, service.RoleAuditor), week)
		require.NoError(t, err)
		counts := map[string]int{}
		for _, s := range review.Sections {
			counts[s.Kind] = s.Count
			require.Len(t, s.Events, s.Count)
		}
		require.Equal(t, map[string]int{
			service.ReviewBreakGlass: 2, service.ReviewDenials: 1, service.ReviewDirectSQL: 1, service.ReviewExports: 1,
			service.ReviewOutOfHours: 1, service.ReviewOwnRecord: 1,
		}, counts)
		require.Empty(t, review.SignOffs)
		_, err = reviews.Review(as(t, service.RoleAdmin, service.RoleClinician, service.RoleFrontDesk), week)
		require.True(t, apperr.Is(err, apperr.Forbidden))
	})
}

// A week is signed off once, after it has ended, by a reviewer that has seen all of it. The sign-off is an event.
func TestSignOff(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		reviews := b.reviews(t)
		week, err := reviews.Week("2026-W11")
		require.NoError(t, err)
		auditor := as(t, service.RoleAuditor)
		b.happened(t, audit.Actor{Origin: audit.API}, audit.Event{OccurredAt: week.From, Action: audit.Read, EntityType: "patient", Outcome: audit.Denied})
		is := func(n int64) service.Precondition { return func(version int64) bool { return version == n } }
		require.True(t, apperr.Is(reviews.SignOff(auditor, week, is(0), ""), apperr.Stale), "there is an event that was not seen")
		require.True(t, apperr.Is(reviews.SignOff(auditor, reviews.WeekOf(time.Now()), anyVersion, ""), apperr.Invalid), "the week is not over")
		require.True(t, apperr.Is(reviews.SignOff(as(t, service.RoleAdmin), week, is(1), ""), apperr.Forbidden))
		require.NoError(t, reviews.SignOff(auditor, week, is(1), "a wrong number"))
		require.True(t, apperr.Is(reviews.SignOff(auditor, week, is(1), ""), apperr.Duplicate))
		review, err := reviews.Review(auditor, week)
		require.NoError(t, err)
		require.Len(t, review.SignOffs, 1)
		require.Equal(t, "a wrong number", review.SignOffs[0].Reason.Plain())
		require.Contains(t, *review.SignOffs[0].Details, "2026-W11, 1 event")
		var signed []event
		for _, e := range b.events(t, audit.SignOff) {
			if e.Outcome == audit.Success {
				signed = append(signed, e)
			}
		}
		require.Len(t, signed, 1)
	})
}
