package autogenerate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/schema"

	"novamind/migrations"
	"novamind/migrations/inspect"
	"novamind/migrations/script"
)

// planSQLite writes the SQL of d. SQLite can add a column and little else; for other changes a table is rebuilt.
func planSQLite(ctx context.Context, from, to inspect.State, d inspect.Difference, _ bool) (main, _ []string, err error) {
	added, dropped, modified := d.TableChanges()
	leaves := map[string]bool{} // the tables whose triggers are dropped with them
	for _, c := range dropped {
		leaves[c.(*schema.DropTable).T.Name] = true //nolint:forcetypeassert // see tableChanges
	}
	for _, m := range modified {
		leaves[m.T.Name] = !inPlace(m)
	}
	for _, o := range d.Gone.OfKind("trigger", "view") {
		if !leaves[o.Table] {
			main = append(main, o.Drop(migrations.SQLite))
		}
	}
	for _, c := range added {
		name := c.(*schema.AddTable).T.Name //nolint:forcetypeassert // see tableChanges
		main = append(main, to.Texts.Tables[name])
		for _, index := range to.Texts.Indexes[name] {
			main = append(main, index.SQL)
		}
	}
	for _, m := range modified {
		if inPlace(m) {
			main, err = alter(ctx, main, to, m)
		} else {
			main = rebuild(main, from, to, m.T.Name)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	for _, c := range dropped {
		main = append(main, "DROP TABLE "+inspect.Quote(c.(*schema.DropTable).T.Name)) //nolint:forcetypeassert // see tableChanges
	}
	for _, o := range to.Objects.OfKind("view", "trigger") {
		if d.Made.Has(o.Key()) || leaves[o.Table] {
			main = append(main, o.Make)
		}
	}
	return main, nil, nil
}

// inPlace reports whether SQLite can make the changes to an existing table: indexes, and columns with constraints on
// these columns alone.
func inPlace(m *schema.ModifyTable) bool {
	return !slices.ContainsFunc(m.Changes, func(c schema.Change) bool {
		switch c := c.(type) {
		case *schema.AddIndex, *schema.DropIndex, *schema.ModifyIndex:
			return false
		case *schema.AddColumn:
			_, constant := c.C.Default.(*schema.Literal)
			return !constant && (c.C.Default != nil || !c.C.Type.Null)
		case *schema.AddCheck:
			return newColumnOf(m, func(column *schema.Column) bool { return mentions(c.C.Expr, column.Name) }) == nil
		case *schema.AddForeignKey:
			column := newColumnOf(m, func(column *schema.Column) bool { return len(c.F.Columns) == 1 && c.F.Columns[0].Name == column.Name })
			return column == nil || column.Default != nil
		default:
			return true
		}
	})
}

// newColumnOf returns the first added column that satisfies so, or nil.
func newColumnOf(m *schema.ModifyTable, so func(*schema.Column) bool) *schema.Column {
	for _, c := range m.Changes {
		if add, ok := c.(*schema.AddColumn); ok && so(add.C) {
			return add.C
		}
	}
	return nil
}

// mentions reports whether an expression contains a name.
func mentions(expression, name string) bool {
	return slices.ContainsFunc(script.Tokens(migrations.SQLite, expression), func(t script.Token) bool {
		return (t.Kind == script.Word || t.Kind == script.Quoted) && t.Name() == name
	})
}

// alter adds columns and remakes indexes.
func alter(ctx context.Context, main []string, to inspect.State, m *schema.ModifyTable) ([]string, error) {
	var gone, made []string
	for _, c := range m.Changes {
		switch c := c.(type) {
		case *schema.AddColumn:
			out, err := statements(ctx, to.Driver, &schema.ModifyTable{T: m.T, Changes: []schema.Change{&schema.AddColumn{C: &schema.Column{
				Name: c.C.Name, Type: c.C.Type, Default: c.C.Default,
			}}}})
			if err != nil {
				return nil, err
			}
			out[0] += constraintsOf(to, m, c.C)
			main = append(main, out...)
		case *schema.AddIndex:
			made = append(made, c.I.Name)
		case *schema.DropIndex:
			gone = append(gone, c.I.Name)
		case *schema.ModifyIndex:
			gone, made = append(gone, c.From.Name), append(made, c.To.Name)
		}
	}
	for _, name := range gone {
		main = append(main, "DROP INDEX "+inspect.Quote(name))
	}
	for _, index := range to.Texts.Indexes[m.T.Name] {
		if slices.Contains(made, index.Name) {
			main = append(main, index.SQL)
		}
	}
	return main, nil
}

// constraintsOf returns the new constraints in the definition of a new column: a CHECK goes with the first new column
// that it names.
func constraintsOf(to inspect.State, m *schema.ModifyTable, column *schema.Column) string {
	out := ""
	for _, c := range m.Changes {
		switch c := c.(type) {
		case *schema.AddCheck:
			if newColumnOf(m, func(other *schema.Column) bool { return mentions(c.C.Expr, other.Name) }) == column {
				out += fmt.Sprintf("\n    CONSTRAINT %s CHECK (%s)", inspect.Quote(c.C.Name), unwrapped(to.Texts.Checks[c.C.Name]))
			}
		case *schema.AddForeignKey:
			if c.F.Columns[0].Name == column.Name {
				out += fmt.Sprintf("\n    CONSTRAINT %s REFERENCES %s (%s) ON UPDATE %s ON DELETE %s",
					inspect.Quote(c.F.Symbol), inspect.Quote(c.F.RefTable.Name), inspect.Quote(c.F.RefColumns[0].Name), inspect.Action(c.F.OnUpdate), inspect.Action(c.F.OnDelete))
			}
		}
	}
	return out
}

// unwrapped is an expression without the parentheses around the whole of it.
func unwrapped(x string) string {
	if inner, ok := strings.CutPrefix(x, "("); ok && strings.HasSuffix(inner, ")") {
		depth := 1
		for i, c := range inner {
			switch c {
			case '(':
				depth++
			case ')':
				depth--
			}
			if depth == 0 && i < len(inner)-1 {
				return x
			}
		}
		return inner[:len(inner)-1]
	}
	return x
}

// rebuild makes a table anew and moves its rows (https://www.sqlite.org/lang_altertable.html, section 7). Its
// triggers are dropped with the old table; the caller makes them again. With legacy_alter_table, renaming the new
// table does not change references to it, and does not fail because the table was missing.
func rebuild(main []string, from, to inspect.State, table string) []string {
	old, _ := from.Tables.Table(table)
	wanted, _ := to.Tables.Table(table)
	var columns, values []string
	for _, c := range wanted.Columns {
		before, there := old.Column(c.Name)
		if inspect.IsGenerated(c) || !there && !needsFiller(c) {
			continue
		}
		value := inspect.Quote(c.Name)
		if !there {
			value = filler(c)
		} else if backfilled(before, c) {
			value = "COALESCE(" + value + ", " + inspect.Expression(c.Default) + ")"
		}
		columns, values = append(columns, inspect.Quote(c.Name)), append(values, value)
	}
	renamed := "new_" + table
	main = append(main,
		"PRAGMA legacy_alter_table = on",
		tableName.ReplaceAllString(to.Texts.Tables[table], "CREATE TABLE "+inspect.Quote(renamed)+" ("),
		fmt.Sprintf("INSERT INTO %s (%s)\n    SELECT %s FROM %s", inspect.Quote(renamed), strings.Join(columns, ", "), strings.Join(values, ", "), inspect.Quote(table)),
		"DROP TABLE "+inspect.Quote(table),
		"ALTER TABLE "+inspect.Quote(renamed)+" RENAME TO "+inspect.Quote(table),
		"PRAGMA legacy_alter_table = off",
	)
	for _, index := range to.Texts.Indexes[table] {
		main = append(main, index.SQL)
	}
	return main
}

var tableName = regexp.MustCompile("^CREATE TABLE [`\"\\w]+ *\\(")
