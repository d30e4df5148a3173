package service

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"novamind/internal/audit"
)

// resealBatch is how many rows share a transaction: few enough that a row that somebody changes waits for no longer than a blink.
const resealBatch = 200

// Renewed is how many patients a Reseal moved to the primary keys.
type Renewed struct {
	Resealed  int `json:"resealed"`
	Reindexed int `json:"reindexed"`
}

// Reseal moves every value that is under an older key to the primary one, and every index token likewise, in batches, at most perSecond rows a
// second (0: as fast as it goes). Versions stay, so nobody's change is refused for it, and a row that changes meanwhile keeps its change. It is
// done when it returns nil; interrupted, it goes on from what is left. progress, if not nil, is told of each batch.
func (s *KeyService) Reseal(ctx context.Context, perSecond int, progress func(Renewed)) (Renewed, error) {
	var done Renewed
	limiter := rate.NewLimiter(rate.Inf, resealBatch)
	if perSecond > 0 {
		limiter = rate.NewLimiter(rate.Limit(perSecond), resealBatch)
	}
	report := func() {
		if progress != nil {
			progress(done)
		}
	}
	for after := uuid.Nil; ; {
		var n int
		err := s.renew(ctx, limiter, audit.Reseal, func(ctx context.Context) (_ int, err error) {
			n, after, err = s.patients.Reseal(ctx, after, resealBatch)
			return n, err
		})
		if err != nil {
			return done, err
		}
		done.Resealed += n
		if after == uuid.Nil {
			break
		}
		report()
	}
	for {
		var n int
		err := s.renew(ctx, limiter, audit.Reindex, func(ctx context.Context) (_ int, err error) {
			n, err = s.patients.Reindex(ctx, resealBatch)
			return n, err
		})
		if err != nil || n == 0 {
			return done, err
		}
		done.Reindexed += n
		report()
	}
}

// renew runs one batch in a transaction, with one event where it did anything.
func (s *KeyService) renew(ctx context.Context, limiter *rate.Limiter, action string, batch func(context.Context) (int, error)) error {
	if err := limiter.WaitN(ctx, resealBatch); err != nil {
		return err
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: action, EntityType: "patient"})
	return s.store.InTx(ctx, func(ctx context.Context) error {
		n, err := batch(ctx)
		if err != nil || n == 0 {
			return err
		}
		unit, err := audit.Current(ctx)
		if err != nil {
			return err
		}
		unit.Record(audit.Event{Action: action, EntityType: "patient", Outcome: audit.Success, Details: fmt.Sprintf("%d rows", n)})
		return nil
	})
}
