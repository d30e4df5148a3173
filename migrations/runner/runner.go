// Package runner applies migrations to one database, and undoes them.
package runner

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

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
}

// New returns a runner of set on db, a plain gorm handle of the set's engine, without plugins. A SQLite handle needs
// _txlock=immediate and a busy_timeout.
func New(db *gorm.DB, set migrations.Set, program Program, log *slog.Logger) (*Runner, error) {
	if name := db.Name(); name != set.Engine {
		return nil, fmt.Errorf("migrations: the set is for %s, the database is %s", set.Engine, name)
	}
	return &Runner{db: db, set: set, engine: engines[set.Engine], program: program, log: log}, nil
}

// Up applies what is pending up to and including target, a version or an id ("" is the newest), and returns the ids
// that it applied. Each version is one transaction: on an error the failed one is rolled back whole and the ones
// before it stay. However many runners start at once, each version is applied once; the others wait.
//
// It returns ErrUnknownTarget, ErrUnknownVersion, ErrEdited or ErrOutOfOrder before anything ran, or an error that
// names the version that failed, without row content.
func (r *Runner) Up(ctx context.Context, target string) ([]string, error) {
	last, err := r.set.Index(target)
	if err != nil {
		return nil, err
	}
	// Nothing to do needs no lock, and none of the owner's rights.
	if next, err := r.next(r.session(ctx), last); err != nil || next == nil {
		return nil, err
	}
	var done []string
	err = r.session(ctx).Connection(func(conn *gorm.DB) error {
		return r.engine.exclusively(conn.Session(&gorm.Session{NewDB: true}), func(conn *gorm.DB) error {
			for {
				id, err := r.patiently(conn, last)
				if err != nil || id == "" {
					return err
				}
				r.log.Info("migration applied", "id", id)
				done = append(done, id)
			}
		})
	})
	return done, err
}

// session returns a handle that writes no SQL into logs.
func (r *Runner) session(ctx context.Context) *gorm.DB {
	return r.db.Session(&gorm.Session{NewDB: true, Context: ctx, Logger: logger.Discard})
}

// patiently takes the next step, again a few times when another session was in the way.
func (r *Runner) patiently(conn *gorm.DB, last int) (string, error) {
	for attempt := 1; ; attempt++ {
		id, err := r.step(conn, last)
		if err == nil || attempt == attempts || !r.engine.busy(err) {
			return id, err
		}
		r.log.Warn("migration waits for a lock", "attempt", attempt)
		if err := pause(conn.Statement.Context, attempt); err != nil {
			return "", err
		}
	}
}

// step applies the next pending version up to last and returns its id, "" when there is none.
func (r *Runner) step(conn *gorm.DB, last int) (string, error) {
	var id string
	err := conn.Transaction(func(tx *gorm.DB) error {
		next, err := r.next(tx, last)
		if err != nil || next == nil {
			return err
		}
		if err := r.apply(tx, *next); err != nil {
			return fmt.Errorf("migration %s: %w", next.ID, err)
		}
		id = next.ID
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// next returns the first pending migration up to last, or nil, once the database's history agrees with the set.
func (r *Runner) next(tx *gorm.DB, last int) (*migrations.Migration, error) {
	applied, err := r.engine.readHistory(tx)
	if err != nil {
		return nil, err
	}
	if err := verify(r.set, applied); err != nil {
		return nil, err
	}
	if len(applied) > last { // verify has it that they are the first ones
		return nil, nil //nolint:nilnil // nothing is pending
	}
	return &r.set.Migrations[len(applied)], nil
}

// apply runs one version and its bookkeeping in tx: a crash leaves all of it or nothing.
func (r *Runner) apply(tx *gorm.DB, m migrations.Migration) error {
	if err := runScript(tx, r.engine.bookkeeping); err != nil {
		return err
	}
	start := time.Now()
	migrate := func(tx *gorm.DB) error { return r.engine.execute(tx, m.Up) }
	// UseTransaction stays off: the transaction is ours, and holds the log row as well.
	options := &gormigrate.Options{TableName: Table, IDColumnName: "id", IDColumnSize: 255}
	if err := gormigrate.New(tx, options, []*gormigrate.Migration{{ID: m.ID, Migrate: migrate}}).Migrate(); err != nil {
		return err
	}
	return writeLog(tx, logEntry{
		MigrationID: m.ID, Checksum: m.Checksum, Direction: "up",
		AppliedAt: start, Took: time.Since(start), ProgramVersion: r.program.Version,
	})
}
