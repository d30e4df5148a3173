package service

import (
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"novamind/internal/audit"
	"novamind/internal/plural"
	"novamind/repository"
)

// resealBatch is how many rows share a transaction. It is small, so that a concurrent change of a row waits only
// briefly.
const resealBatch = 200

// resealers is the number of batches processed at once.
const resealers = 4

// Renewed counts the rows, and the patients with index tokens, that a Reseal moved to the primary keys.
type Renewed struct {
	Resealed  int `json:"resealed"`
	Reindexed int `json:"reindexed"`
	// Unreadable names the rows that stay under older keys because they can't be opened, as "table id", sorted.
	Unreadable []string `json:"unreadable,omitempty"`
	// Total is the number of rows and patients to move at the beginning. It is counted only if progress is reported.
	Total int64 `json:"-"`
}

// leave notes rows that could not be opened.
func (r *Renewed) leave(table string, ids []uuid.UUID) {
	for _, id := range ids {
		r.Unreadable = append(r.Unreadable, table+" "+id.String())
	}
	slices.Sort(r.Unreadable)
	r.Unreadable = slices.Compact(r.Unreadable)
}

// Reseal moves every value under an older key to the primary key, and every index token likewise. It works in
// batches, at most perSecond rows a second (0: without a limit). Versions stay the same, so Reseal makes no
// concurrent change stale, and a row that changes meanwhile keeps its change.
//
// Reseal is complete when it returns nil. After an interruption, the next call continues with the remaining rows. A
// row that can't be opened stays unchanged and is named. If progress is not nil, Reseal calls it after each batch
// that moved rows.
func (s *KeyService) Reseal(ctx context.Context, perSecond int, progress func(Renewed)) (Renewed, error) {
	var done Renewed
	if progress != nil {
		var err error
		if done.Total, err = s.countOlder(ctx); err != nil {
			return done, err
		}
	}
	limiter := rate.NewLimiter(rate.Inf, resealBatch)
	if perSecond > 0 {
		limiter = rate.NewLimiter(rate.Limit(perSecond), resealBatch)
	}
	var counting sync.Mutex
	pass := func(action, table string, count *int, older older, renew renew) error {
		intent := audit.Intent{Action: action, EntityType: table}
		return s.pass(ctx, limiter, intent, older, func(ctx context.Context, ids []uuid.UUID) error {
			moved, err := s.renew(ctx, intent, ids, renew)
			counting.Lock()
			defer counting.Unlock()
			*count += len(moved.Subjects)
			done.leave(table, moved.Unreadable)
			if progress != nil && len(moved.Subjects) > 0 {
				progress(done)
			}
			return err
		})
	}
	for _, rows := range s.reseals {
		if err := pass(audit.Reseal, rows.Table(), &done.Resealed, rows.OlderValues, rows.Reseal); err != nil {
			return done, err
		}
	}
	err := pass(audit.Reindex, "patient", &done.Reindexed, s.patients.OlderTokens, s.patients.Reindex)
	return done, err
}

// countOlder returns how many rows and patients Reseal has to move.
func (s *KeyService) countOlder(ctx context.Context) (total int64, err error) {
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.Reseal})
	err = s.store.InBatch(ctx, func(ctx context.Context) error {
		if total, err = s.patients.CountOlderTokens(ctx); err != nil {
			return err
		}
		for _, rows := range s.reseals {
			n, err := rows.CountOlderValues(ctx)
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	return total, err
}

type (
	older func(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error)
	renew func(ctx context.Context, ids []uuid.UUID) (repository.Moved, error)
)

// pass goes through all rows once, ordered by id, and calls do with the ids of rows under older keys. Several batches
// run at once: while the database writes one, another is opened and sealed here.
func (s *KeyService) pass(ctx context.Context, limiter *rate.Limiter, intent audit.Intent, older older,
	do func(context.Context, []uuid.UUID) error,
) error {
	ctx = audit.WithIntent(ctx, intent)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(resealers)
	err := s.batches(ctx, older, func(ids []uuid.UUID) error {
		if err := limiter.WaitN(ctx, len(ids)); err != nil {
			return err
		}
		group.Go(func() error { return do(ctx, ids) })
		return nil
	})
	if failed := group.Wait(); failed != nil { // this failure ended the batches
		return failed
	}
	return err
}

func (s *KeyService) batches(ctx context.Context, older older, each func([]uuid.UUID) error) error {
	for after := uuid.Nil; ; {
		var ids []uuid.UUID
		var next uuid.UUID
		err := s.store.InBatch(ctx, func(ctx context.Context) (err error) {
			ids, next, err = older(ctx, after, resealBatch)
			return err
		})
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			if err := each(ids); err != nil {
				return err
			}
		}
		if next == uuid.Nil {
			return nil
		}
		after = next
	}
}

// renew runs one batch in a transaction. It records one event if the batch changed anything.
func (s *KeyService) renew(ctx context.Context, intent audit.Intent, ids []uuid.UUID, renew renew) (moved repository.Moved, err error) {
	err = s.store.InBatch(ctx, func(ctx context.Context) error {
		if moved, err = renew(ctx, ids); err != nil || len(moved.Subjects) == 0 {
			return err
		}
		unit, err := audit.Current(ctx)
		if err != nil {
			return err
		}
		unit.Record(audit.Event{
			Action: intent.Action, EntityType: intent.EntityType, Subjects: moved.Subjects, Outcome: audit.Success,
			Details: plural.Count(len(moved.Subjects), "row", "rows"),
		})
		return nil
	})
	if err != nil {
		return repository.Moved{}, err // nothing was committed
	}
	return moved, nil
}
