package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"gorm.io/gorm"

	"novamind/internal/config"
	"novamind/internal/plural"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/runner"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// installation is an opened database, migrated and unlocked, with its configuration.
type installation struct {
	config *config.Config
	log    *slog.Logger
	store  *repository.Store
}

// upkeep says which changes of the schema are allowed when a database is opened.
type upkeep int

const (
	leave upkeep = iota // nothing: an operator may have taken a version back
	// Make the schema if the database has no account yet, so that any first command works, or completes an
	// interrupted start.
	makeNew
	bringUp // apply pending migrations if database.auto_migrate permits it
)

// open opens the database and unlocks its keys. It refuses a database with another schema than the program's, or
// without one, unless it may change the schema. The errors in mending do not stop it, because the caller wants to
// repair their cause. The caller closes the store.
func (a *app) open(ctx context.Context, may upkeep, mending ...error) (*installation, error) {
	cfg, log, err := a.load()
	if err != nil {
		return nil, err
	}
	if err := prepareSchema(ctx, cfg, log, may); err != nil {
		return nil, err
	}
	store, err := repository.Open(ctx, cfg.Database, log)
	if err != nil {
		return nil, err
	}
	err = store.Unlock(ctx, cfg.PHI.KEK, cfg.Clinic.PhoneRegion)
	if errors.Is(err, repository.ErrIndexUnnoted) {
		err = service.NewKeyService(store, cfg.PHI.KEK).AdoptIndexScheme(acting(ctx, "keys"))
	}
	if err != nil && !slices.ContainsFunc(mending, func(known error) bool { return errors.Is(err, known) }) {
		_ = store.Close()
		return nil, err
	}
	if err := service.NewMigrationRunService(store).Record(acting(ctx, "migrate")); err != nil {
		_ = store.Close()
		return nil, err
	}
	return &installation{config: cfg, log: log, store: store}, nil
}

// prepareSchema makes sure that the schema is the program's. It returns an error if it is not.
func prepareSchema(ctx context.Context, cfg *config.Config, log *slog.Logger, may upkeep) error {
	if may == leave && absent(cfg) {
		return errNoDatabase
	}
	return withOwner(ctx, cfg, log, func(db *gorm.DB) error {
		r, err := newRunner(db, runner.KeepRows, log)
		if err != nil {
			return err
		}
		if ahead, err := r.Ahead(ctx); err != nil || len(ahead) > 0 {
			if err == nil {
				log.WarnContext(ctx, "the database is ahead of this program, which can work on it", "migrations", ahead)
			}
			return err
		}
		untouched, err := r.Untouched(ctx)
		if err != nil {
			return err
		}
		if untouched && may == leave {
			return errNoDatabase
		}
		if may == makeNew {
			inUse, err := repository.HasAccounts(ctx, db)
			if err != nil {
				return err
			}
			if !inUse {
				may = bringUp
			}
		}
		if cfg.Database.AutoMigrate && may == bringUp {
			_, err := r.Up(ctx, "")
			return err
		}
		return refusePending(ctx, cfg, r)
	})
}

// refusePending returns an error if migrations are pending.
func refusePending(ctx context.Context, cfg *config.Config, r *runner.Runner) error {
	pending, err := r.Pending(ctx)
	switch {
	case err != nil || pending == 0:
		return err
	case cfg.Database.AutoMigrate:
		return fmt.Errorf("%s, and only novamind serve and migrate up apply migrations: run novamind migrate up", pendingOf(pending))
	default:
		return fmt.Errorf("%s and database.auto_migrate is off: run novamind migrate up", pendingOf(pending))
	}
}

func pendingOf(migrations int) string {
	return plural.Count(migrations, "migration is pending", "migrations are pending")
}

// errNoDatabase means that there is no data yet.
var errNoDatabase = errors.New("there is no database yet, or nothing in it: novamind serve or novamind migrate up makes it")

// absent reports whether the database is a file that does not exist.
func absent(cfg *config.Config) bool {
	path, ok := fileOf(cfg)
	if !ok {
		return false
	}
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// fileOf returns the file of a SQLite database.
func fileOf(cfg *config.Config) (path string, ok bool) {
	url := string(cfg.Database.MigrateURL)
	return strings.TrimPrefix(url, "sqlite://"), repository.EngineOf(url) == repository.SQLite
}

// withRunner calls do with a migration runner on the owner's connection.
func withRunner(ctx context.Context, cfg *config.Config, log *slog.Logger, rows runner.Rows, do func(*runner.Runner) error) error {
	return withOwner(ctx, cfg, log, func(db *gorm.DB) error {
		r, err := newRunner(db, rows, log)
		if err != nil {
			return err
		}
		return do(r)
	})
}

// withOwner calls do with the owner's connection.
func withOwner(ctx context.Context, cfg *config.Config, log *slog.Logger, do func(*gorm.DB) error) error {
	database := cfg.Database
	database.StatementTimeout = 0 // a migration has no time limit
	db, err := repository.Connect(ctx, database, string(database.MigrateURL), log)
	if err != nil {
		return err
	}
	defer closeDB(db)
	return do(db)
}

// inspect calls do with a runner on the configured database. It makes no database: a database that does not exist
// looks like an empty one.
func (a *app) inspect(ctx context.Context, do func(*runner.Runner) error) error {
	return a.inspectDB(ctx, func(_ *gorm.DB, r *runner.Runner) error { return do(r) })
}

// inspectDB is inspect with the connection.
func (a *app) inspectDB(ctx context.Context, do func(*gorm.DB, *runner.Runner) error) error {
	cfg, log, err := a.load()
	if err != nil {
		return err
	}
	look := func(db *gorm.DB) error {
		r, err := newRunner(db, runner.KeepRows, log)
		if err != nil {
			return err
		}
		return do(db, r)
	}
	if !absent(cfg) {
		return withOwner(ctx, cfg, log, look)
	}
	db, drop, err := scratch.Memory(ctx)
	if err != nil {
		return err
	}
	defer drop()
	return look(db)
}

func newRunner(db *gorm.DB, rows runner.Rows, log *slog.Logger) (*runner.Runner, error) {
	set, err := migrations.Embedded(db.Name())
	if err != nil {
		return nil, err
	}
	return runner.New(db, set, program(rows), log)
}

// program describes this program for the log of migrations, with its rules for rows.
func program(rows runner.Rows) runner.Program {
	return runner.Program{
		Version: programVersion(), Actor: startedBy(), Lasting: keepLog, Rows: rows, Vouched: vouched(),
		Derived: []string{"keyset.index_scheme"},
	}
}

// vouched returns the tables whose rows have digests in the audit log.
func vouched() []string {
	var tables []string
	for _, row := range models.DigestedRows() {
		tables = append(tables, models.TableOf(row))
	}
	return tables
}

func closeDB(db *gorm.DB) {
	if pool, err := db.DB(); err == nil {
		_ = pool.Close()
	}
}

func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
