package repository

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"novamind/internal/config"
	"novamind/internal/sqlitedriver"
	"novamind/models"
)

// Engine names a database engine, as the migration files do.
type Engine string

// The engines.
const (
	PostgreSQL Engine = "postgres"
	SQLite     Engine = "sqlite"
)

// EngineOf returns the engine of a database URL.
func EngineOf(databaseURL string) Engine {
	if strings.HasPrefix(databaseURL, "sqlite:") {
		return SQLite
	}
	return PostgreSQL
}

// Connect opens a plain GORM handle on databaseURL, without the hooks' keyring and without the guard. Only the
// migration runner needs it; everything else goes through Open. The caller closes the handle.
func Connect(ctx context.Context, cfg config.Database, databaseURL string, log *slog.Logger) (*gorm.DB, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.ConnectTimeout)
	defer cancel()
	dialector, err := dialectorFor(cfg, databaseURL)
	if err != nil {
		return nil, err
	}
	db, err := openPatiently(ctx, dialector, &gorm.Config{
		NamingStrategy:         models.Naming{},
		TranslateError:         true,
		SkipDefaultTransaction: true, // the unit of work has one
		QueryFields:            true, // a prepared SELECT * fails once a migration adds a column
		DisableAutomaticPing:   true,
		Logger:                 statementLogger(cfg.Echo, log),
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	})
	if err != nil {
		return nil, fmt.Errorf("can't open the database: %w", scrub(err))
	}
	pool, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("can't open the database: %w", err)
	}
	pool.SetMaxOpenConns(cfg.MaxOpenConns)
	pool.SetMaxIdleConns(cfg.MaxIdleConns)
	pool.SetConnMaxLifetime(cfg.ConnMaxLifetime)
	pool.SetConnMaxIdleTime(cfg.ConnMaxIdleTime)
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("can't reach the database: %w", scrub(err))
	}
	return db, nil
}

// openPatiently waits for a SQLite database that other processes open at the same time. Switching to the
// write-ahead log, and recovering the log, fail at once if two processes collide. The busy timeout does not help
// there.
func openPatiently(ctx context.Context, dialector gorm.Dialector, config *gorm.Config) (*gorm.DB, error) {
	for {
		db, err := gorm.Open(dialector, config)
		var lite *modernc.Error
		if err == nil || !errors.As(err, &lite) || lite.Code()&0xff != sqlite3.SQLITE_BUSY {
			return db, err
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// busyPause is the wait before another try to open a busy database.
const busyPause = 50 * time.Millisecond

func dialectorFor(cfg config.Database, databaseURL string) (gorm.Dialector, error) {
	if EngineOf(databaseURL) == SQLite {
		return sqliteDialector(cfg, databaseURL)
	}
	return postgresDialector(cfg, databaseURL)
}

func postgresDialector(cfg config.Database, databaseURL string) (gorm.Dialector, error) {
	conn, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, errors.New("database.url can't be read as a PostgreSQL URL") // the cause may quote the password
	}
	conn.ConnectTimeout = cfg.ConnectTimeout
	// synchronous_commit: an acknowledged commit is on disk, regardless of the server's default.
	maps.Copy(conn.RuntimeParams, map[string]string{
		"application_name":                    "novamind",
		"timezone":                            "UTC",
		"statement_timeout":                   milliseconds(cfg.StatementTimeout),
		"lock_timeout":                        milliseconds(cfg.LockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(2 * cfg.StatementTimeout),
		"synchronous_commit":                  "on",
	})
	return postgres.New(postgres.Config{Conn: stdlib.OpenDB(*conn)}), nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// sqliteDialect is GORM's SQLite dialect on modernc.org/sqlite.
type sqliteDialect struct{ sqlite.Dialector }

// Translate implements gorm.ErrorTranslator for modernc.org/sqlite's errors.
func (d sqliteDialect) Translate(err error) error {
	var e *modernc.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return gorm.ErrDuplicatedKey
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return gorm.ErrForeignKeyViolated
	default:
		return err
	}
}

func sqliteDialector(cfg config.Database, databaseURL string) (gorm.Dialector, error) {
	path := strings.TrimPrefix(databaseURL, "sqlite://")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("can't make the database's folder: %w", err)
	}
	if err := createDatabaseFile(path); err != nil {
		return nil, fmt.Errorf("can't make the database file: %w", err)
	}
	options := url.Values{
		"_txlock":      {"immediate"}, // a busy database makes a transaction wait at its start, not fail in its middle
		"_time_format": {"sqlite"},
		"_pragma": {
			"busy_timeout(" + milliseconds(cfg.BusyTimeout) + ")", // first: switching to WAL may have to wait too
			"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)", "trusted_schema(0)",
		},
	}
	dsn := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: options.Encode()}).String()
	return &sqliteDialect{sqlite.Dialector{DriverName: sqlitedriver.Name, DSN: dsn}}, nil
}

// createDatabaseFile creates the file of a new database. From its first byte on, others can't read the file; SQLite
// gives its WAL the same mode. An existing file is never opened. Closing it would drop the locks of every
// connection of this process to it (POSIX advisory locks, fcntl(2)). With the locks, SQLite would lose the
// knowledge that the database is in use.
func createDatabaseFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}
