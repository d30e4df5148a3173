package autogenerate

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"ariga.io/atlas/sql/schema"
	gormschema "gorm.io/gorm/schema"

	"novamind/migrations/inspect"
)

// Rename gives a table, or a column of a table, a new name.
type Rename struct {
	Table  string // the old name of the table
	Column string // "" if the table itself is renamed
	To     string
}

// ParseRename reads table.column=new or table=new.
func ParseRename(text string) (Rename, error) {
	old, name, ok := strings.Cut(text, "=")
	table, column, _ := strings.Cut(old, ".")
	if !ok || table == "" || name == "" || strings.Contains(name, ".") || strings.HasSuffix(old, ".") {
		return Rename{}, fmt.Errorf("a rename is table.column=new or table=new, not %q", text)
	}
	return Rename{Table: table, Column: column, To: name}, nil
}

func (r Rename) sql() string {
	if r.Column == "" {
		return "ALTER TABLE " + inspect.Quote(r.Table) + " RENAME TO " + inspect.Quote(r.To)
	}
	return "ALTER TABLE " + inspect.Quote(r.Table) + " RENAME COLUMN " + inspect.Quote(r.Column) + " TO " + inspect.Quote(r.To)
}

// back undoes r.
func (r Rename) back() Rename {
	if r.Column == "" {
		return Rename{Table: r.To, To: r.Table}
	}
	return Rename{Table: r.Table, Column: r.To, To: r.Column}
}

// renames returns the renames that apply to history. Renames that were asked for must apply. Renames of tags apply if
// the old name is there and the new one is not. Tables come first: a column is named by its table's new name.
func (d Desired) renames(asked []Rename, history *schema.Schema) ([]Rename, error) {
	tagged, err := d.tagged()
	if err != nil {
		return nil, err
	}
	moved := map[string]string{} // a table's new name → its old one
	var tables, columns []Rename
	for i, r := range slices.Concat(asked, tagged) {
		table, there := history.Table(cmp.Or(moved[r.Table], r.Table))
		if r.Column == "" {
			_, taken := history.Table(r.To)
			there = there && !taken && moved[r.To] == ""
		} else if there {
			_, old := table.Column(r.Column)
			_, taken := table.Column(r.To)
			there = old && !taken
		}
		switch {
		case !there && i < len(asked):
			return nil, fmt.Errorf("can't rename %s to %s: either the old name is not there, or the new one is", strings.TrimSuffix(r.Table+"."+r.Column, "."), r.To)
		case !there:
		case r.Column == "":
			tables, moved[r.To] = append(tables, r), r.Table
		default:
			columns = append(columns, r)
		}
	}
	return append(tables, columns...), nil
}

// tagged returns the renames in the models' tags migrate:"was=…". The tag of a table stands at a blank field.
func (d Desired) tagged() ([]Rename, error) {
	var cache sync.Map
	var found []Rename
	for _, model := range d.Models {
		parsed, err := gormschema.Parse(model, &cache, d.Naming)
		if err != nil {
			return nil, err
		}
		for _, field := range parsed.Fields {
			if old, ok := fromTag(field, "was"); ok {
				found = append(found, Rename{Table: parsed.Table, Column: old, To: field.DBName})
			}
		}
		if blank, ok := reflect.TypeOf(model).Elem().FieldByName("_"); ok {
			if old, ok := strings.CutPrefix(blank.Tag.Get("migrate"), "was="); ok {
				found = append([]Rename{{Table: old, To: parsed.Table}}, found...) // tables come first
			}
		}
	}
	return found, nil
}

// candidates returns possible renames that nobody declared: a removed and an added column of the same type, or a
// removed and an added table with mostly the same columns. gone names tables and columns that are really removed, as
// table.column or table.
func candidates(d inspect.Difference, gone map[string]bool) []Rename {
	var found []Rename
	added, dropped, modified := d.TableChanges()
	for _, a := range dropped {
		for _, b := range added {
			old, table := a.(*schema.DropTable).T, b.(*schema.AddTable).T //nolint:forcetypeassert // see tableChanges
			if !gone[old.Name] && alike(old, table) {
				found = append(found, Rename{Table: old.Name, To: table.Name})
			}
		}
	}
	for _, m := range modified {
		for _, a := range m.Changes {
			for _, b := range m.Changes {
				drop, isDrop := a.(*schema.DropColumn)
				add, isAdd := b.(*schema.AddColumn)
				if isDrop && isAdd && !gone[m.T.Name+"."+drop.C.Name] && drop.C.Type.Raw == add.C.Type.Raw {
					found = append(found, Rename{Table: m.T.Name, Column: drop.C.Name, To: add.C.Name})
				}
			}
		}
	}
	return found
}

// alike reports whether more than half of the columns of both tables have the same names.
func alike(a, b *schema.Table) bool {
	same := 0
	for _, c := range a.Columns {
		if _, ok := b.Column(c.Name); ok {
			same++
		}
	}
	return 2*same > max(len(a.Columns), len(b.Columns))
}
