package autogenerate

import (
	"context"

	"gorm.io/gorm"

	"novamind/internal/scratch"
	"novamind/migrations"
)

// Drift returns what differs between the schema that the migrations make and the one that the models want, one line each.
func Drift(ctx context.Context, source scratch.Source, set migrations.Set, desired Desired) ([]string, error) {
	p, err := newPair(ctx, source, set, desired)
	if err != nil {
		return nil, err
	}
	defer p.drop()
	d, err := between(p.history, p.desired)
	return d.describe(), err
}

// LiveDrift returns what differs between the schema of live and the one that the models want, which a scratch database of the same engine tells. It changes nothing.
func LiveDrift(ctx context.Context, live *gorm.DB, source scratch.Source, desired Desired) ([]string, error) {
	_, want, drop, err := built(ctx, source, func(db *gorm.DB) error { return desired.build(ctx, db) })
	defer drop() // the comparison asks its database
	if err != nil {
		return nil, err
	}
	have, err := inspect(ctx, live)
	if err != nil {
		return nil, err
	}
	d, err := between(have, want)
	return d.describe(), err
}
