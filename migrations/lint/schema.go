package lint

import (
	"maps"
	"slices"
	"strings"

	"novamind/migrations"
	"novamind/migrations/lint/pgtree"
	"novamind/migrations/script"
)

// kind is a kind of what a schema has.
type kind string

const (
	tables      kind = "table"
	columns     kind = "column"
	constraints kind = "constraint"
	indexes     kind = "index"
	triggers    kind = "trigger"
	foreignKeys kind = "foreign key" // SQLite's, which have no names that its catalogue tells
)

// object is something that a schema has. Its name is "" for a table.
type object struct {
	Kind        kind
	Table, Name string
}

func (o object) String() string {
	if o.Name == "" {
		return o.Table
	}
	return o.Table + "." + o.Name
}

// detail is what rules ask about an object.
type detail struct {
	Type      string // of a column, as "varchar(50)"
	Collation string // of a column, "" for the engine's own
	Required  bool   // of a column: NOT NULL, and without a default
	Filled    bool   // of a column: a new one has a value in the rows that are there
	Check     string // of a constraint: the text or tree that its condition is in
	Validated bool   // of a constraint: every row was looked at
	NotNull   string // of a constraint: the column of which it says IS NOT NULL
	Function  string // of a trigger: what it executes
	Disabled  bool   // of a trigger
	At        int    // where the statement stands that made it so, in bytes of its file
}

// schema is what a database has after some statements.
type schema map[object]detail

// has reports whether there is a table of that name.
func (s schema) has(table string) bool {
	_, ok := s[object{Kind: tables, Table: table}]
	return ok
}

// of returns what belongs to a table and is of the kind, by name.
func (s schema) of(table string, k kind) []object {
	var found []object
	for o := range s {
		if o.Kind == k && o.Table == table {
			found = append(found, o)
		}
	}
	return sorted(found)
}

// lost returns what before has and s has not.
func (s schema) lost(before schema) []object {
	var found []object
	for o := range before {
		if _, ok := s[o]; !ok {
			found = append(found, o)
		}
	}
	return sorted(found)
}

func sorted(objects []object) []object {
	slices.SortFunc(objects, func(a, b object) int {
		return slices.Compare([]string{a.Table, string(a.Kind), a.Name}, []string{b.Table, string(b.Kind), b.Name})
	})
	return objects
}

func (s schema) clone() schema { return maps.Clone(s) }

// dropTable takes a table away, with everything that belongs to it.
func (s schema) dropTable(table string) {
	maps.DeleteFunc(s, func(o object, _ detail) bool { return o.Table == table })
}

// renameTable moves what belongs to a table.
func (s schema) renameTable(from, to string, at int) {
	for o, d := range s.clone() {
		if o.Table == from {
			delete(s, o)
			o.Table = to
			if o.Kind == tables {
				d.At = at
			}
			s[o] = d
		}
	}
}

// sealing returns the constraint that lets a column hold nothing but sealed values, as every sealed column has one.
func sealing(table, column string) object {
	return object{Kind: constraints, Table: table, Name: table + "_" + column + "_sealed"}
}

// sealed reports whether a column can hold nothing but sealed values.
func (s schema) sealed(table, column string) bool {
	_, exists := s[object{Kind: columns, Table: table, Name: column}]
	return exists && seals(s[sealing(table, column)].Check)
}

// seals reports whether a condition, as either engine's detail has it, lets nothing pass but NULL and what looks sealed.
func seals(check string) bool {
	var sides []string
	if strings.HasPrefix(check, "{") {
		for _, side := range pgtree.Alternatives(pgtree.Expr(check)) {
			sides = append(sides, string(side))
		}
	} else {
		side := ""
		for _, t := range script.Tokens(migrations.SQLite, check) {
			if t.Is("OR") {
				sides, side = append(sides, side), ""
				continue
			}
			side += " " + strings.ToUpper(t.Text)
		}
		sides = append(sides, side)
	}
	return strings.Contains(check, "phi1:") && !slices.ContainsFunc(sides, func(side string) bool {
		return !strings.Contains(strings.ToLower(side), "phi1:") && !strings.Contains(side, `"IS_NULL"`) && !strings.Contains(side, " IS NULL")
	})
}

// concernsPatients reports whether a table has sealed columns.
func (s schema) concernsPatients(table string) bool {
	return slices.ContainsFunc(s.of(table, columns), func(o object) bool { return s.sealed(table, o.Name) })
}
