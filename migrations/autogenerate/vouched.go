package autogenerate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/schema"

	"novamind/migrations/inspect"
)

// Reasons why a change of a table that the audit log vouches for is not written.
var (
	ErrDigested = errors.New("the audit log has digests of these rows, by column, which a value given by SQL or another name would make wrong: " +
		"let the new column take NULL, and let the program fill it")
	ErrSealed = errors.New("sealed values are bound to the names of their table and column, and can't be opened under others: " +
		`keep the name in the database (gorm:"column:NAME"), or add a new column, let the program write both, and drop the old one a release later`)
)

// untouched returns ErrDigested if SQL would give values to rows of a table that the log vouches for.
func (d Desired) untouched(changes inspect.Difference) error {
	_, _, modified := changes.TableChanges()
	for _, m := range modified {
		if !slices.Contains(d.Digested, m.T.Name) {
			continue
		}
		for _, c := range m.Changes {
			if column := filled(c); column != nil {
				return fmt.Errorf("%s.%s: %w", m.T.Name, column.Name, ErrDigested)
			}
		}
	}
	return nil
}

// filled returns the column for which a change gives values to existing rows, or nil.
func filled(change schema.Change) *schema.Column {
	switch c := change.(type) {
	case *schema.AddColumn:
		if c.C.Default != nil {
			return c.C
		}
	case *schema.ModifyColumn:
		if backfilled(c.From, c.To) {
			return c.To
		}
	}
	return nil
}

// backfilled reports whether a column becomes NOT NULL and has a default in the place of NULL.
func backfilled(from, to *schema.Column) bool {
	return from.Type.Null && !to.Type.Null && to.Default != nil
}

// nameable returns ErrSealed if a sealed column, or its table, would get another name. It returns ErrDigested if
// another column or table that the log vouches for would.
func (d Desired) nameable(renames []Rename, tables *schema.Schema) error {
	for _, r := range renames {
		table, ok := tables.Table(r.Table)
		if !ok {
			continue
		}
		for _, a := range table.Attrs {
			check, ok := a.(*schema.Check)
			if !ok {
				continue
			}
			for _, c := range table.Columns {
				if check.Name == table.Name+"_"+c.Name+"_sealed" && (r.Column == "" || r.Column == c.Name) {
					return fmt.Errorf("%s.%s: %w", table.Name, c.Name, ErrSealed)
				}
			}
		}
		if slices.Contains(d.Digested, r.Table) {
			return fmt.Errorf("%s: %w", strings.TrimSuffix(r.Table+"."+r.Column, "."), ErrDigested)
		}
	}
	return nil
}
