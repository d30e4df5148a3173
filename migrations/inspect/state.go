// Package inspect reads the schema of a database and lists the changes from one schema to another. It compares tables
// with ariga.io/atlas. It compares objects that atlas does not know by itself: functions, triggers, views, exclusion
// constraints, extensions.
package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"gorm.io/gorm"

	"novamind/migrations"
	"novamind/migrations/runner"
	"novamind/migrations/script"
)

// State is the schema of a database: the tables as atlas sees them, and the objects that atlas does not know.
type State struct {
	Tables  *schema.Schema
	Objects Objects
	Texts   Texts // of SQLite
	Traits  Traits
	Driver  migrate.Driver
}

// Read reads the schema of db, without the runner's own tables.
func Read(ctx context.Context, db *gorm.DB) (State, error) {
	pool, err := db.DB()
	if err != nil {
		return State{}, err
	}
	open := postgres.Open
	if db.Name() == migrations.SQLite {
		open = sqlite.Open
	}
	driver, err := open(pool)
	if err != nil {
		return State{}, fmt.Errorf("reading the schema: %w", err)
	}
	tables, err := driver.InspectSchema(ctx, "", &schema.InspectOptions{Mode: schema.InspectSchemas | schema.InspectTables})
	if err != nil {
		return State{}, fmt.Errorf("reading the schema: %w", err)
	}
	tables.Tables = slices.DeleteFunc(tables.Tables, func(t *schema.Table) bool {
		return t.Name == runner.Table || t.Name == runner.LogTable
	})
	checks := map[string]string{}
	for _, t := range tables.Tables {
		withoutExclusions(t)
		if db.Name() == migrations.SQLite {
			for _, a := range t.Attrs {
				if check, ok := a.(*schema.Check); ok {
					checks[check.Name] = check.Expr
				}
			}
			normalise(t)
		}
	}
	s := State{Tables: tables, Driver: driver}
	if s.Objects, err = readObjects(ctx, db); err != nil {
		return State{}, err
	}
	if db.Name() == migrations.SQLite {
		if s.Texts, err = readTexts(ctx, db); err != nil {
			return State{}, err
		}
		s.Texts.Checks = checks
		delete(s.Texts.Tables, runner.Table)
		delete(s.Texts.Tables, runner.LogTable)
	}
	s.Traits, err = readTraits(ctx, db, s.Texts)
	return s, err
}

// withoutExclusions leaves exclusion constraints to our objects.
func withoutExclusions(t *schema.Table) {
	t.Indexes = slices.DeleteFunc(t.Indexes, func(i *schema.Index) bool {
		return slices.ContainsFunc(i.Attrs, func(a schema.Attr) bool {
			constraint, ok := a.(*postgres.Constraint)
			return ok && constraint.IsExclude()
		})
	})
}

// normalise removes differences between two tables that mean the same: SQLite keeps expressions as they were written,
// PostgreSQL writes its own form.
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

// plain is SQLite's SQL in a normal form: without comments, on one line, with names in lower case and without the
// quotes that renaming adds.
func plain(sql string) string {
	var out strings.Builder
	var before script.Token
	for i, token := range script.Tokens(migrations.SQLite, sql) {
		if token.Kind == script.Comment {
			continue
		}
		tight := token.Is("(", ")", ",") || before.Is("(", ")", ",") || token.Kind == script.Symbol && before.Kind == script.Symbol && before.End() == token.Start
		if i > 0 && !tight {
			out.WriteByte(' ')
		}
		if token.Kind == script.Word || token.Kind == script.Quoted {
			out.WriteString(token.Name())
		} else {
			out.WriteString(token.Text)
		}
		before = token
	}
	return out.String()
}
