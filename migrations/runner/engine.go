package runner

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"novamind/migrations"
)

// engine is the part of the runner that differs between the two databases.
type engine struct {
	bookkeeping string                                                  // makes the runner's tables
	tables      string                                                  // names the tables, and marks the tables with sealed columns
	columnNames string                                                  // names the columns of a table
	columns     string                                                  // counts the columns of a table
	hasColumn   string                                                  // tells whether a table has a column
	exclusively func(conn *gorm.DB, fn func(conn *gorm.DB) error) error // runs fn on a prepared, pinned connection
	execute     func(tx *gorm.DB, script string) error                  // runs one file; its error holds no row content
	oneByOne    func(conn *gorm.DB, script string) error                // the same, without a transaction
	copyBefore  func(tx *gorm.DB, pool *sql.DB, s step) error           // copies the database before a migration, while nobody can write
	hold        func(tx *gorm.DB, table string) error                   // keeps others from writing to a table until tx ends
	still       func(tx *gorm.DB, table string) error                   // the same, while others may still read it
	measure     func(tx *gorm.DB, table string, columns []string) (holding, error)
	quote       func(name string) string // of a table, with its schema, or of a column
	busy        func(error) bool         // another session holds a lock: try again
	offline     dialect
}

var engines = map[string]engine{
	migrations.Postgres: {
		bookkeeping: postgresBookkeeping, columns: postgresColumns, hasColumn: postgresHasColumn,
		exclusively: withAdvisoryLock, execute: executePostgres, oneByOne: executeOneByOne, busy: lockTimedOut,
		hold: holdPostgres, still: stillPostgres, quote: quotePostgres,
		tables: postgresTables, columnNames: postgresColumnNames, measure: measurePostgres,
		copyBefore: func(*gorm.DB, *sql.DB, step) error { return nil }, // a server's backups are its operator's
		offline:    postgresOffline,
	},
	migrations.SQLite: {
		bookkeeping: sqliteBookkeeping, columns: sqliteColumns, hasColumn: sqliteHasColumn,
		exclusively: withoutForeignKeys, execute: executeSQLite, oneByOne: executeSQLite, busy: databaseLocked,
		hold: heldSQLite, still: heldSQLite, quote: quoteSQLite,
		tables: sqliteTables, columnNames: sqliteColumnNames, measure: measureSQLite,
		copyBefore: copySQLite,
		offline:    sqliteOffline,
	},
}

// runScript sends script unchanged. gorm would interpret "?" and "@name". Without arguments, both drivers run every
// statement of the script.
func runScript(tx *gorm.DB, script string) error {
	_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, script)
	return err
}

// discard closes a pinned connection instead of giving it back to the pool.
func discard(conn *gorm.DB) {
	pinned, ok := conn.Statement.ConnPool.(*sql.Conn)
	if !ok {
		return // not pinned, so there is no connection to discard
	}
	_ = pinned.Raw(func(any) error { return driver.ErrBadConn })
}

// pause waits with jitter, longer with each attempt up to half a second, or until ctx is done.
func pause(ctx context.Context, attempt int) error {
	limit := min(10*time.Millisecond<<min(attempt, 6), 500*time.Millisecond)
	timer := time.NewTimer(limit/2 + rand.N(limit/2)) //nolint:gosec // jitter
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
