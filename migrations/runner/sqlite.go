package runner

import (
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"novamind/internal/plural"
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

const (
	sqliteTables = `SELECT name, sql LIKE '%\_sealed%' ESCAPE '\' AS sealed FROM sqlite_master
		WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`
	sqliteColumnNames = `SELECT name FROM pragma_table_info(?)`
)

// heldSQLite does nothing: the transaction locks the whole database.
func heldSQLite(*gorm.DB, string) error { return nil }

// measureSQLite adds up hashes of the values as text, as PostgreSQL's own function does.
func measureSQLite(tx *gorm.DB, table string, columns []string) (h holding, err error) {
	var list []string
	for _, name := range columns {
		name = quoteSQLite(name)
		list = append(list, "CASE typeof("+name+") WHEN 'blob' THEN hex("+name+") ELSE CAST("+name+" AS text) END")
	}
	rows, err := tx.Raw("SELECT " + strings.Join(list, ", ") + " FROM " + quoteSQLite(table)).Rows()
	if err != nil {
		return holding{}, err
	}
	defer rows.Close()
	values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	counts, sums := make([]int64, len(columns)), make([]uint64, len(columns))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return holding{}, err
		}
		h.rows++
		for i, value := range values {
			if value != nil {
				counts[i]++
				sums[i] += maphash.Bytes(seed, value)
			}
		}
	}
	h.columns = map[string]column{}
	for i, name := range columns {
		h.columns[name] = column{counts[i], strconv.FormatUint(sums[i], 10)}
	}
	return h, rows.Err()
}

// seed is the seed of the hashes that measureSQLite adds up.
var seed = maphash.MakeSeed()

const sqliteHasColumn = `SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE lower(name) = lower(?))`

// withoutForeignKeys runs fn while conn enforces no foreign keys: rebuilding a table drops the old table, which would
// delete the rows that refer to it. The pragma has no effect inside a transaction. Runners exclude each other by
// BEGIN IMMEDIATE.
func withoutForeignKeys(conn *gorm.DB, fn func(conn *gorm.DB) error) error {
	defer enforceForeignKeys(conn)
	if err := conn.Exec("PRAGMA foreign_keys = off").Error; err != nil {
		return err
	}
	return fn(conn)
}

// enforceForeignKeys switches foreign keys on again, and checks the result. After a cancelled context the statement
// fails, or the transaction is still rolling back. Such a connection must not go back to the pool.
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

// executeSQLite runs script and then looks for rows that foreign keys would have refused.
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
		return fmt.Errorf("%s a foreign key, the first one from %s to %s",
			plural.Count(len(violations), "row breaks", "rows break"), first.Table, first.Parent)
	}
	return nil
}

// databaseLocked reports SQLITE_BUSY, also in its extended forms. The interface avoids an import of the driver.
func databaseLocked(err error) bool {
	var coded interface{ Code() int }
	return errors.As(err, &coded) && coded.Code()&0xff == 5
}

func quoteSQLite(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
