package migrations

import (
	"fmt"
	"slices"

	"novamind/migrations/script"
)

// What a comment line of its own tells the runner.
const (
	// NoTransaction runs a file statement by statement, each on its own, as CREATE INDEX CONCURRENTLY needs. It is for PostgreSQL. A run that was
	// interrupted starts again with the first statement, so each must be repeatable (IF NOT EXISTS).
	NoTransaction = "migrate:no-transaction"
	// Compatible, in an up file, declares that the release before works on the new schema too.
	Compatible = "migrate:compatible"
	// RequiresBackup, with the name of a table, makes the runner refuse the version unless that table is empty or a backup was recorded in the last
	// 24 hours. It is for what drops sealed columns.
	RequiresBackup = "migrate:requires-backup"
	// Drops, in a down file, declares what it takes away where its text does not tell, as TABLE or TABLE.COLUMN, or as Nothing.
	Drops = "migrate:drops"
	// Irreversible, with a reason, says in a down file why it takes nothing back.
	Irreversible = "migrate:irreversible"
)

// Nothing is what Drops declares where a file takes away no rows.
const Nothing = "nothing"

// Declares reports whether sql has the directive.
func Declares(engine, sql, name string) bool {
	return slices.ContainsFunc(script.Directives(engine, sql), func(d script.Directive) bool { return d.Name == name && d.Alone })
}

// transactional returns an error that names the SQLite file that asks for no transaction: there, the transaction is also the lock.
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
