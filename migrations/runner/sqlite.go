package runner

import (
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"
)

const sqliteBookkeeping = `
CREATE TABLE IF NOT EXISTS schemamigration (id varchar(255) PRIMARY KEY);
CREATE TABLE IF NOT EXISTS schemamigrationlog (
	id              integer PRIMARY KEY AUTOINCREMENT,
	migration_id    varchar(255) NOT NULL,
	checksum        text NOT NULL,
	direction       text NOT NULL,
	applied_at      datetime NOT NULL,
	duration_ms     integer NOT NULL,
	program_version text NOT NULL,
	actor           text NOT NULL DEFAULT '',
	origin          text NOT NULL DEFAULT 'runner',
	compatible      boolean NOT NULL DEFAULT false,
	discarded       text NOT NULL DEFAULT ''
);`

const sqliteColumns = `SELECT count(*) FROM pragma_table_info(?)`

const sqliteHasColumn = `SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE lower(name) = lower(?))`

// withoutForeignKeys runs fn while conn enforces no foreign keys: rebuilding a table drops the old one, which deletes
// the rows that refer to it. The pragma has no effect inside a transaction. Runners exclude each other by
// BEGIN IMMEDIATE.
func withoutForeignKeys(conn *gorm.DB, fn func(conn *gorm.DB) error) error {
	defer enforceForeignKeys(conn)
	if err := conn.Exec("PRAGMA foreign_keys = off").Error; err != nil {
		return err
	}
	return fn(conn)
}

// enforceForeignKeys switches them on again, and asks whether that worked: after a cancelled context the statement
// fails, or the transaction is still rolling back, and such a connection must not go back to the pool.
func enforceForeignKeys(conn *gorm.DB) {
	var on bool
	err := errors.Join(
		conn.Exec("PRAGMA foreign_keys = on").Error,
		conn.Raw("PRAGMA foreign_keys").Scan(&on).Error,
	)
	if err != nil || !on {
		discard(conn)
	}
}

// executeSQLite runs script and then looks for what foreign keys would have refused.
func executeSQLite(tx *gorm.DB, script string) error {
	if err := runScript(tx, script); err != nil {
		return err
	}
	var violations []struct{ Table, Parent string }
	if err := tx.Raw("PRAGMA foreign_key_check").Scan(&violations).Error; err != nil {
		return err
	}
	if len(violations) > 0 {
		first := violations[0]
		return fmt.Errorf("%d rows break a foreign key, the first one from %s to %s", len(violations), first.Table, first.Parent)
	}
	return nil
}

// databaseLocked reports SQLITE_BUSY, also in its extended forms. The interface spares the import of the driver.
func databaseLocked(err error) bool {
	var coded interface{ Code() int }
	return errors.As(err, &coded) && coded.Code()&0xff == 5
}

func quoteSQLite(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
