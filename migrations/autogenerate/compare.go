package autogenerate

import (
	"context"
	"fmt"
	"log/slog"

	"ariga.io/atlas/sql/schema"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/runner"
)

// difference is what leads from one state to another.
type difference struct {
	changes []schema.Change // of tables
	gone    objects         // in the old form
	made    objects         // in the new form
}

func (d difference) empty() bool { return len(d.changes)+len(d.gone)+len(d.made) == 0 }

// between returns what leads from one state to another of the same engine.
func between(from, to state) (difference, error) {
	changes, err := to.driver.SchemaDiff(from.tables, to.tables, schema.DiffNormalized())
	if err != nil {
		return difference{}, fmt.Errorf("comparing the schemas: %w", err)
	}
	return difference{changes: changes, gone: from.objects.without(to.objects), made: to.objects.without(from.objects)}, nil
}

// replay brings db, an empty scratch database, to the newest version of set.
func replay(ctx context.Context, db *gorm.DB, set migrations.Set) error {
	r, err := runner.New(db, set, runner.Program{Version: "scratch"}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	_, err = r.Up(ctx, "")
	return err
}

// pair is what the migrations make and what the models want, each in a scratch database of its own.
type pair struct {
	history, desired     state
	historyDB, desiredDB *gorm.DB
	drop                 func()
}

// newPair builds both, at once. The caller drops them.
func newPair(ctx context.Context, source scratch.Source, set migrations.Set, desired Desired) (pair, error) {
	var p pair
	dropHistory, dropDesired := func() {}, func() {}
	p.drop = func() { dropHistory(); dropDesired() }
	both, running := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		p.historyDB, p.history, dropHistory, err = built(running, source, func(db *gorm.DB) error { return replay(running, db, set) })
		return err
	})
	both.Go(func() (err error) {
		p.desiredDB, p.desired, dropDesired, err = built(running, source, func(db *gorm.DB) error { return desired.build(running, db) })
		return err
	})
	if err := both.Wait(); err != nil {
		p.drop()
		return pair{}, err
	}
	return p, nil
}

// built makes a scratch database, has its schema built, and reads it. It always returns how to drop it.
func built(ctx context.Context, source scratch.Source, build func(db *gorm.DB) error) (*gorm.DB, state, func(), error) {
	db, drop, err := source(ctx)
	if err != nil {
		return nil, state{}, func() {}, err
	}
	if err := build(db); err != nil {
		return nil, state{}, drop, err
	}
	s, err := inspect(ctx, db)
	return db, s, drop, err
}
