package check

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"ariga.io/atlas/sql/schema"
	"gorm.io/gorm"

	"novamind/internal/plural"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/inspect"
	"novamind/migrations/runner"
)

// Identity takes a database with rows in every table through each version of set, up, down and up again. It returns
// findings, one line each: a version's down does not lead back to the schema before it, its second up leads elsewhere
// than the first, or a row or a value was lost or changed on the way. It looks at the tables and columns that are
// there before and after.
func Identity(ctx context.Context, source scratch.Source, set migrations.Set, seeds Seeds) ([]string, error) {
	db, drop, err := source(ctx)
	if err != nil {
		return nil, err
	}
	defer drop()
	r, err := runner.New(db, set, runner.Program{Rows: runner.MadeUpRows}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	w := walk{ctx: ctx, db: db, runner: r, seeds: seeds}
	for i, m := range set.Migrations {
		back := migrations.Base
		if i > 0 {
			back = set.Migrations[i-1].ID
		}
		if err := w.version(m, back); err != nil {
			return w.lines, fmt.Errorf("%s: %w", m.ID, err)
		}
	}
	return w.lines, nil
}

type walk struct {
	ctx    context.Context //nolint:containedctx // lives as long as one call of Identity
	db     *gorm.DB
	runner *runner.Runner
	seeds  Seeds
	lines  []string
}

// version goes up, down and up again, and then adds rows.
func (w *walk) version(m migrations.Migration, back string) error {
	before, err := w.look()
	if err != nil {
		return err
	}
	moves := []struct {
		name string
		move func() ([]string, error)
	}{
		{"up", func() ([]string, error) { return w.runner.Up(w.ctx, m.ID) }},
		{"down", func() ([]string, error) { return w.runner.Down(w.ctx, back) }},
		{"up again", func() ([]string, error) { return w.runner.Up(w.ctx, m.ID) }},
	}
	var after view
	for i, step := range moves {
		if _, err := step.move(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		now, err := w.look()
		if err != nil {
			return err
		}
		w.compareRows(m.ID+" "+step.name, before, now)
		want := before.state
		switch i {
		case 0:
			after = now
			continue
		case 2:
			want = after.state
		}
		if err := w.compareSchemas(m.ID+" "+step.name, now.state, want); err != nil {
			return err
		}
	}
	return w.seeds.plant(w.ctx, w.db, after.state)
}

// view is the content of a database.
type view struct {
	state  inspect.State
	counts map[string]int    // rows, by table
	hashes map[string]string // of all values, by table and column
}

func (w *walk) look() (view, error) {
	s, err := inspect.Read(w.ctx, w.db)
	if err != nil {
		return view{}, err
	}
	v := view{state: s, counts: map[string]int{}, hashes: map[string]string{}}
	for _, t := range s.Tables.Tables {
		if err := v.readTable(w.ctx, w.db, t); err != nil {
			return view{}, fmt.Errorf("reading %s: %w", t.Name, err)
		}
	}
	return v, nil
}

func (v *view) readTable(ctx context.Context, db *gorm.DB, t *schema.Table) error {
	order := "1"
	if t.PrimaryKey != nil {
		var keys []string
		for _, p := range t.PrimaryKey.Parts {
			keys = append(keys, "CAST("+inspect.Quote(p.C.Name)+" AS text)")
		}
		order = strings.Join(keys, ", ")
	}
	for _, c := range t.Columns {
		var values []sql.NullString
		query := fmt.Sprintf("SELECT CAST(%s AS text) FROM %s ORDER BY %s", inspect.Quote(c.Name), inspect.Quote(t.Name), order)
		if err := db.WithContext(ctx).Raw(query).Scan(&values).Error; err != nil {
			return err
		}
		sum := sha256.New()
		for _, value := range values {
			fmt.Fprintf(sum, "%t:%d:%s;", value.Valid, len(value.String), value.String)
		}
		v.counts[t.Name], v.hashes[t.Name+"."+c.Name] = len(values), string(sum.Sum(nil))
	}
	return nil
}

// compareRows notes the tables and columns of before whose content is different now.
func (w *walk) compareRows(where string, before, now view) {
	for table, count := range before.counts {
		if got, ok := now.counts[table]; ok && got != count {
			w.lines = append(w.lines, fmt.Sprintf("%s: table %s has %s instead of %d", where, table, plural.Count(got, "row", "rows"), count))
		}
	}
	for column, hash := range before.hashes {
		if got, ok := now.hashes[column]; ok && got != hash {
			w.lines = append(w.lines, fmt.Sprintf("%s: the values of %s changed", where, column))
		}
	}
	slices.Sort(w.lines)
}

func (w *walk) compareSchemas(where string, got, want inspect.State) error {
	d, err := inspect.Between(got, want)
	for _, line := range d.Describe() {
		w.lines = append(w.lines, where+": "+line)
	}
	return err
}
