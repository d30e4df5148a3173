// Package lint judges migrations before they run. It finds statements that lock a table for long, break the servers
// of the release before, lose rows or protection, or leave PHI in the clear. It judges the SQL itself, so also files
// that were written by hand. It parses PostgreSQL's files with PostgreSQL's own grammar. It executes SQLite's files
// in memory and looks at the resulting schema. It reports statements that it can't judge.
package lint

import (
	"cmp"
	"context"
	"io/fs"
	"slices"

	"novamind/migrations"
	"novamind/migrations/script"
)

// Finding is a fault of a migration, or a statement that can't be judged.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Rule    string `json:"rule"`
	Message string `json:"message"` // names tables, columns and constraints, and never content
	Instead string `json:"instead"` // the remedy
}

// Allowed is an excused finding.
type Allowed struct {
	Finding

	Reason string `json:"reason"`
}

// Report is the verdict on a set of migrations.
type Report struct {
	Findings []Finding `json:"findings"` // by file and line; empty if there is no fault
	Allowed  []Allowed `json:"allowed"`
}

// Check judges the migrations in the root of fsys, on both engines. digested names the tables, besides those with
// sealed columns, for whose rows the audit log has digests. Check returns the errors of migrations.LoadUnpinned, and
// an error if the list of exceptions or of released columns can't be read.
func Check(ctx context.Context, fsys fs.FS, digested ...string) (Report, error) {
	released, err := readReleased(fsys)
	if err != nil {
		return Report{}, err
	}
	var files []*file
	twin := schema{} // PostgreSQL's schema, which tells a UUID from a text
	for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
		set, err := migrations.LoadUnpinned(fsys, engine)
		if err != nil {
			return Report{}, err
		}
		judged := filesOf(set, released, twin, digested)
		if engine == migrations.SQLite {
			err = judgeSQLite(ctx, judged)
		} else {
			twin = judgePostgres(judged)
		}
		if err != nil {
			return Report{}, err
		}
		files = append(files, judged...)
	}
	exceptions, err := readExceptions(fsys)
	if err != nil {
		return Report{}, err
	}
	return settle(files, exceptions), nil
}

// filesOf returns the files of a set, each version's up file before its down file.
func filesOf(set migrations.Set, released released, twin schema, digested []string) []*file {
	var files []*file
	for _, m := range set.Migrations {
		up, down := newFile(m, set.Engine, "up"), newFile(m, set.Engine, "down")
		up.released, up.twin, up.digested = released, twin, digested
		files = append(files, up, down)
	}
	return files
}

// file is one file of a migration while it is judged.
type file struct {
	name        string
	text        string
	engine      string
	up          bool
	transaction bool // the runner executes the file in a transaction
	directives  []script.Directive
	released    released
	twin        schema // the other engine's schema at its newest version, if known

	digested []string // the tables, besides those with sealed columns, for whose rows the audit log has digests

	before, after schema
	// lostAt is the place of the statement that took an object away for good.
	lostAt   map[object]int
	findings []Finding

	taken    []take            // the tables and columns that its statements take away
	called   map[object]object // the names of renamed tables and columns at the file's beginning
	copied   []object          // columns whose values were copied to another column
	computed map[string]int    // the place where a table's rows were copied with changed values
	unsure   bool              // a statement may take away more than its text tells
}

func newFile(m migrations.Migration, engine, direction string) *file {
	f := &file{name: m.ID + "." + engine + "." + direction + ".sql", text: m.Up, engine: engine, up: direction == "up", lostAt: map[object]int{}, called: map[object]object{}, computed: map[string]int{}}
	if !f.up {
		f.text = m.Down
	}
	f.directives = script.Directives(engine, f.text)
	f.transaction = !migrations.Declares(engine, f.text, migrations.NoTransaction)
	return f
}

// says reports whether the file has a directive whose argument satisfies is.
func (f *file) says(name string, is func(argument string) bool) bool {
	return slices.ContainsFunc(f.directives, func(d script.Directive) bool { return d.Name == name && d.Alone && is(d.Argument) })
}

// report adds a finding at a place of the file, in bytes.
func (f *file) report(rule Rule, at int, message string) {
	found := Finding{File: f.name, Line: script.Line(f.text, at), Rule: rule.Code, Message: message, Instead: rule.Instead}
	if !slices.Contains(f.findings, found) {
		f.findings = append(f.findings, found)
	}
}

// note records the objects that the statement at a place removed, renamed or brought back.
func (f *file) note(before, after schema, at int, renames bool) {
	f.takes(before, after, renames)
	for _, o := range after.lost(before) {
		f.lostAt[o] = at
	}
}

func byPlace(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
}
