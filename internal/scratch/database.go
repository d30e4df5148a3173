package scratch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"novamind/internal/sqlitedriver"
)

// Source makes empty databases of one engine. The caller calls drop when it no longer needs the database.
type Source func(ctx context.Context) (db *gorm.DB, drop func(), err error)

// Memory makes SQLite databases in memory.
func Memory(context.Context) (*gorm.DB, func(), error) {
	db, err := gorm.Open(&sqlite.Dialector{DriverName: sqlitedriver.Name, DSN: ":memory:?_pragma=foreign_keys(1)&_txlock=immediate"}, config())
	if err != nil {
		return nil, nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, nil, err
	}
	pool.SetMaxOpenConns(1) // another connection would have another database
	return db, func() { _ = pool.Close() }, nil
}

func config() *gorm.Config {
	return &gorm.Config{Logger: logger.Discard, SkipDefaultTransaction: true, DisableAutomaticPing: true}
}

// Beside returns a source of databases on the PostgreSQL server of databaseURL. The URL's user needs the right to
// create them (CREATEDB).
func Beside(databaseURL string) Source {
	return func(ctx context.Context) (*gorm.DB, func(), error) {
		server, err := pgx.ParseConfig(databaseURL)
		if err != nil {
			// The cause may quote the password.
			return nil, nil, errors.New("the URL of the scratch server can't be read as a PostgreSQL URL")
		}
		name := "novamind_scratch_" + strings.ToLower(rand.Text())
		// from template0, which never changes
		if err := execute(ctx, server, "CREATE DATABASE "+name+" TEMPLATE template0 STRATEGY wal_log"); err != nil {
			return nil, nil, fmt.Errorf("can't make a scratch database (its server: --dev-url): %w", err)
		}
		database := server.Copy()
		database.Database = name
		database.RuntimeParams["synchronous_commit"] = "off"
		database.RuntimeParams["timezone"] = "UTC"
		pool := stdlib.OpenDB(*database)
		drop := func() {
			_ = pool.Close()
			_ = execute(context.WithoutCancel(ctx), server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		}
		db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), config())
		if err != nil {
			drop()
			return nil, nil, err
		}
		return db, drop, nil
	}
}

func execute(ctx context.Context, server *pgx.ConnConfig, statement string) error {
	conn, err := pgx.ConnectConfig(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}
