package lint

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"novamind/internal/scratch"
	"novamind/migrations/script"
)

var (
	refusedWithRows = Rule{
		"refused-with-rows", "SQLite: ADD COLUMN that works on an empty table alone",
		"SQLite refuses it as soon as the table has a row: an empty test database says nothing",
		"a constant DEFAULT, or rebuild the table",
	}
	pragma = Rule{
		"pragma", "SQLite: PRAGMA, ATTACH or VACUUM in a migration, or legacy_alter_table left on",
		"in a transaction it has no effect or fails, or it outlives the migration on that connection",
		"leave it out: the runner has foreign keys off while it works, and checks them before COMMIT; legacy_alter_table is for a rebuild, and off again after it",
	}
)

// sqlite follows the schema of a database in memory, in which it executes every file.
type sqlite struct {
	conn    *sql.Conn
	version int // the version of the schema that was read last
	schema  schema
}

// openSQLite makes an empty database in memory; stop ends it.
func openSQLite(ctx context.Context) (l *sqlite, stop func(), err error) {
	db, drop, err := scratch.Memory(ctx)
	if err != nil {
		return nil, nil, err
	}
	pool, err := db.DB()
	if err != nil {
		drop()
		return nil, nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		drop()
		return nil, nil, err
	}
	stop = func() { _ = conn.Close(); drop() }
	// The same settings as the runner's.
	if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = off"); err != nil {
		stop()
		return nil, nil, err
	}
	return &sqlite{conn: conn, schema: schema{}}, stop, nil
}

func judgeSQLite(ctx context.Context, files []*file) error {
	l, stop, err := openSQLite(ctx)
	if err != nil {
		return err
	}
	defer stop()
	broken := ""
	for _, f := range files {
		switch {
		case broken != "":
			f.report(notJudged, 0, broken+" can't be executed, so nothing after it can be judged")
		case f.up:
			ok, err := l.up(ctx, f)
			if err != nil {
				return err
			}
			if !ok {
				broken = f.name
			}
		default:
			if err := l.down(ctx, f); err != nil {
				return err
			}
		}
	}
	judgeReversals(files)
	return ctx.Err()
}

// up executes the file for good.
func (l *sqlite) up(ctx context.Context, f *file) (bool, error) {
	f.before = l.schema.clone()
	if _, err := l.conn.ExecContext(ctx, "SAVEPOINT file"); err != nil {
		return false, err
	}
	ok, err := l.execute(ctx, f, upTokens)
	if err != nil {
		return false, err
	}
	end := "RELEASE file"
	if !ok {
		end = "ROLLBACK TO file; RELEASE file"
	}
	if _, err := l.conn.ExecContext(ctx, end); err != nil {
		return false, err
	}
	f.after = l.schema.clone()
	if ok {
		f.judgeEffects()
	}
	return ok, nil
}

// down executes the file and rolls it back, to see whether it can be executed.
func (l *sqlite) down(ctx context.Context, f *file) error {
	kept, version := l.schema.clone(), l.version
	if _, err := l.conn.ExecContext(ctx, "SAVEPOINT file"); err != nil {
		return err
	}
	if _, err := l.execute(ctx, f, nil); err != nil {
		return err
	}
	l.schema, l.version = kept, version
	_, err := l.conn.ExecContext(ctx, "ROLLBACK TO file; RELEASE file")
	return err
}

// upTokens judge the text of a statement in an up file.
var upTokens = []func(*file, script.Statement){tokensOfNames, tokensOfExistence, tokensOfUpdate, tokensOfComputed}

// execute runs the statements of a file, and reports whether all of them ran.
func (l *sqlite) execute(ctx context.Context, f *file, checks []func(*file, script.Statement)) (bool, error) {
	legacy := -1 // the place where it was switched on
	for _, s := range script.Split(f.engine, f.text) {
		if tokensOfControl(f, s) {
			continue
		}
		switch {
		case switchesLegacy(s, "on"):
			legacy = s.Start
		case switchesLegacy(s, "off"):
			legacy = -1
		}
		for _, check := range checks {
			check(f, s)
		}
		if err := l.probe(ctx, f, s); err != nil {
			return false, err
		}
		if _, err := l.conn.ExecContext(ctx, s.Text); err != nil {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			f.report(notJudged, s.Start, "SQLite can't execute it: "+firstLine(err.Error()))
			return false, nil
		}
		if err := l.follow(ctx, f, s); err != nil {
			return false, err
		}
	}
	if legacy >= 0 {
		f.report(pragma, legacy, "legacy_alter_table stays on")
		_, err := l.conn.ExecContext(ctx, "PRAGMA legacy_alter_table = off")
		return true, err
	}
	return true, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// probe asks SQLite whether it would add a column to a table that has a row.
func (l *sqlite) probe(ctx context.Context, f *file, s script.Statement) error {
	column := addedColumn(s)
	if !f.up || column == nil {
		return nil
	}
	run := func(statement string) error {
		_, err := l.conn.ExecContext(ctx, statement)
		return err
	}
	if err := run("SAVEPOINT probe; CREATE TABLE lint_probe (lint_probe); INSERT INTO lint_probe VALUES (1)"); err != nil {
		return err
	}
	definition := strings.TrimSuffix(f.text[column.Start:s.End()], ";")
	if err := run("ALTER TABLE lint_probe ADD COLUMN " + definition); err != nil && strings.Contains(err.Error(), "Cannot add a column") {
		f.report(refusedWithRows, s.Start, "its default is not constant")
	}
	return run("ROLLBACK TO probe; RELEASE probe")
}

// addedColumn returns the first token of the column that an ALTER TABLE adds, or nil.
func addedColumn(s script.Statement) *script.Token {
	if !s.Begins("ALTER", "TABLE") {
		return nil
	}
	for i, token := range s.Tokens {
		if i < 3 || !token.Is("ADD") {
			continue
		}
		if i+1 < len(s.Tokens) && s.Tokens[i+1].Is("COLUMN") {
			i++
		}
		if i+1 < len(s.Tokens) {
			return &s.Tokens[i+1]
		}
	}
	return nil
}

// follow reads the schema again if the statement changed it, and notes the removed objects.
func (l *sqlite) follow(ctx context.Context, f *file, s script.Statement) error {
	var version int
	if err := l.conn.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version); err != nil || version == l.version {
		return err
	}
	now, err := readSQLite(ctx, l.conn)
	if err != nil {
		return err
	}
	f.place(now, l.schema, s)
	f.note(l.schema, now, s.Start, renames(s))
	l.schema, l.version = now, version
	return nil
}

// renames reports whether a statement renames a table or a column.
func renames(s script.Statement) bool {
	return s.Begins("ALTER", "TABLE") && len(s.Tokens) > 3 && s.Tokens[3].Is("RENAME")
}

// place sets the place of new objects to the statement, and keeps the place of the others.
func (f *file) place(now, before schema, s script.Statement) {
	renamed := ""
	if s.Begins("ALTER", "TABLE") && len(s.Tokens) > 5 && s.Tokens[3].Is("RENAME") && s.Tokens[4].Is("TO") {
		renamed = s.Tokens[2].Name()
	}
	for o, d := range now {
		old, existed := before[o]
		if !existed && renamed != "" {
			old, existed = before[object{o.Kind, renamed, o.Name}]
		}
		d.At = old.At
		if !existed {
			d.At = s.Start
			if o.Kind == columns {
				d.At = placeOfColumn(s, o.Name)
			}
		}
		now[o] = d
	}
}

func placeOfColumn(s script.Statement, name string) int {
	for _, d := range definitions(s.Tokens) {
		if d.column == name {
			return d.tokens[0].Start
		}
	}
	if token := addedColumn(s); token != nil && token.Name() == name {
		return token.Start
	}
	return s.Start
}

// tokensOfControl reports statements that end or escape the runner's transaction. It returns true if the statement
// must not be executed.
func tokensOfControl(f *file, s script.Statement) bool {
	first := s.Tokens[0]
	switch {
	case first.Is("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"):
		f.report(transactionControl, s.Start, "the runner's transaction is not the file's to end")
		return true
	case switchesLegacy(s, "on", "off"):
		return false
	case first.Is("PRAGMA", "ATTACH", "DETACH", "VACUUM"):
		f.report(pragma, s.Start, strings.ToUpper(first.Text))
		return true
	default:
		return false
	}
}

// switchesLegacy reports whether a statement sets legacy_alter_table to one of the values. If it is on, renaming a
// table leaves the references of triggers and views alone, as a rebuild needs.
func switchesLegacy(s script.Statement, values ...string) bool {
	return s.Begins("PRAGMA", "legacy_alter_table", "=") && len(s.Tokens) > 3 && s.Tokens[3].Is(values...)
}

func tokensOfNames(f *file, s script.Statement) {
	all := definitions(s.Tokens)
	if column := addedColumn(s); column != nil {
		i := slices.IndexFunc(s.Tokens, func(t script.Token) bool { return t.Start == column.Start })
		all = append(all, definition{column: column.Name(), tokens: s.Tokens[i:]})
	}
	for _, d := range all {
		for _, c := range d.constraints() {
			if c.name == "" {
				f.report(unnamedConstraint, c.at, fmt.Sprintf("a %s of %s", c.kind, tableNamed(s)))
			}
		}
	}
}

// tableNamed returns the name after TABLE, of CREATE and ALTER TABLE.
func tableNamed(s script.Statement) string {
	for i, token := range s.Tokens {
		if !token.Is("TABLE") {
			continue
		}
		i++
		for i < len(s.Tokens) && s.Tokens[i].Is("IF", "NOT", "EXISTS") {
			i++
		}
		if i < len(s.Tokens) {
			return s.Tokens[i].Name()
		}
	}
	return ""
}

func tokensOfExistence(f *file, s script.Statement) {
	for i := 1; i+2 < len(s.Tokens) && i < 5; i++ {
		if s.Tokens[0].Is("CREATE") && s.Tokens[i].Is("IF") && s.Tokens[i+1].Is("NOT") && s.Tokens[i+2].Is("EXISTS") {
			f.report(ifNotExists, s.Start, "it may already exist, and be something else")
		}
	}
}
