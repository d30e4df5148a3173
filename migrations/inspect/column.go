package inspect

import (
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
)

// IsGenerated reports whether the database computes a column.
func IsGenerated(c *schema.Column) bool {
	return slices.ContainsFunc(c.Attrs, func(a schema.Attr) bool { _, ok := a.(*schema.GeneratedExpr); return ok })
}

// IsIdentity reports whether the database numbers a column.
func IsIdentity(c *schema.Column) bool {
	return slices.ContainsFunc(c.Attrs, func(a schema.Attr) bool { _, ok := a.(*postgres.Identity); return ok })
}

// Expression is the SQL of a default, or "".
func Expression(x schema.Expr) string {
	switch x := x.(type) {
	case *schema.Literal:
		return x.V
	case *schema.RawExpr:
		return x.X
	default:
		return ""
	}
}

// Quote puts a name in the quotes of both engines.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Action is the action of a foreign key; NO ACTION if none was given.
func Action(o schema.ReferenceOption) string {
	if o == "" {
		return string(schema.NoAction)
	}
	return string(o)
}
