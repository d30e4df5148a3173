// Package runner applies migrations to one database, and undoes them.
package runner

import (
	"context"
	"fmt"
	"log/slog"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"novamind/internal/plural"
	"novamind/migrations"
)

// attempts is the number of times that a version is tried while other sessions hold locks that it needs.
const attempts = 10

// Runner brings one database to a version of a set.
type Runner struct {
	db      *gorm.DB
	set     migrations.Set
	engine  engine
	program Program
	log     *slog.Logger
}

// Program describes the program that runs a migration, for the log.
type Program struct {
	Version string
	Actor   string // the actor that started the run
	// Lasting returns the rows that keep a version where it is, even if rows may be discarded; nil: there are none.
	Lasting func(id string) *Lasting
	Rows    Rows // decides over the rows of a version that is undone
	// Vouched names the tables, besides those with sealed columns, whose rows a log vouches for. Their columns are
	// kept too.
	Vouched []string
	Derived []string // columns, as TABLE.COLUMN, that the program fills again by itself: dropping them loses nothing
}

// Lasting are rows that keep a version from being undone.
type Lasting struct {
	Table, Where string                 // SQL of both engines
	Refusal      func(rows int64) error // the error for a number of rows
}

// New returns a runner of set on db, a plain gorm handle of the set's engine, without plugins. A SQLite handle needs
// _txlock=immediate and a busy_timeout.
func New(db *gorm.DB, set migrations.Set, program Program, log *slog.Logger) (*Runner, error) {
	if name := db.Name(); name != set.Engine {
		return nil, fmt.Errorf("migrations: the set is for %s, the database is %s", set.Engine, name)
	}
	return &Runner{db: db, set: set, engine: engines[set.Engine], program: program, log: log}, nil
}

// Up applies the pending versions up to and including target (migrations.Set.Index; "" is the newest) and returns
// their ids. Each version is one transaction, unless it declares migrations.NoTransaction. After an error, the failed
// version is rolled back whole and the earlier versions stay. However many runners start at once, each version is
// applied once; the others wait. Before the first statement, a SQLite file with content is copied and the copy
// verified.
//
// Up returns ErrUnknownTarget, ErrUnknownVersion, ErrEdited or ErrOutOfOrder before anything ran, or an error that
// names the failed version, without row content.
func (r *Runner) Up(ctx context.Context, target string) ([]string, error) {
	last, err := r.set.Index(target)
	if err != nil {
		return nil, err
	}
	return r.run(ctx, plan{next: func(applied []record) *step {
		if len(applied) > last { // verify made sure that these are the first versions
			return nil
		}
		m := r.set.Migrations[len(applied)]
		return &step{migration: m, direction: up, script: m.Up}
	}})
}

// Down undoes applied versions, the newest first, until target is the newest; migrations.Base undoes all. It gives
// the same guarantees as Up, and returns the ids of the undone versions.
//
// Before the first statement it examines every version that is to be undone. It returns ErrLosesPatients,
// ErrLosesRows, ErrUntold, ErrUnheld or the refusal of Lasting rows. In each version's transaction it asks again.
// There it also measures the content of the database before and after, and rolls back if the content is less than
// permitted.
func (r *Runner) Down(ctx context.Context, target string) ([]string, error) {
	last, err := r.set.Index(target)
	if err != nil {
		return nil, err
	}
	undo := undoing{Runner: r}
	return r.run(ctx, plan{
		before: func(conn *gorm.DB, applied []record) error { return undo.prepare(conn, len(applied)-1, last) },
		next: func(applied []record) *step {
			if len(applied) <= last+1 {
				return nil
			}
			m := r.set.Migrations[len(applied)-1]
			return &step{migration: m, direction: down, script: m.Down, undo: &undo}
		},
	})
}

// DownBy is Down by a number of versions.
func (r *Runner) DownBy(ctx context.Context, versions int) ([]string, error) {
	applied, err := r.history(r.session(ctx))
	if err != nil {
		return nil, err
	}
	target := len(applied) - versions - 1
	if target < -1 {
		return nil, fmt.Errorf("%w: only %s applied", migrations.ErrUnknownTarget,
			plural.Count(len(applied), "version is", "versions are"))
	}
	if target == -1 {
		return r.Down(ctx, migrations.Base)
	}
	return r.Down(ctx, r.set.Migrations[target].ID)
}

// session returns a handle that writes no SQL into logs.
func (r *Runner) session(ctx context.Context) *gorm.DB {
	return r.db.Session(&gorm.Session{NewDB: true, Context: ctx, Logger: logger.Discard})
}

// history returns the applied versions, after checking that they agree with the set.
func (r *Runner) history(tx *gorm.DB) ([]record, error) {
	applied, err := r.engine.readHistory(tx)
	if err != nil {
		return nil, err
	}
	return applied, verify(r.set, applied)
}

// exclusively runs fn on a pinned connection that holds the migration lock.
func (r *Runner) exclusively(ctx context.Context, fn func(conn *gorm.DB) error) error {
	return r.session(ctx).Connection(func(conn *gorm.DB) error {
		return r.engine.exclusively(conn.Session(&gorm.Session{NewDB: true}), fn)
	})
}
