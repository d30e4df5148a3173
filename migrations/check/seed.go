package check

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/schema"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"novamind/migrations/inspect"
)

// Seeds are values for columns that can't be guessed, by <table>.<column>: SQL literals, in which %d is the number of
// the row.
type Seeds map[string]string

// seededRows is the number of rows in each table.
const seededRows = 3

// attemptsAtRow is the number of combinations of values that are tried for one row.
const attemptsAtRow = 400

// plant adds rows to every table of a scratch database that has too few. Values come from types, CHECKs and foreign
// keys. The CHECK that refuses a row names the columns that need another value. plant returns an error that names a
// table for which no values were found.
func (s Seeds) plant(ctx context.Context, db *gorm.DB, st inspect.State) error {
	for _, t := range inOrder(st.Tables.Tables) {
		var rows int
		if err := db.WithContext(ctx).Raw("SELECT count(*) FROM " + inspect.Quote(t.Name)).Scan(&rows).Error; err != nil {
			return err
		}
		for n := rows; n < seededRows; n++ {
			if err := s.row(ctx, db, t, n); err != nil {
				return fmt.Errorf("no row for table %s: %w", t.Name, err)
			}
		}
	}
	return nil
}

// inOrder returns tables after the tables that they refer to.
func inOrder(tables []*schema.Table) []*schema.Table {
	var out []*schema.Table
	seen := map[string]bool{}
	var visit func(t *schema.Table)
	visit = func(t *schema.Table) {
		if seen[t.Name] {
			return
		}
		seen[t.Name] = true
		for _, f := range t.ForeignKeys {
			if i := slices.IndexFunc(tables, func(o *schema.Table) bool { return o.Name == f.RefTable.Name }); i >= 0 {
				visit(tables[i])
			}
		}
		out = append(out, t)
	}
	for _, t := range tables {
		visit(t)
	}
	return out
}

// row inserts one row.
func (s Seeds) row(ctx context.Context, db *gorm.DB, t *schema.Table, n int) error {
	var columns []*schema.Column
	var choices [][]string
	for _, c := range t.Columns {
		if values := s.choices(t, c, n); len(values) > 0 {
			columns, choices = append(columns, c), append(choices, values)
		}
	}
	at := make([]int, len(columns))
	var err error
	for range attemptsAtRow {
		if err = insert(ctx, db, t, columns, choices, at); err == nil {
			return nil
		}
		if !advance(refusedColumns(t, columns, err), choices, at) {
			return err
		}
	}
	return err
}

func insert(ctx context.Context, db *gorm.DB, t *schema.Table, columns []*schema.Column, choices [][]string, at []int) error {
	var names, values []string
	for i, c := range columns {
		names, values = append(names, inspect.Quote(c.Name)), append(values, choices[i][at[i]])
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", inspect.Quote(t.Name), strings.Join(names, ", "), strings.Join(values, ", ")))
	return err
}

// advance turns to the next combination of values of some columns, as an odometer does. It reports whether there was
// another combination.
func advance(which []int, choices [][]string, at []int) bool {
	for _, i := range which {
		if at[i]++; at[i] < len(choices[i]) {
			return true
		}
		at[i] = 0
	}
	return false
}

var failedCheck = regexp.MustCompile(`constraint failed: (\w+)`)

// refusedColumns returns the positions of the columns in the CHECK that refused a row, or all positions.
func refusedColumns(t *schema.Table, columns []*schema.Column, err error) []int {
	name := ""
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		name = pg.ConstraintName
	} else if found := failedCheck.FindStringSubmatch(err.Error()); found != nil {
		name = found[1]
	}
	for _, a := range t.Attrs {
		if check, ok := a.(*schema.Check); ok && check.Name == name {
			var which []int
			for i, c := range columns {
				if regexp.MustCompile(`\b` + c.Name + `\b`).MatchString(check.Expr) {
					which = append(which, i)
				}
			}
			return which
		}
	}
	var all []int
	for i := range columns {
		all = append(all, i)
	}
	return all
}

var literal = regexp.MustCompile(`'([^'\[\]^*\\{}]*)'`)

// choices returns SQL literals for a column, the likeliest first. It returns none if the database has a better value.
func (s Seeds) choices(t *schema.Table, c *schema.Column, n int) []string {
	if seed, ok := s[t.Name+"."+c.Name]; ok {
		return []string{strings.ReplaceAll(seed, "%d", strconv.Itoa(n))}
	}
	var out []string
	for _, f := range t.ForeignKeys {
		if i := slices.Index(columnNames(f.Columns), c.Name); i >= 0 {
			out = append(out, fmt.Sprintf("(SELECT %s FROM %s ORDER BY 1 LIMIT 1 OFFSET %d)", inspect.Quote(f.RefColumns[i].Name), inspect.Quote(f.RefTable.Name), n))
		}
	}
	if len(out) == 0 {
		out = append(literalsOf(t, c), valuesOf(t, c, n)...)
	}
	if inspect.IsIdentity(c) || inspect.IsGenerated(c) {
		return nil
	}
	if c.Type.Null {
		out = append(out, "NULL")
	}
	return out
}

func columnNames(columns []*schema.Column) []string {
	var out []string
	for _, c := range columns {
		out = append(out, c.Name)
	}
	return out
}

// literalsOf returns the strings in CHECKs on a text column: IN ('booked', …).
func literalsOf(t *schema.Table, c *schema.Column) []string {
	if class(c) != "text" {
		return nil
	}
	var out []string
	for _, a := range t.Attrs {
		check, ok := a.(*schema.Check)
		if !ok || !regexp.MustCompile(`\b`+c.Name+`\b`).MatchString(check.Expr) || strings.HasSuffix(check.Name, "_sealed") {
			continue
		}
		out = append(out, literal.FindAllString(check.Expr, -1)...)
	}
	return out
}

// valuesOf returns values of a column's type.
func valuesOf(t *schema.Table, c *schema.Column, n int) []string {
	sealed := slices.ContainsFunc(t.Attrs, func(a schema.Attr) bool {
		check, ok := a.(*schema.Check)
		return ok && check.Name == t.Name+"_"+c.Name+"_sealed"
	})
	envelope := fmt.Sprintf("phi1:0000000%d:%s", n, strings.Repeat("A", 43))
	switch class(c) {
	case "integer", "number":
		return []string{strconv.Itoa(n), strconv.Itoa(n + 1), strconv.Itoa(n + 100)}
	case "boolean":
		return []string{"false", "true"}
	case "time":
		day := func(hour int) string { return fmt.Sprintf("'2026-03-%02d %02d:00:00.000000+00:00'", n+1, hour) }
		return []string{day(10), day(11), day(9)}
	case "json":
		if sealed {
			return []string{`'{"phi":"` + envelope + `"}'`}
		}
		return []string{"'[]'", "'{}'"}
	case "bytes":
		return []string{"'seed'"}
	}
	if _, ok := c.Type.Type.(*schema.UUIDType); ok || strings.HasSuffix(c.Name, "id") {
		return []string{fmt.Sprintf("'00000000-0000-7000-8000-%012d'", n)}
	}
	if sealed {
		return []string{"'" + envelope + "'"}
	}
	return []string{fmt.Sprintf("'seed %d'", n), fmt.Sprintf("'seed%d'", n), fmt.Sprintf("'%064d'", n), "'UTC'", "''"}
}
