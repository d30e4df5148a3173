package inspect

import (
	"context"
	"log/slog"

	"gorm.io/gorm"

	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/runner"
)

// InScratch makes a scratch database, has its schema built, and reads it. It always returns a function that drops the
// database.
func InScratch(ctx context.Context, source scratch.Source, build func(ctx context.Context, db *gorm.DB) error) (db *gorm.DB, s State, drop func(), err error) {
	if db, drop, err = source(ctx); err != nil {
		return nil, State{}, func() {}, err
	}
	if err := build(ctx, db); err != nil {
		return nil, State{}, drop, err
	}
	s, err = Read(ctx, db)
	return db, s, drop, err
}

// Replay returns a builder that applies a whole set.
func Replay(set migrations.Set) func(ctx context.Context, db *gorm.DB) error {
	return func(ctx context.Context, db *gorm.DB) error {
		r, err := runner.New(db, set, runner.Program{Version: "scratch"}, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		_, err = r.Up(ctx, "")
		return err
	}
}
