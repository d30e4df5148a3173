package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"

	"novamind/migrations"
)

// step is one version to apply or to undo.
type step struct {
	migration migrations.Migration
	direction direction
	script    string
	undo      *undoing // examines the losses of a step down; nil for a step up
}

// plan is the content of a run.
type plan struct {
	before func(conn *gorm.DB, applied []record) error // returns an error if the whole plan must not run
	next   func(applied []record) *step                // returns the next step after the applied versions, or nil
}

// run takes steps until there are none, and returns their ids.
func (r *Runner) run(ctx context.Context, p plan) ([]string, error) {
	// A run without steps needs no lock, and none of the owner's rights.
	applied, err := r.history(r.session(ctx))
	if err != nil || p.next(applied) == nil {
		return nil, err
	}
	var done []string
	copied := false
	err = r.exclusively(ctx, func(conn *gorm.DB) error {
		if p.before != nil {
			applied, err := r.history(conn)
			if err == nil {
				err = p.before(conn, applied)
			}
			if err != nil {
				return err
			}
		}
		for {
			s, err := r.patiently(conn, p.next, &copied)
			if err != nil || s == nil {
				return err
			}
			r.log.Debug("migration "+string(s.direction), "id", s.migration.ID) //nolint:sloglint // up or down
			done = append(done, s.migration.ID)
		}
	})
	if len(done) > 0 { // one line, so that a first start stays readable
		r.log.Info("migrated", "versions", len(done), "last", done[len(done)-1])
	}
	return done, err
}

// asked returns an error if the step must not be taken.
func (s *step) asked(tx *gorm.DB) error {
	if s.undo == nil {
		return nil
	}
	return s.undo.ask(tx, s.migration.ID)
}

// watched takes the step by execute. It returns the discarded rows, or an error if the step must not have been taken.
func (s *step) watched(tx *gorm.DB, execute func() error) (discarded string, err error) {
	if s.undo == nil {
		return "", execute()
	}
	return s.undo.watched(tx, s.migration.ID, execute)
}

// patiently takes the next step. It tries again a few times if another session holds a lock.
func (r *Runner) patiently(conn *gorm.DB, next func([]record) *step, copied *bool) (*step, error) {
	for attempt := 1; ; attempt++ {
		s, err := r.take(conn, next, copied)
		if err == nil || attempt == attempts || !r.engine.busy(err) {
			return s, err
		}
		r.log.Warn("migration waits for a lock", "attempt", attempt)
		if err := pause(conn.Statement.Context, attempt); err != nil {
			return nil, err
		}
	}
}

// take takes the next step and returns it, or nil if there is none.
func (r *Runner) take(conn *gorm.DB, next func([]record) *step, copied *bool) (*step, error) {
	applied, err := r.history(conn)
	if err != nil {
		return nil, err
	}
	s := next(applied)
	if s == nil {
		return nil, nil //nolint:nilnil // nothing is pending
	}
	if err := r.demandBackup(conn, s); err != nil {
		return nil, fmt.Errorf("migration %s: %w", s.migration.ID, err)
	}
	started := time.Now()
	execute := r.engine.execute
	alone := migrations.Declares(r.set.Engine, s.script, migrations.NoTransaction)
	if alone {
		if err = s.asked(conn); err == nil {
			err = r.engine.oneByOne(conn, s.script)
		}
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", s.migration.ID, err)
		}
		execute = func(*gorm.DB, string) error { return nil }
	}
	err = conn.Transaction(func(tx *gorm.DB) error {
		// Nobody else can write now. On SQLite another runner may have been faster.
		if applied, err = r.history(tx); err != nil {
			return err
		}
		if s = next(applied); s == nil {
			return nil
		}
		if !alone {
			if err = s.asked(tx); err != nil {
				return fmt.Errorf("migration %s: %w", s.migration.ID, err)
			}
		}
		if !*copied {
			if err := r.copyBefore(tx, *s); err != nil {
				return err
			}
			*copied = true
		}
		if err := r.record(tx, *s, started, execute); err != nil {
			return fmt.Errorf("migration %s: %w", s.migration.ID, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// copyBefore keeps a copy of the database from before a step.
func (r *Runner) copyBefore(tx *gorm.DB, s step) error {
	pool, err := r.db.DB()
	if err != nil {
		return err
	}
	if err := r.engine.copyBefore(tx, pool, s); err != nil {
		return fmt.Errorf("the copy before migration %s: %w", s.migration.ID, err)
	}
	return nil
}

// record runs a step and its bookkeeping in tx: a crash leaves all of it or nothing.
func (r *Runner) record(tx *gorm.DB, s step, started time.Time, execute func(tx *gorm.DB, script string) error) error {
	if err := r.engine.keepBooks(tx); err != nil {
		return err
	}
	var discarded string
	act := func(tx *gorm.DB) (err error) {
		discarded, err = s.watched(tx, func() error { return execute(tx, s.script) })
		return err
	}
	m := &gormigrate.Migration{ID: s.migration.ID, Migrate: act, Rollback: act}
	// UseTransaction stays off: the transaction is ours, and holds the log row as well.
	g := gormigrate.New(tx, &gormigrate.Options{TableName: Table, IDColumnName: "id", IDColumnSize: 255}, []*gormigrate.Migration{m})
	run := g.Migrate
	if s.direction == down {
		run = func() error { return g.RollbackMigration(m) }
	}
	if err := run(); err != nil {
		return err
	}
	return r.writeLog(tx, s.migration, s.direction, started, discarded)
}
