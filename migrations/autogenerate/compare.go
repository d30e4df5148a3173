package autogenerate

import (
	"context"
	"fmt"
	"log/slog"

	"ariga.io/atlas/sql/schema"
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

// newPair builds both. The caller drops them.
func newPair(ctx context.Context, source scratch.Source, set migrations.Set, desired Desired) (p pair, err error) {
	p.drop = func() {}
	defer func() {
		if err != nil {
			p.drop()
		}
	}()
	var drop func()
	if p.historyDB, p.drop, err = source(ctx); err != nil {
		return p, err
	}
	if p.desiredDB, drop, err = source(ctx); err != nil {
		return p, err
	}
	first := p.drop
	p.drop = func() { first(); drop() }
	if err = replay(ctx, p.historyDB, set); err != nil {
		return p, err
	}
	if err = desired.build(ctx, p.desiredDB); err != nil {
		return p, err
	}
	if p.history, err = inspect(ctx, p.historyDB); err != nil {
		return p, err
	}
	p.desired, err = inspect(ctx, p.desiredDB)
	return p, err
}
