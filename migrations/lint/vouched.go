package lint

import (
	"fmt"
	"slices"
	"strings"

	"novamind/migrations/lint/pgtree"
	"novamind/migrations/script"
)

var (
	vouchedRows = Rule{
		"vouched-rows", "SQL gives values or names to rows that the audit log has digests of: a column with a default, UPDATE, a rebuild that computes, a rename",
		"`audit verify --rows` calls each of these rows tampered with, and the version can't be undone",
		"a column that takes NULL, which the program fills row by row",
	}
	sealedRenamed = Rule{
		"sealed-renamed", "Sealed column, or the table of one, renamed",
		"what is sealed is bound to the names of its table and column: under others nothing of it can be opened",
		"keep the name, or add a column, let the program write both, and drop the old one a release later",
	}
)

// vouched reports whether the table is older than the file and the audit log has digests of its rows.
func (f *file) vouched(table string) bool {
	return f.before.has(table) && (slices.Contains(f.digested, table) || f.before.concernsPatients(table))
}

// judgeVouched judges the file's changes of rows that the log vouches for.
func (f *file) judgeVouched() {
	for o, d := range f.after {
		_, existed := f.before[o]
		if o.Kind == columns && !existed && d.Filled && f.vouched(o.Table) {
			f.report(vouchedRows, d.At, fmt.Sprintf("%s has a value in every row that is there", o))
		}
	}
	for table, at := range f.computed {
		if f.rebuilt(table) && f.vouched(table) {
			f.report(vouchedRows, at, fmt.Sprintf("%s is made anew with values that are not copied as they are", table))
		}
	}
	f.judgeNames()
}

// judgeNames judges objects that have another name after the file.
func (f *file) judgeNames() {
	for now, first := range f.called {
		if !f.after.has(now.Table) || f.after.has(first.Table) && now.Kind == tables {
			continue
		}
		rule := vouchedRows
		if f.before.sealed(first.Table, first.Name) || now.Kind == tables && f.before.concernsPatients(first.Table) {
			rule = sealedRenamed
		}
		if rule == sealedRenamed || f.vouched(first.Table) {
			f.report(rule, f.lostAt[first], fmt.Sprintf("%s is called %s", first, now))
		}
	}
}

// checkUpdates reports updates of rows that the log vouches for, anywhere in a statement.
func checkUpdates(c pgCase) {
	for _, table := range pgtree.Updates(c.node.Raw) {
		if c.run.file.vouched(table) {
			c.reportf(vouchedRows, c.tree.Start, "rows of %s are changed", table)
		}
	}
}

// tokensOfUpdate does the same on SQLite.
func tokensOfUpdate(f *file, s script.Statement) {
	if s.Begins("CREATE") {
		return
	}
	for i, t := range s.Tokens {
		if !t.Is("UPDATE") {
			continue
		}
		rest := s.Tokens[i+1:]
		if len(rest) > 2 && rest[0].Is("OR") {
			rest = rest[2:]
		}
		if len(rest) > 2 && rest[1].Is(".") {
			rest = rest[2:]
		}
		if len(rest) > 0 && f.vouched(strings.ToLower(rest[0].Name())) {
			f.report(vouchedRows, s.Start, fmt.Sprintf("rows of %s are changed", rest[0].Name()))
		}
	}
}

// tokensOfComputed notes the tables from which INSERT … SELECT copies changed values.
func tokensOfComputed(f *file, s script.Statement) {
	list := slices.IndexFunc(s.Tokens, func(t script.Token) bool { return t.Is("SELECT") })
	from := slices.IndexFunc(s.Tokens, func(t script.Token) bool { return t.Is("FROM") })
	if !s.Begins("INSERT", "INTO") || list < 0 || from < list || from+1 >= len(s.Tokens) {
		return
	}
	for i, t := range s.Tokens[list+1 : from] {
		if plain := i%2 == 0 && (t.Kind == script.Word || t.Kind == script.Quoted || t.Is("*")); !plain && (i%2 == 0 || !t.Is(",")) {
			f.computed[strings.ToLower(s.Tokens[from+1].Name())] = s.Start
		}
	}
}
