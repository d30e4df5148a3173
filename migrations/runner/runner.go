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

// attempts is how often a version is tried while other sessions hold locks that it needs.
const attempts = 10

// Runner brings one database to a version of a set.
type Runner struct {
	db      *gorm.DB
	set     migrations.Set
	engine  engine
	program Program
	log     *slog.Logger
}

// Program says who runs a migration, for the log.
type Program struct {
	Version string
	Actor   string // who started it
	// Lasting returns the rows that keep a version where it is, whoever says that rows may go; nil: none do.
	Lasting func(id string) *Lasting
	Rows    Rows // what may become of rows where a version is undone
	// Vouched are the tables besides those with sealed columns whose rows a log vouches for: their columns don't go either.
	Vouched []string
	Derived []string // columns, as TABLE.COLUMN, that the program fills again by itself: nothing is lost with them
}

// Lasting are rows because of which a version is not undone.
type Lasting struct {
	Table, Where string                 // SQL of both engines
	Refusal      func(rows int64) error // says why
}

// New returns a runner of set on db, a plain gorm handle of the set's engine, without plugins. A SQLite handle needs
// _txlock=immediate and a busy_timeout.
func New(db *gorm.DB, set migrations.Set, program Program, log *slog.Logger) (*Runner, error) {
	if name := db.Name(); name != set.Engine {
		return nil, fmt.Errorf("migrations: the set is for %s, the database is %s", set.Engine, name)
	}
	return &Runner{db: db, set: set, engine: engines[set.Engine], program: program, log: log}, nil
}

// Up applies what is pending up to and including target (migrations.Set.Index; "" is the newest) and returns the ids that
// it applied. Each version is one transaction, unless it declares migrations.NoTransaction: on an error the failed one is
// rolled back whole and the ones before it stay. However many runners start at once, each version is applied once; the
// others wait. Before the first statement on a SQLite file that holds anything, it is copied and the copy verified.
//
// It returns ErrUnknownTarget, ErrUnknownVersion, ErrEdited or ErrOutOfOrder before anything ran, or an error that
// names the version that failed, without row content.
func (r *Runner) Up(ctx context.Context, target string) ([]string, error) {
	last, err := r.set.Index(target)
	if err != nil {
		return nil, err
	}
	return r.run(ctx, plan{next: func(applied []record) *step {
		if len(applied) > last { // verify has it that they are the first ones
			return nil
		}
		m := r.set.Migrations[len(applied)]
		return &step{migration: m, direction: up, script: m.Up}
	}})
}

// Down undoes applied versions, the newest first, until target is the newest; migrations.Base undoes all. It promises what
// Up does, and returns the ids that it undid. Before the first statement it looks at every version that is to be undone, and returns
// ErrLosesPatients, ErrLosesRows, ErrUntold, ErrUnheld or the refusal of what is Lasting; it asks again in each version's transaction, and there it also measures what
// the database holds before and after, and rolls back where that is less than it may be.
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

// history returns what is applied once it agrees with the set.
func (r *Runner) history(tx *gorm.DB) ([]record, error) {
	applied, err := r.engine.readHistory(tx)
	if err != nil {
		return nil, err
	}
	return applied, verify(r.set, applied)
}

// exclusively runs fn on a pinned connection that no other runner has the like of.
func (r *Runner) exclusively(ctx context.Context, fn func(conn *gorm.DB) error) error {
	return r.session(ctx).Connection(func(conn *gorm.DB) error {
		return r.engine.exclusively(conn.Session(&gorm.Session{NewDB: true}), fn)
	})
}
