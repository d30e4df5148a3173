package autogenerate

import (
	"context"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/inspect"
)

// pair is the migrations' schema and the models' schema, each in a scratch database of its own.
type pair struct {
	history, desired inspect.State
	historyDB        *gorm.DB
	drop             func()
}

// newPair builds both, at the same time. The caller drops them.
func newPair(ctx context.Context, source scratch.Source, set migrations.Set, desired Desired) (pair, error) {
	var p pair
	dropHistory, dropDesired := func() {}, func() {}
	p.drop = func() { dropHistory(); dropDesired() }
	both, running := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		p.historyDB, p.history, dropHistory, err = inspect.InScratch(running, source, inspect.Replay(set))
		return err
	})
	both.Go(func() (err error) {
		_, p.desired, dropDesired, err = inspect.InScratch(running, source, desired.Build)
		return err
	})
	if err := both.Wait(); err != nil {
		p.drop()
		return pair{}, err
	}
	return p, nil
}
