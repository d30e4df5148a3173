package autogenerate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"gorm.io/gorm"

	"novamind/migrations"
	"novamind/migrations/runner"
)

// state is the schema of a database: the tables as atlas sees them, and the objects that it does not.
type state struct {
	tables  *schema.Schema
	objects objects
	driver  migrate.Driver
}

// inspect reads the schema of db, without the runner's own tables.
func inspect(ctx context.Context, db *gorm.DB) (state, error) {
	pool, err := db.DB()
	if err != nil {
		return state{}, err
	}
	open := postgres.Open
	if db.Name() == migrations.SQLite {
		open = sqlite.Open
	}
	driver, err := open(pool)
	if err != nil {
		return state{}, fmt.Errorf("reading the schema: %w", err)
	}
	tables, err := driver.InspectSchema(ctx, "", &schema.InspectOptions{Mode: schema.InspectSchemas | schema.InspectTables})
	if err != nil {
		return state{}, fmt.Errorf("reading the schema: %w", err)
	}
	tables.Tables = slices.DeleteFunc(tables.Tables, func(t *schema.Table) bool {
		return t.Name == runner.Table || t.Name == runner.LogTable
	})
	for _, t := range tables.Tables {
		normalise(t)
	}
	objects, err := readObjects(ctx, db)
	return state{tables: tables, objects: objects, driver: driver}, err
}

// normalise takes away what differs between two tables that mean the same: SQLite keeps expressions as they were written, and exclusion constraints
// are objects of ours.
func normalise(t *schema.Table) {
	for _, a := range t.Attrs {
		if check, ok := a.(*schema.Check); ok {
			check.Expr = plain(check.Expr)
		}
	}
	for _, c := range t.Columns {
		if raw, ok := c.Default.(*schema.RawExpr); ok {
			raw.X = plain(raw.X)
		}
	}
	t.Indexes = slices.DeleteFunc(t.Indexes, func(i *schema.Index) bool {
		return slices.ContainsFunc(i.Attrs, func(a schema.Attr) bool {
			constraint, ok := a.(*postgres.Constraint)
			return ok && constraint.IsExclude()
		})
	})
	for _, i := range t.Indexes {
		for _, a := range i.Attrs {
			if predicate, ok := a.(*sqlite.IndexPredicate); ok {
				predicate.P = plain(predicate.P)
			}
		}
		for _, part := range i.Parts {
			if raw, ok := part.X.(*schema.RawExpr); ok {
				raw.X = plain(raw.X)
			}
		}
	}
}

var (
	blank       = regexp.MustCompile(`\s+`)
	besideParen = regexp.MustCompile(`\( | \)`)
)

// plain is an expression on one line, without the quotes that GORM puts around names.
func plain(expression string) string {
	expression = blank.ReplaceAllString(strings.ReplaceAll(expression, "`", ""), " ")
	return besideParen.ReplaceAllStringFunc(expression, strings.TrimSpace)
}
