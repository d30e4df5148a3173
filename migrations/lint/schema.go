package lint

import (
	"maps"
	"slices"
	"strings"

	"novamind/migrations"
	"novamind/migrations/lint/pgtree"
	"novamind/migrations/script"
)

// kind is a kind of object in a schema.
type kind string

const (
	tables      kind = "table"
	columns     kind = "column"
	constraints kind = "constraint"
	indexes     kind = "index"
	triggers    kind = "trigger"
	foreignKeys kind = "foreign key" // SQLite's; its catalogue does not tell their names
)

// object is a part of a schema. Its name is "" for a table.
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

// detail is the properties of an object that rules ask for.
type detail struct {
	Type      string // of a column, as "varchar(50)"
	Collation string // of a column, "" for the engine's own
	Required  bool   // of a column: NOT NULL, and without a default
	Filled    bool   // of a column: existing rows get a value in it when it is added
	Check     string // of a constraint: the text or tree that contains its condition
	Validated bool   // of a constraint: every row was looked at
	NotNull   string // of a constraint: the column for which it demands IS NOT NULL
	Function  string // of a trigger: the function that it executes
	Disabled  bool   // of a trigger
	At        int    // the place of the statement that made the object so, in bytes of its file
}

// schema is the objects of a database after some statements.
type schema map[object]detail

// has reports whether there is a table of that name.
func (s schema) has(table string) bool {
	_, ok := s[object{Kind: tables, Table: table}]
	return ok
}

// of returns the objects of a kind that belong to a table, by name.
func (s schema) of(table string, k kind) []object {
	var found []object
	for o := range s {
		if o.Kind == k && o.Table == table {
			found = append(found, o)
		}
	}
	return sorted(found)
}

// lost returns the objects of before that s lacks.
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

// dropTable removes a table and all its objects.
func (s schema) dropTable(table string) {
	maps.DeleteFunc(s, func(o object, _ detail) bool { return o.Table == table })
}

// renameTable moves the objects of a table.
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

// sealing returns the constraint that makes a column accept sealed values only. Every sealed column has such a
// constraint.
func sealing(table, column string) object {
	return object{Kind: constraints, Table: table, Name: table + "_" + column + "_sealed"}
}

// sealed reports whether a column accepts sealed values only.
func (s schema) sealed(table, column string) bool {
	_, exists := s[object{Kind: columns, Table: table, Name: column}]
	return exists && seals(s[sealing(table, column)].Check)
}

// seals reports whether a condition, in the form of either engine's detail, accepts only NULL and sealed-looking
// values.
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
