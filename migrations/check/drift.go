// Package check tests the guarantees of migrations: they make the models' schema, the same on both engines, and the
// way down leads back. Each check returns its findings, one line each.
package check

import (
	"context"

	"gorm.io/gorm"

	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/autogenerate"
	"novamind/migrations/inspect"
)

// Drift returns the differences between the migrations' schema and the models' schema.
func Drift(ctx context.Context, source scratch.Source, set migrations.Set, desired autogenerate.Desired) ([]string, error) {
	_, have, drop, err := inspect.InScratch(ctx, source, inspect.Replay(set))
	defer drop()
	if err != nil {
		return nil, err
	}
	return fromModels(ctx, have, source, desired)
}

// LiveDrift returns the differences between the schema of live and the models' schema, which is built in a scratch
// database of the same engine. It changes nothing in live.
func LiveDrift(ctx context.Context, live *gorm.DB, source scratch.Source, desired autogenerate.Desired) ([]string, error) {
	have, err := inspect.Read(ctx, live)
	if err != nil {
		return nil, err
	}
	return fromModels(ctx, have, source, desired)
}

func fromModels(ctx context.Context, have inspect.State, source scratch.Source, desired autogenerate.Desired) ([]string, error) {
	_, want, drop, err := inspect.InScratch(ctx, source, desired.Build)
	defer drop() // the comparison asks its database
	if err != nil {
		return nil, err
	}
	d, err := inspect.Between(have, want)
	return d.Describe(), err
}
