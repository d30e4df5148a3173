package service

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/plural"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/repository"
)

// The sections of a review.
const (
	ReviewBreakGlass = "break_glass"  // emergency accesses, and the actions by them
	ReviewDenials    = "denials"      // denied accesses
	ReviewDirectSQL  = "direct_sql"   // changes that bypassed the program
	ReviewExports    = "exports"      // exports of data
	ReviewOutOfHours = "out_of_hours" // patients' data seen or changed while the clinic was closed
	ReviewOwnRecord  = "own_record"   // staff at their own patient record, found by its e-mail
)

// reviewEvents is how many events of a section a review shows; it counts all.
const reviewEvents = 200

// Review lists the events of a week that need a review (45 CFR 164.308(a)(1)(ii)(D)).
type Review struct {
	models.Named

	Week     Week
	Sections []ReviewSection
	SignOffs []*models.AuditLog // the reason is the reviewer's note
}

// People returns the ids of the accounts that signed the week off.
func (r *Review) People() (patients, accounts []uuid.UUID) {
	for _, signed := range r.SignOffs {
		if signed.UserID != nil && !signed.Unreadable() {
			accounts = append(accounts, *signed.UserID)
		}
	}
	return nil, accounts
}

// ReviewSection is one kind of events of a review.
type ReviewSection struct {
	Kind   string
	Count  int
	Events []*models.AuditLog // the first of them, oldest first
}

// Count returns how many events a review lists. An event can be in several sections.
func (r *Review) Count() (n int64) {
	for _, s := range r.Sections {
		n += int64(s.Count)
	}
	return n
}

// Week is an ISO week in the clinic's time zone.
type Week struct {
	Name     string // such as 2026-W07
	From, To time.Time
}

// weekNamespace makes ids of weeks (RFC 9562, version 5).
var weekNamespace = uuid.MustParse("01a20b3f-0000-7000-8000-6e6f76616d64")

// EntityID is the id of a week in the events of its review.
func (w Week) EntityID() uuid.UUID { return uuid.NewSHA1(weekNamespace, []byte(w.Name)) }

// AuditReviewService reviews the log, week by week.
type AuditReviewService struct {
	store  Store
	events *repository.AuditLogRepository
	tree   *repository.AuditTreeRepository
	hours  config.Hours
}

// NewAuditReviewService returns the service on a store, for a clinic with these hours.
func NewAuditReviewService(store *repository.Store, hours config.Hours) *AuditReviewService {
	return &AuditReviewService{store: withNames(store, nil), hours: hours, events: repository.NewAuditLogRepository(store), tree: repository.NewAuditTreeRepository(store)}
}

// Week returns the week with a name such as 2026-W07. It returns a NotFound error for anything else.
func (s *AuditReviewService) Week(name string) (Week, error) {
	year, number, ok := strings.Cut(name, "-W")
	y, yearErr := strconv.Atoi(year)
	n, numberErr := strconv.Atoi(number)
	if !ok || yearErr != nil || numberErr != nil || y < 1 || y > schedule.LastYear {
		return Week{}, noWeek()
	}
	fourth := time.Date(y, time.January, 4, 0, 0, 0, 0, s.hours.Zone()) // is always in the first week
	monday := fourth.AddDate(0, 0, (n-1)*7-(int(fourth.Weekday())+6)%7)
	if week := s.WeekOf(monday); week.Name == name {
		return week, nil
	}
	return Week{}, noWeek()
}

func noWeek() error {
	return apperr.New(apperr.NotFound, "This week does not exist. Name an ISO week, such as 2026-W07.")
}

// WeekOf returns the week of a moment.
func (s *AuditReviewService) WeekOf(t time.Time) Week {
	t = t.In(s.hours.Zone())
	monday := time.Date(t.Year(), t.Month(), t.Day()-(int(t.Weekday())+6)%7, 0, 0, 0, 0, s.hours.Zone())
	year, number := monday.ISOWeek()
	return Week{Name: fmt.Sprintf("%04d-W%02d", year, number), From: monday, To: monday.AddDate(0, 0, 7)}
}

// Review returns the review of a week, and its sign-offs. It returns a Forbidden error.
func (s *AuditReviewService) Review(ctx context.Context, week Week) (*Review, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "auditreview", EntityID: week.EntityID(), Details: week.Name}
	return guarded(ctx, s.store, ReviewRead, intent, s.store.Read, func(ctx context.Context) (*Review, error) {
		return s.review(ctx, week)
	})
}

// SignOff records, as an event, that the actor has reviewed a week. It returns a Forbidden error, an Invalid error
// for a week that is not over, a Stale error if current refuses the number of events that the week has by now, or a
// Duplicate error.
func (s *AuditReviewService) SignOff(ctx context.Context, week Week, current Precondition, note string) error {
	var v validation
	if note != "" {
		v.required("/note", &note, maxOther)
	}
	intent := audit.Intent{Action: audit.SignOff, EntityType: "auditreview", EntityID: week.EntityID(), Details: week.Name, Reason: note}
	return guard(ctx, s.store, ReviewSign, intent, s.store.InTx, func(ctx context.Context) error {
		if err := v.err(); err != nil {
			return err
		}
		if time.Now().Before(week.To) {
			return apperr.New(apperr.Invalid, "The week is not over yet. Sign it off afterwards.")
		}
		review, err := s.review(ctx, week)
		switch {
		case err != nil:
			return err
		case len(review.SignOffs) > 0:
			return apperr.New(apperr.Duplicate, "The week is already signed off.")
		}
		if err := current.check(review.Count()); err != nil {
			return err
		}
		checkpoint, _, err := s.tree.Latest(ctx)
		if err != nil {
			return err
		}
		madeOnce(ctx, week.EntityID())
		unit, err := audit.Current(ctx)
		if err != nil {
			return err
		}
		unit.Record(audit.Event{
			Action: audit.SignOff, EntityType: "auditreview", EntityID: week.EntityID(), Outcome: audit.Success, Reason: note,
			Details: fmt.Sprintf("%s, %s, log of %d", week.Name, plural.Count(review.Count(), "event", "events"), checkpoint.Head.N),
		})
		return nil
	})
}

func (s *AuditReviewService) review(ctx context.Context, week Week) (*Review, error) {
	review := &Review{Week: week}
	for _, section := range []struct {
		kind string
		find func(context.Context, Week) ([]uuid.UUID, error)
	}{
		{ReviewBreakGlass, func(ctx context.Context, w Week) ([]uuid.UUID, error) { return s.events.Emergencies(ctx, w.From, w.To) }},
		{ReviewDenials, s.matching(AuditLogQuery{Outcome: []string{audit.Denied}})},
		{ReviewDirectSQL, s.matching(AuditLogQuery{Origin: []string{audit.DirectSQL}})},
		{ReviewExports, s.matching(AuditLogQuery{Action: []string{audit.Export}})},
		{ReviewOutOfHours, s.outOfHours},
		{ReviewOwnRecord, func(ctx context.Context, w Week) ([]uuid.UUID, error) { return s.events.OwnRecords(ctx, w.From, w.To) }},
	} {
		ids, err := section.find(ctx, week)
		if err != nil {
			return nil, err
		}
		events, err := s.events.Of(ctx, ids[:min(len(ids), reviewEvents)])
		if err != nil {
			return nil, err
		}
		review.Sections = append(review.Sections, ReviewSection{section.kind, len(ids), events})
	}
	var err error
	signed := AuditLogQuery{
		Action: []string{audit.SignOff}, EntityID: []uuid.UUID{week.EntityID()}, Outcome: []string{audit.Success},
	}
	review.SignOffs, _, err = s.events.Search(ctx, signed, Page{Limit: reviewEvents})
	return review, err
}

// matching finds the events of a week that match a query.
func (s *AuditReviewService) matching(q AuditLogQuery) func(context.Context, Week) ([]uuid.UUID, error) {
	return func(ctx context.Context, w Week) ([]uuid.UUID, error) {
		q.From, q.To = w.From, w.To
		var all []uuid.UUID
		for page := (Page{Limit: chunkRows}); ; {
			ids, more, err := s.events.IDs(ctx, q, page)
			all = append(all, ids...)
			if err != nil || !more {
				return all, err
			}
			page.After = ids[len(ids)-1]
		}
	}
}

func (s *AuditReviewService) outOfHours(ctx context.Context, w Week) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := s.events.PatientAccesses(ctx, w.From, w.To, func(m repository.Moment) {
		if !s.hours.Open(m.OccurredAt) {
			ids = append(ids, m.EventID)
		}
	})
	return ids, err
}
