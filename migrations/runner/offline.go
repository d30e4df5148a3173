package runner

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"novamind/migrations"
	"novamind/migrations/lint"
)

// dialect is how an engine says offline what the runner does around the versions.
type dialect struct {
	open, close string // around the whole
	begin       string
	expect      string // fails unless a condition holds
	kept        string // fails unless a condition holds: what for people, the condition
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
	// SQLite can raise an error in a trigger or a CHECK alone; that of a CHECK shows its name.
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

// Script returns as SQL what Up would do from the version at index from (-1: none) to the one at index to, with the bookkeeping, or Down where
// to is the lesser. It is for psql, and for the sqlite3 shell; both stop at the first error, at a database that is not where the script starts, and at a version
// that Down would refuse since rows would be lost: what Down asks before its first statement the script asks there too, of tables that are there by then, and in each version's transaction it measures
// what stays. It returns ErrUntold and ErrUnheld.
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

// at is the condition that the versions up to the one at index i are applied, as they are here, and no others.
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

// question are statements that fail where rows would be lost which must not be.
type question struct {
	first         string // before anything is undone
	before, after string // the version, in its transaction
}

// questions returns them by version.
func questions(ctx context.Context, set migrations.Set, from, to int, program Program) (map[string]question, error) {
	asked := map[string]question{}
	if from <= to || program.Rows == MadeUpRows {
		return asked, nil
	}
	versions, err := lint.Losses(ctx, set, from, to)
	if err != nil {
		return nil, err
	}
	e := engines[set.Engine]
	for _, v := range versions {
		switch {
		case v.Unsure:
			return nil, fmt.Errorf("migration %s: %w", v.ID, ErrUntold)
		case v.Unheld:
			return nil, fmt.Errorf("migration %s: %w", v.ID, ErrUnheld)
		}
		var q question
		none := func(what, table, column, condition string) {
			ask := fmt.Sprintf(e.offline.kept, what, "NOT EXISTS (SELECT 1 FROM "+e.quote(table)+condition+")")
			q.before += ask
			if has(versions[0], table, column) {
				q.first += ask
			}
		}
		for _, l := range program.lost(v.Losses) {
			switch {
			case program.Rows == DiscardRows && !program.keeps(l):
			case l.Column == "":
				none("rows of "+l.Table, l.Table, "", "")
			default:
				none("rows of "+l.Table+"."+l.Column, l.Table, l.Column, " WHERE "+e.quote(l.Column)+" IS NOT NULL")
			}
		}
		if program.Lasting != nil {
			if l := program.Lasting(v.ID); l != nil {
				none("rows of "+l.Table, l.Table, "", " WHERE "+l.Where)
			}
		}
		q.measure(e, v.Stays, program)
		asked[v.ID] = q
	}
	return asked, nil
}

// has reports whether a table, or a column of it, is there before the first version is undone.
func has(first lint.Undoing, table, column string) bool {
	return slices.ContainsFunc(first.Had, func(t lint.Table) bool {
		return t.Name == table && (column == "" || slices.Contains(t.Columns, column))
	})
}

// measure holds what stays against what it was: rows that the log vouches for by their values, others by numbers.
func (q *question) measure(e engine, stays []lint.Table, program Program) {
	for i, t := range stays {
		vouched := t.Sealed || slices.Contains(program.Vouched, t.Name)
		if !vouched && program.Rows == DiscardRows {
			continue
		}
		held, table := fmt.Sprintf("held_%d", i), e.quote(t.Name)
		values, numbers, fewer := []string{}, []string{"count(*) AS n"}, []string{"n > (SELECT count(*) FROM " + table + ")"}
		for c, name := range t.Columns {
			if slices.Contains(program.Derived, t.Name+"."+name) {
				continue
			}
			name = e.quote(name)
			values = append(values, fmt.Sprintf("CAST(%s AS text) AS v%d", name, c))
			numbers = append(numbers, fmt.Sprintf("count(%s) AS n%d", name, c))
			fewer = append(fewer, fmt.Sprintf("n%d > (SELECT count(%s) FROM %s)", c, name, table))
		}
		list, kept := numbers, "NOT EXISTS (SELECT 1 FROM "+held+" WHERE "+strings.Join(fewer, " OR ")+")"
		if vouched {
			list = values
			kept = fmt.Sprintf("(SELECT count(*) FROM %[1]s) = (SELECT count(*) FROM %[2]s) AND NOT EXISTS (SELECT * FROM %[1]s EXCEPT SELECT %[3]s FROM %[2]s)",
				held, table, strings.Join(values, ", "))
		}
		q.before += "CREATE TEMP TABLE " + held + " AS SELECT " + strings.Join(list, ", ") + " FROM " + table + ";\n"
		q.after += fmt.Sprintf(e.offline.kept, "rows or values of "+t.Name, kept) + "DROP TABLE " + held + ";\n"
	}
}

func nameOf(set migrations.Set, i int) string {
	if i < 0 {
		return migrations.Base
	}
	return set.Migrations[i].ID
}

// writeStep writes one version and its bookkeeping, in a transaction where the version has one, between questions.
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
