package migrations

import (
	"fmt"
	"slices"

	"novamind/migrations/script"
)

// Directives for the runner, each on a comment line of its own.
const (
	// NoTransaction runs a file statement by statement, each on its own, as CREATE INDEX CONCURRENTLY needs. It is
	// for PostgreSQL. An interrupted run starts again with the first statement, so each statement must be repeatable
	// (IF NOT EXISTS).
	NoTransaction = "migrate:no-transaction"
	// Compatible, in an up file, declares that the release before works on the new schema too.
	Compatible = "migrate:compatible"
	// RequiresBackup, with the name of a table, makes the runner refuse the version unless that table is empty or a
	// backup was recorded in the last 24 hours. Versions that drop sealed columns need it.
	RequiresBackup = "migrate:requires-backup"
	// Drops, in a down file, declares the tables and columns that the file takes away, if its text does not tell. The
	// form is TABLE, TABLE.COLUMN or Nothing.
	Drops = "migrate:drops"
	// Irreversible, in a down file, states the reason why the file takes nothing back.
	Irreversible = "migrate:irreversible"
)

// Nothing is the argument of Drops in a file that takes away no rows.
const Nothing = "nothing"

// Declares reports whether sql has the directive.
func Declares(engine, sql, name string) bool {
	return slices.ContainsFunc(script.Directives(engine, sql), func(d script.Directive) bool { return d.Name == name && d.Alone })
}

// transactional returns an error that names a SQLite file with NoTransaction: on SQLite, the transaction is also the
// lock.
func transactional(all []version) error {
	for _, v := range all {
		for _, direction := range []string{"up", "down"} {
			if Declares(SQLite, v.sql["sqlite."+direction], NoTransaction) {
				return fmt.Errorf("migrations: %s_%s.sqlite.%s.sql: %s is for PostgreSQL", v.number, v.name, direction, NoTransaction)
			}
		}
	}
	return nil
}
