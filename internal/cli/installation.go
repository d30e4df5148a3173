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

// upkeep is what opening a database may do to its schema.
type upkeep int

const (
	leave   upkeep = iota // nothing: an operator may have taken a version back
	makeNew               // make that of a database which nobody has an account in yet, so that whatever is run first works, or goes on where another stopped
	bringUp               // apply what is pending, if database.auto_migrate says so
)

// open opens the database and unlocks its keys. It refuses one whose schema is not the program's, or that is not there yet, unless it may change that. What the
// caller comes to mend does not stop it. The caller closes the store.
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

// prepareSchema sees to it that the schema is the program's, or returns why it is not.
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

// refusePending returns an error where migrations are pending.
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

// errNoDatabase says that there is nothing to read yet.
var errNoDatabase = errors.New("there is no database yet, or nothing in it: novamind serve or novamind migrate up makes it")

// absent reports whether the database is a file that is not there.
func absent(cfg *config.Config) bool {
	path, ok := fileOf(cfg)
	if !ok {
		return false
	}
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// fileOf returns the file that a SQLite database is.
func fileOf(cfg *config.Config) (path string, ok bool) {
	url := string(cfg.Database.MigrateURL)
	return strings.TrimPrefix(url, "sqlite://"), repository.EngineOf(url) == repository.SQLite
}

// withRunner hands do a migration runner on the owner's connection.
func withRunner(ctx context.Context, cfg *config.Config, log *slog.Logger, rows runner.Rows, do func(*runner.Runner) error) error {
	return withOwner(ctx, cfg, log, func(db *gorm.DB) error {
		r, err := newRunner(db, rows, log)
		if err != nil {
			return err
		}
		return do(r)
	})
}

// withOwner hands do the owner's connection.
func withOwner(ctx context.Context, cfg *config.Config, log *slog.Logger, do func(*gorm.DB) error) error {
	database := cfg.Database
	database.StatementTimeout = 0 // a migration takes as long as it takes
	db, err := repository.Connect(ctx, database, string(database.MigrateURL), log)
	if err != nil {
		return err
	}
	defer closeDB(db)
	return do(db)
}

// inspect hands do a runner that looks at the configured database, and makes none: one that is not there looks like an empty one.
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

// program is this program, for the log of migrations, and what it says about rows.
func program(rows runner.Rows) runner.Program {
	return runner.Program{
		Version: programVersion(), Actor: startedBy(), Lasting: keepLog, Rows: rows, Vouched: vouched(),
		Derived: []string{"keyset.index_scheme"},
	}
}

// vouched returns the tables whose rows the audit log has digests of.
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
