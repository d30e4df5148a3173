package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"novamind/migrations"
	"novamind/migrations/lint"
)

// question is statements that fail if protected rows would be lost.
type question struct {
	first         string // before anything is undone
	before, after string // the version, in its transaction
}

// questions returns the questions of each version, by its id.
func questions(ctx context.Context, set migrations.Set, from, to int, program Program) (map[string]question, error) {
	asked := map[string]question{}
	if from <= to || program.Rows == MadeUpRows {
		return asked, nil
	}
	versions, err := lint.Losses(ctx, set, from, to)
	if err != nil {
		return nil, err
	}
	e := engines[set.Engine]
	for _, v := range versions {
		switch {
		case v.Unsure:
			return nil, fmt.Errorf("migration %s: %w", v.ID, ErrUntold)
		case v.Unheld:
			return nil, fmt.Errorf("migration %s: %w", v.ID, ErrUnheld)
		}
		var q question
		none := func(what, table, column, condition string) {
			ask := fmt.Sprintf(e.offline.kept, what, "NOT EXISTS (SELECT 1 FROM "+e.quote(table)+condition+")")
			q.before += ask
			if has(versions[0], table, column) {
				q.first += ask
			}
		}
		for _, l := range program.lost(v.Losses) {
			switch {
			case program.Rows == DiscardRows && !program.keeps(l):
			case l.Column == "":
				none("rows of "+l.Table, l.Table, "", "")
			default:
				none("rows of "+l.Table+"."+l.Column, l.Table, l.Column, " WHERE "+e.quote(l.Column)+" IS NOT NULL")
			}
		}
		if program.Lasting != nil {
			if l := program.Lasting(v.ID); l != nil {
				none("rows of "+l.Table, l.Table, "", " WHERE "+l.Where)
			}
		}
		q.measure(e, v.Stays, program)
		asked[v.ID] = q
	}
	return asked, nil
}

// has reports whether a table, or a column of it, is there before the first version is undone.
func has(first lint.Undoing, table, column string) bool {
	return slices.ContainsFunc(first.Had, func(t lint.Table) bool {
		return t.Name == table && (column == "" || slices.Contains(t.Columns, column))
	})
}

// measure compares the tables that stay with their earlier state. It compares the values of rows that the log vouches
// for, and only the numbers of other rows.
func (q *question) measure(e engine, stays []lint.Table, program Program) {
	for i, t := range stays {
		vouched := t.Sealed || slices.Contains(program.Vouched, t.Name)
		if !vouched && program.Rows == DiscardRows {
			continue
		}
		held, table := fmt.Sprintf("held_%d", i), e.quote(t.Name)
		values, numbers, fewer := []string{}, []string{"count(*) AS n"}, []string{"n > (SELECT count(*) FROM " + table + ")"}
		for c, name := range t.Columns {
			if slices.Contains(program.Derived, t.Name+"."+name) {
				continue
			}
			name = e.quote(name)
			values = append(values, fmt.Sprintf("CAST(%s AS text) AS v%d", name, c))
			numbers = append(numbers, fmt.Sprintf("count(%s) AS n%d", name, c))
			fewer = append(fewer, fmt.Sprintf("n%d > (SELECT count(%s) FROM %s)", c, name, table))
		}
		list, kept := numbers, "NOT EXISTS (SELECT 1 FROM "+held+" WHERE "+strings.Join(fewer, " OR ")+")"
		if vouched {
			list = values
			kept = fmt.Sprintf("(SELECT count(*) FROM %[1]s) = (SELECT count(*) FROM %[2]s) AND NOT EXISTS (SELECT * FROM %[1]s EXCEPT SELECT %[3]s FROM %[2]s)",
				held, table, strings.Join(values, ", "))
		}
		q.before += "CREATE TEMP TABLE " + held + " AS SELECT " + strings.Join(list, ", ") + " FROM " + table + ";\n"
		q.after += fmt.Sprintf(e.offline.kept, "rows or values of "+t.Name, kept) + "DROP TABLE " + held + ";\n"
	}
}
