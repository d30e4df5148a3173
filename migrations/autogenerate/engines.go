package autogenerate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"gorm.io/gorm"

	"novamind/internal/scratch"
	"novamind/migrations"
)

// Unlike returns what the two engines' migrations make that does not mean the same, one line each. What triggers and functions do is not compared.
// A default that only PostgreSQL can compute is its own; apart names the other columns whose defaults differ on purpose.
func Unlike(ctx context.Context, sources map[string]scratch.Source, sets map[string]migrations.Set, apart []string) ([]string, error) {
	facts := map[string]map[string]string{}
	for engine, source := range sources {
		s, err := made(ctx, source, sets[engine])
		if err != nil {
			return nil, err
		}
		facts[engine] = s.facts(apart)
	}
	return compareFacts(facts[migrations.Postgres], facts[migrations.SQLite]), nil
}

// made returns the schema that the migrations make.
func made(ctx context.Context, source scratch.Source, set migrations.Set) (state, error) {
	_, s, drop, err := built(ctx, source, func(db *gorm.DB) error { return replay(ctx, db, set) })
	drop()
	return s, err
}

func compareFacts(onPostgres, onSQLite map[string]string) []string {
	var lines []string
	for name, fact := range onPostgres {
		if other, ok := onSQLite[name]; !ok {
			lines = append(lines, name+": on PostgreSQL alone")
		} else if fact != other && !strings.HasPrefix(fact, own) {
			lines = append(lines, fmt.Sprintf("%s: %s on PostgreSQL, %s on SQLite", name, fact, other))
		}
	}
	for name := range onSQLite {
		if _, ok := onPostgres[name]; !ok {
			lines = append(lines, name+": on SQLite alone")
		}
	}
	slices.Sort(lines)
	return lines
}

// own marks what an engine has of itself.
const own = "its own"

// facts says in words that both engines share what each part of the schema is.
func (s state) facts(apart []string) map[string]string {
	facts := map[string]string{}
	for _, t := range s.tables.Tables {
		facts["table "+t.Name] = ""
		for _, c := range t.Columns {
			name := t.Name + "." + c.Name
			facts["column "+name] = class(c) + nullability(t, c)
			if !slices.Contains(apart, name) {
				facts["default of "+name] = defaultOf(c)
			}
		}
		if t.PrimaryKey != nil {
			facts["primary key of "+t.Name] = partsOf(t.PrimaryKey)
		}
		for _, i := range t.Indexes {
			facts["index "+i.Name] = fmt.Sprintf("on %s%s%s", t.Name, partsOf(i), attributes(i))
		}
		for _, f := range t.ForeignKeys {
			facts["foreign key "+f.Symbol] = fmt.Sprintf("%s%s to %s%s, delete: %s, update: %s",
				t.Name, names(f.Columns), f.RefTable.Name, names(f.RefColumns), action(f.OnDelete), action(f.OnUpdate))
		}
		for _, a := range t.Attrs {
			if check, ok := a.(*schema.Check); ok {
				facts["check "+check.Name+" of "+t.Name] = ""
			}
		}
	}
	return facts
}

// class is what kind of values a column holds.
func class(c *schema.Column) string {
	switch kind := c.Type.Type.(type) {
	case *schema.StringType, *schema.UUIDType:
		return "text"
	case *schema.IntegerType, *postgres.SerialType:
		return "integer"
	case *schema.BoolType:
		return "boolean"
	case *schema.TimeType:
		return "time"
	case *schema.JSONType:
		return "json"
	case *schema.BinaryType:
		return "bytes"
	case *schema.FloatType, *schema.DecimalType:
		return "number"
	default:
		return fmt.Sprintf("%T", kind)
	}
}

// nullability is the same for a primary key, whatever an engine calls it.
func nullability(t *schema.Table, c *schema.Column) string {
	key := t.PrimaryKey != nil && slices.ContainsFunc(t.PrimaryKey.Parts, func(p *schema.IndexPart) bool { return p.C == c })
	if c.Type.Null && !key {
		return ""
	}
	return " not null"
}

var cast = regexp.MustCompile(`::[a-z ]+(\([0-9]+\))?$`)

// defaultOf is a column's default in words of both engines.
func defaultOf(c *schema.Column) string {
	if isIdentity(c) {
		return own
	}
	x := strings.Trim(cast.ReplaceAllString(expression(c.Default), ""), "()")
	switch {
	case x == "now" || strings.HasPrefix(x, "strftime("):
		return "now"
	case strings.Contains(x, "(") || x == "SESSION_USER":
		return own
	default:
		return "'" + strings.Trim(x, "'") + "'"
	}
}

func isIdentity(c *schema.Column) bool {
	return slices.ContainsFunc(c.Attrs, func(a schema.Attr) bool { _, ok := a.(*postgres.Identity); return ok })
}

func partsOf(i *schema.Index) string {
	var parts []string
	for _, p := range i.Parts {
		part := ""
		if p.C != nil {
			part = p.C.Name
		} else if x, ok := p.X.(*schema.RawExpr); ok {
			part = bare(x.X)
		}
		if p.Desc {
			part += " desc"
		}
		parts = append(parts, part)
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func attributes(i *schema.Index) string {
	out := ""
	if i.Unique {
		out = ", unique"
	}
	for _, a := range i.Attrs {
		switch a := a.(type) {
		case *postgres.IndexPredicate:
			out += " where " + bare(a.P)
		case *sqlite.IndexPredicate:
			out += " where " + bare(a.P)
		}
	}
	return out
}

var casts = regexp.MustCompile(`::[a-z]+`)

// bare is an expression without the parentheses and casts that PostgreSQL adds.
func bare(x string) string {
	x = strings.NewReplacer("(", "", ")", "", " ", "", "<>", "!=").Replace(casts.ReplaceAllString(strings.ToLower(x), ""))
	return strings.NewReplacer("!=allarray[", "notin", "=anyarray[", "in", "]", "").Replace(x)
}

func names(columns []*schema.Column) string {
	var out []string
	for _, c := range columns {
		out = append(out, c.Name)
	}
	return " (" + strings.Join(out, ", ") + ")"
}

func action(o schema.ReferenceOption) string {
	if o == "" {
		return string(schema.NoAction)
	}
	return string(o)
}
