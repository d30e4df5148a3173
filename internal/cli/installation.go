package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"gorm.io/gorm"

	"novamind/internal/config"
	"novamind/migrations"
	"novamind/migrations/runner"
	"novamind/repository"
	"novamind/service"
)

// installation is an opened database, migrated and unlocked, with its configuration.
type installation struct {
	config *config.Config
	log    *slog.Logger
	store  *repository.Store
}

// open brings the database to the program's version (unless database.auto_migrate is off), opens it and unlocks its keys. The
// caller closes the store.
func (a *app) open(ctx context.Context) (*installation, error) { return a.openDespite(ctx) }

// openDespite is open for who comes to mend what else would stop it.
func (a *app) openDespite(ctx context.Context, mending ...error) (*installation, error) {
	cfg, log, err := a.load()
	if err != nil {
		return nil, err
	}
	if err := bringUpToDate(ctx, cfg, log); err != nil {
		return nil, err
	}
	store, err := repository.Open(ctx, cfg.Database, log)
	if err != nil {
		return nil, err
	}
	if err := store.Unlock(ctx, cfg.PHI.KEK, cfg.Clinic.PhoneRegion); err != nil && !slices.ContainsFunc(mending, func(known error) bool { return errors.Is(err, known) }) {
		_ = store.Close()
		return nil, err
	}
	if err := service.NewMigrationRunService(store).Record(acting(ctx, "migrate")); err != nil {
		_ = store.Close()
		return nil, err
	}
	return &installation{config: cfg, log: log, store: store}, nil
}

func bringUpToDate(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	return withRunner(ctx, cfg, log, func(r *runner.Runner) error {
		if ahead, err := r.Ahead(ctx); err != nil || len(ahead) > 0 {
			if err == nil {
				log.WarnContext(ctx, "the database is ahead of this program, which can work on it", "migrations", ahead)
			}
			return err
		}
		if cfg.Database.AutoMigrate {
			_, err := r.Up(ctx, "")
			return err
		}
		pending, err := r.Pending(ctx)
		if err == nil && pending > 0 {
			err = fmt.Errorf("%d migrations are pending and database.auto_migrate is off: run novamind migrate up", pending)
		}
		return err
	})
}

// withRunner hands do a migration runner on the owner's connection.
func withRunner(ctx context.Context, cfg *config.Config, log *slog.Logger, do func(*runner.Runner) error) error {
	database := cfg.Database
	database.StatementTimeout = 0 // a migration takes as long as it takes
	db, err := repository.Connect(ctx, database, string(database.MigrateURL), log)
	if err != nil {
		return err
	}
	defer closeDB(db)
	r, err := newRunner(db, log)
	if err != nil {
		return err
	}
	return do(r)
}

func newRunner(db *gorm.DB, log *slog.Logger) (*runner.Runner, error) {
	set, err := migrations.Embedded(db.Name())
	if err != nil {
		return nil, err
	}
	return runner.New(db, set, runner.Program{Version: programVersion(), Actor: startedBy(), MayUndo: keepLog}, log)
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
