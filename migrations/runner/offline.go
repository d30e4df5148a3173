package runner

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"novamind/migrations"
)

// dialect is an engine's SQL for the runner's work around the versions of a script.
type dialect struct {
	open, close string // around the whole script
	begin       string
	expect      string // fails unless a condition holds
	kept        string // fails unless a condition holds; arguments: a text for people, the condition
	timeout     string // in each transaction
	check       string // before the commit
	nowUTC      string // the time of a run, as a SQL expression
	actor       string
}

var postgresOffline = dialect{
	open: `\set ON_ERROR_STOP on
SELECT pg_try_advisory_lock(` + strconv.FormatInt(advisoryLock, 10) + `) AS locked \gset
\if :locked
\else
\warn 'another migration run is at work'
\quit 3
\endif
`,
	close: "SELECT pg_advisory_unlock(" + strconv.FormatInt(advisoryLock, 10) + ");\n",
	begin: "BEGIN;\n",
	expect: `DO $$ BEGIN
	IF NOT (%s) THEN RAISE EXCEPTION 'the database is not at the version that this script starts from'; END IF;
END $$;
`,
	kept: `DO $$ BEGIN
	IF NOT (%[2]s) THEN RAISE EXCEPTION '%[1]s would be lost'; END IF;
END $$;
`,
	timeout: "SET LOCAL lock_timeout = '5s';\n", nowUTC: "now()", actor: "session_user",
}

var sqliteOffline = dialect{
	open:  ".bail on\nPRAGMA foreign_keys = off;\nPRAGMA temp_store = memory;\n",
	close: "PRAGMA foreign_keys = on;\n",
	begin: "BEGIN IMMEDIATE;\n",
	// SQLite can raise an error only in a trigger or a CHECK. The error of a CHECK shows its name.
	expect: `CREATE TEMP TABLE asked (answer integer CONSTRAINT the_database_is_at_the_version_that_this_script_starts_from CHECK (answer));
INSERT INTO asked SELECT %s;
DROP TABLE asked;
`,
	kept: `CREATE TEMP TABLE asked (answer integer CONSTRAINT "%[1]s would be lost" CHECK (answer));
INSERT INTO asked SELECT %[2]s;
DROP TABLE asked;
`,
	check: `CREATE TEMP TABLE asked (answer integer CONSTRAINT foreign_keys_hold CHECK (answer));
INSERT INTO asked SELECT count(*) = 0 FROM pragma_foreign_key_check;
DROP TABLE asked;
`,
	nowUTC: "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')", actor: "''",
}

// Script returns SQL with the effect of Up from the version at index from (-1: none) to the version at index to, with
// the bookkeeping. If to is less than from, it returns SQL with the effect of Down.
//
// The script is for psql and the sqlite3 shell. Both stop at the first error: if the database is not at the start of
// the script, and at a version that Down would refuse because rows would be lost. Down asks its questions before its
// first statement. The script asks them there too, of the tables that are there by then. In each version's
// transaction, the script also measures the tables that stay.
//
// Script returns ErrUntold and ErrUnheld.
func Script(ctx context.Context, set migrations.Set, from, to int, program Program) (string, error) {
	d := engines[set.Engine].offline
	var out strings.Builder
	fmt.Fprintf(&out, "-- NovaMind %s: from %s to %s on %s\n%s", program.Version, nameOf(set, from), nameOf(set, to), set.Engine, d.open)
	out.WriteString("\n" + d.begin + strings.TrimSpace(engines[set.Engine].bookkeeping) + "\n")
	fmt.Fprintf(&out, d.expect, at(set, from))
	questions, err := questions(ctx, set, from, to, program)
	if err != nil {
		return "", err
	}
	for i := from; i > to; i-- {
		out.WriteString(questions[set.Migrations[i].ID].first)
	}
	out.WriteString("COMMIT;\n")
	for i := from + 1; i <= to; i++ {
		m := set.Migrations[i]
		writeStep(&out, set.Engine, step{migration: m, direction: up, script: m.Up}, question{}, program)
	}
	for i := from; i > to; i-- {
		m := set.Migrations[i]
		writeStep(&out, set.Engine, step{migration: m, direction: down, script: m.Down}, questions[m.ID], program)
	}
	out.WriteString("\n" + d.close)
	return out.String(), nil
}

// at is the condition that the versions up to index i are applied, with their present content, and no others.
func at(set migrations.Set, i int) string {
	var known []string
	for _, m := range set.Migrations[:i+1] {
		known = append(known, "'"+m.ID+" "+m.Checksum+"'")
	}
	condition := fmt.Sprintf("(SELECT count(*) FROM %s) = %d", Table, len(known))
	if len(known) > 0 {
		condition += fmt.Sprintf(` AND %d = (SELECT count(*) FROM %s m JOIN %s l ON l.id = (SELECT max(id) FROM %[3]s WHERE migration_id = m.id)
		WHERE m.id || ' ' || l.checksum IN (
		%s))`, len(known), Table, LogTable, strings.Join(known, ",\n\t\t"))
	}
	return condition
}

func nameOf(set migrations.Set, i int) string {
	if i < 0 {
		return migrations.Base
	}
	return set.Migrations[i].ID
}

// writeStep writes one version and its bookkeeping between questions, in a transaction if the version has one.
func writeStep(out *strings.Builder, engine string, s step, q question, program Program) {
	d := engines[engine].offline
	fmt.Fprintf(out, "\n-- %s %s\n", s.migration.ID, s.direction)
	script := strings.TrimSpace(s.script) + "\n"
	if migrations.Declares(engine, s.script, migrations.NoTransaction) {
		out.WriteString(q.before + script + q.after + d.begin)
	} else {
		out.WriteString(d.begin + d.timeout + q.before + script + q.after + d.check)
	}
	books := "INSERT INTO " + Table + " (id) VALUES ('%s');\n"
	if s.direction == down {
		books = "DELETE FROM " + Table + " WHERE id = '%s';\n"
	}
	fmt.Fprintf(out, books, s.migration.ID)
	fmt.Fprintf(out, `INSERT INTO %s (migration_id, checksum, direction, applied_at, duration_ms, program_version, actor, origin, compatible)
	VALUES ('%s', '%s', '%s', %s, 0, '%s', %s, '%s', %t);
COMMIT;
`, LogTable, s.migration.ID, s.migration.Checksum, s.direction, d.nowUTC, strings.ReplaceAll(program.Version, "'", "''"), d.actor, offline,
		migrations.Declares(engine, s.migration.Up, migrations.Compatible))
}
