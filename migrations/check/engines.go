package check

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"

	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/inspect"
)

// Unlike returns the differences in meaning between the two engines' schemas, one line each. It does not compare the
// actions of triggers and functions. A default that only PostgreSQL can compute is not compared; apart names the
// other columns whose defaults differ on purpose.
func Unlike(ctx context.Context, sources map[string]scratch.Source, sets map[string]migrations.Set, apart []string) ([]string, error) {
	facts := map[string]map[string]string{}
	for engine, source := range sources {
		_, s, drop, err := inspect.InScratch(ctx, source, inspect.Replay(sets[engine]))
		drop()
		if err != nil {
			return nil, err
		}
		facts[engine] = factsOf(s, apart)
	}
	return compareFacts(facts[migrations.Postgres], facts[migrations.SQLite]), nil
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

// own marks a value that belongs to one engine alone.
const own = "its own"

// factsOf describes each part of the schema in words that both engines share.
func factsOf(s inspect.State, apart []string) map[string]string {
	facts := map[string]string{}
	for _, t := range s.Tables.Tables {
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
				t.Name, names(f.Columns), f.RefTable.Name, names(f.RefColumns), inspect.Action(f.OnDelete), inspect.Action(f.OnUpdate))
		}
		for _, a := range t.Attrs {
			if check, ok := a.(*schema.Check); ok {
				facts["check "+check.Name+" of "+t.Name] = ""
			}
		}
	}
	return facts
}

// class is the kind of values that a column holds.
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

// nullability is the same for a primary key on both engines.
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
	if inspect.IsIdentity(c) {
		return own
	}
	x := strings.Trim(cast.ReplaceAllString(inspect.Expression(c.Default), ""), "()")
	switch {
	case x == "now" || strings.HasPrefix(x, "strftime("):
		return "now"
	case strings.Contains(x, "(") || x == "SESSION_USER":
		return own
	default:
		return "'" + strings.Trim(x, "'") + "'"
	}
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
