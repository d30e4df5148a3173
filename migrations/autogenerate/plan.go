package autogenerate

import (
	"context"
	"strings"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/schema"

	"novamind/migrations"
	"novamind/migrations/inspect"
)

// steps are the SQL from one state to another, and back.
type steps struct {
	up, down []string // in a transaction

	// On PostgreSQL, statements that would hold up others for long go into a version of its own, without a
	// transaction. Each of these statements locks little, and can be repeated.
	lateUp, lateDown []string
}

func (s steps) late() bool { return len(s.lateUp)+len(s.lateDown) > 0 }

// plan writes the SQL from one state to another of the same engine.
func plan(ctx context.Context, engine string, from, to inspect.State) (steps, error) {
	forward, err := inspect.Between(from, to)
	if err != nil || forward.Empty() {
		return steps{}, err
	}
	backward, err := inspect.Between(to, from)
	if err != nil {
		return steps{}, err
	}
	planner := planPostgres
	if engine == migrations.SQLite {
		planner = planSQLite
	}
	var s steps
	if s.up, s.lateUp, err = planner(ctx, from, to, forward, false); err != nil {
		return steps{}, err
	}
	s.down, s.lateDown, err = planner(ctx, to, from, backward, true)
	return s, err
}

// statements has atlas write changes as SQL.
func statements(ctx context.Context, driver migrate.Driver, changes ...schema.Change) ([]string, error) {
	planned, err := driver.PlanChanges(ctx, "", changes, func(o *migrate.PlanOptions) {
		o.SchemaQualifier = new(string)
		o.Indent = "    "
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, c := range planned.Changes {
		if !strings.HasPrefix(c.Cmd, "PRAGMA ") { // the runner takes care of foreign keys
			out = append(out, c.Cmd)
		}
	}
	return out, nil
}
