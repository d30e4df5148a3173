package runner

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"novamind/migrations"
	"novamind/migrations/script"
)

const postgresBookkeeping = `
CREATE TABLE IF NOT EXISTS schemamigration (id varchar(255) PRIMARY KEY);
CREATE TABLE IF NOT EXISTS schemamigrationlog (
	id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	migration_id    varchar(255) NOT NULL,
	checksum        text NOT NULL,
	direction       text NOT NULL,
	applied_at      timestamptz NOT NULL,
	duration_ms     bigint NOT NULL,
	program_version text NOT NULL,
	actor           text NOT NULL DEFAULT '',
	origin          text NOT NULL DEFAULT 'runner',
	compatible      boolean NOT NULL DEFAULT false,
	discarded       text NOT NULL DEFAULT ''
);`

const (
	regclass          = `to_regclass((SELECT string_agg(quote_ident(part), '.' ORDER BY n) FROM unnest(string_to_array(?, '.')) WITH ORDINALITY AS p (part, n)))`
	postgresColumns   = `SELECT count(*) FROM pg_attribute WHERE attrelid = ` + regclass + ` AND attnum > 0 AND NOT attisdropped`
	postgresHasColumn = `SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = ` + regclass + ` AND attname = ? AND attnum > 0 AND NOT attisdropped)`
)

func quotePostgres(name string) string { return pgx.Identifier(strings.Split(name, ".")).Sanitize() }

// holdPostgres takes the same lock that dropping the table or a column of it takes.
func holdPostgres(tx *gorm.DB, table string) error {
	return runScript(tx, "SET LOCAL lock_timeout = '5s'; LOCK TABLE "+quotePostgres(table)+" IN ACCESS EXCLUSIVE MODE")
}

// advisoryLock is the key by which runners exclude each other, per database: "novamind" in ASCII.
const advisoryLock int64 = 0x6e6f76616d696e64

// stillPostgres keeps others from writing to the table.
func stillPostgres(tx *gorm.DB, table string) error {
	return runScript(tx, "SET LOCAL lock_timeout = '5s'; LOCK TABLE "+quotePostgres(table)+" IN SHARE MODE")
}

const (
	postgresTables = `SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname || '.' END || c.relname AS name,
		EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conname LIKE '%\_sealed') AS sealed
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (current_schemas(false)) ORDER BY 1`
	postgresColumnNames = `SELECT attname FROM pg_attribute WHERE attrelid = ` + regclass + ` AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
)

// measurePostgres adds up hashes of the values as text, so that another type with the same text changes nothing.
func measurePostgres(tx *gorm.DB, table string, columns []string) (holding, error) {
	list := "count(*)"
	for _, name := range columns {
		name = pgx.Identifier{name}.Sanitize()
		list += ", count(" + name + "), coalesce(sum(hashtextextended(" + name + "::text, 0)), 0)::text"
	}
	h := holding{columns: map[string]column{}}
	held := make([]column, len(columns))
	into := []any{&h.rows}
	for i := range held {
		into = append(into, &held[i].values, &held[i].digest)
	}
	err := tx.Raw("SELECT " + list + " FROM " + quotePostgres(table)).Row().Scan(into...)
	for i, name := range columns {
		h.columns[name] = held[i]
	}
	return h, err
}

// withAdvisoryLock runs fn while conn's session holds the lock. It polls: waiting inside pg_advisory_lock would be a
// transaction, and CREATE INDEX CONCURRENTLY in the other session would wait for it in turn.
func withAdvisoryLock(conn *gorm.DB, fn func(conn *gorm.DB) error) error {
	// Ending the session frees the lock, also after a cancelled context, and undoes every SET of a migration.
	defer discard(conn)
	for attempt := 1; ; attempt++ {
		var locked bool
		if err := conn.Raw("SELECT pg_try_advisory_lock(?)", advisoryLock).Scan(&locked).Error; err != nil {
			return err
		}
		if locked {
			return fn(conn)
		}
		if err := pause(conn.Statement.Context, attempt); err != nil {
			return fmt.Errorf("waiting for another migration run: %w", err)
		}
	}
}

// executePostgres runs script. While a DDL statement waits for a lock, every other query of that table waits behind
// it. So the statement gives up soon, to be tried again.
func executePostgres(tx *gorm.DB, script string) error {
	if err := runScript(tx, "SET LOCAL lock_timeout = '5s'"); err != nil {
		return err
	}
	return scrubbed(runScript(tx, script), script)
}

// executeOneByOne runs each statement of script by itself. An interrupted run leaves a concurrently built index
// invalid, and IF NOT EXISTS would skip it, so the index is dropped first.
func executeOneByOne(conn *gorm.DB, text string) error {
	if err := runScript(conn, "SET lock_timeout = '5s'"); err != nil {
		return err
	}
	for _, statement := range script.Split(migrations.Postgres, text) {
		if name, ok := builtConcurrently(statement); ok {
			if err := dropInvalid(conn, name); err != nil {
				return err
			}
		}
		if err := scrubbed(runScript(conn, statement.Text), statement.Text); err != nil {
			return fmt.Errorf("the statement at line %d: %w", statement.Line, err)
		}
	}
	return nil
}

// builtConcurrently returns the name of the index that a statement builds concurrently, as written in the statement.
func builtConcurrently(statement script.Statement) (string, bool) {
	if !statement.Begins("CREATE", "INDEX") && !statement.Begins("CREATE", "UNIQUE", "INDEX") {
		return "", false
	}
	for i, token := range statement.Tokens {
		if token.Is("CONCURRENTLY") {
			rest := statement.Tokens[i+1:]
			if len(rest) > 3 && rest[0].Is("IF") {
				rest = rest[3:]
			}
			return rest[0].Text, true
		}
	}
	return "", false
}

func dropInvalid(conn *gorm.DB, index string) error {
	var invalid bool
	err := conn.Raw("SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(?) AND NOT indisvalid)", index).
		Scan(&invalid).Error
	if err != nil || !invalid {
		return err
	}
	return runScript(conn, "DROP INDEX CONCURRENTLY "+index)
}

func scrubbed(err error, script string) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return scrub(pg, script)
	}
	return err
}

// scrub returns pg without the parts that can hold row content, and with the line of script if there is one.
func scrub(pg *pgconn.PgError, script string) error {
	clean := &pgconn.PgError{
		Severity: pg.Severity, Code: pg.Code, Message: pg.Message, SchemaName: pg.SchemaName, TableName: pg.TableName,
		ColumnName: pg.ColumnName, DataTypeName: pg.DataTypeName, ConstraintName: pg.ConstraintName,
	}
	if strings.HasPrefix(pg.Code, "22") { // data exceptions quote the value in the message
		clean.Message = "data exception"
	}
	if before := []rune(script); pg.Position > 0 && int(pg.Position) <= len(before) {
		return fmt.Errorf("line %d: %w", 1+strings.Count(string(before[:pg.Position-1]), "\n"), clean)
	}
	return clean
}

// lockTimedOut reports SQLSTATE 55P03, lock_not_available, and 40P01, deadlock_detected: the transaction was rolled
// back.
func lockTimedOut(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "55P03" || pg.Code == "40P01")
}
