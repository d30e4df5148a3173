package autogenerate

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"

	"novamind/migrations"
	"novamind/migrations/inspect"
)

// planPostgres writes the SQL of d. Going back, constraints are added whole: the late statements have run before.
func planPostgres(ctx context.Context, from, to inspect.State, d inspect.Difference, back bool) (main, late []string, err error) {
	added, dropped, modified := d.TableChanges()
	p := postgresPlan{ctx: ctx, to: to, back: back}
	p.dropObjects(d, dropped)
	if err := p.write(&p.main, added...); err != nil {
		return nil, nil, err
	}
	for _, m := range modified {
		if err := p.modify(m); err != nil {
			return nil, nil, err
		}
	}
	if err := p.write(&p.main, dropped...); err != nil {
		return nil, nil, err
	}
	for _, o := range d.Gone.OfKind("function", "extension") {
		if !d.Made.Has(o.Key()) {
			p.main = append(p.main, o.Drop(migrations.Postgres))
		}
	}
	for _, o := range d.Made.OfKind(inspect.Kinds[1:]...) {
		p.main = append(p.main, o.Make)
	}
	return p.main, p.late, nil
}

type postgresPlan struct {
	ctx        context.Context //nolint:containedctx // lives as long as one call of planPostgres
	to         inspect.State
	back       bool
	main, late []string
}

// dropObjects drops the objects of tables, and makes the extensions that new objects need. Dropping a table drops its
// objects too. A changed function is replaced, because triggers depend on it.
func (p *postgresPlan) dropObjects(d inspect.Difference, dropped []schema.Change) {
	for _, o := range d.Made.OfKind("extension") {
		p.main = append(p.main, o.Make)
	}
	for _, o := range d.Gone.OfKind("trigger", "view", "constraint") {
		if !slices.ContainsFunc(dropped, func(c schema.Change) bool { return c.(*schema.DropTable).T.Name == o.Table }) { //nolint:forcetypeassert // see tableChanges
			p.main = append(p.main, o.Drop(migrations.Postgres))
		}
	}
}

func (p *postgresPlan) write(into *[]string, changes ...schema.Change) error {
	if len(changes) == 0 {
		return nil
	}
	out, err := statements(p.ctx, p.to.Driver, changes...)
	*into = append(*into, out...)
	return err
}

// one writes one change of a table.
func (p *postgresPlan) one(into *[]string, t *schema.Table, c schema.Change) error {
	return p.write(into, &schema.ModifyTable{T: t, Changes: []schema.Change{c}})
}

// modify writes the changes of a table that stays: objects that depend on columns go first and come last.
func (p *postgresPlan) modify(m *schema.ModifyTable) error {
	changes := splitModified(m.Changes)
	slices.SortStableFunc(changes, func(a, b schema.Change) int { return rank(a) - rank(b) })
	for _, c := range changes {
		if err := p.change(m.T, c, changes); err != nil {
			return err
		}
	}
	return nil
}

// splitModified turns changes that PostgreSQL can't make in place into a drop and an add.
func splitModified(changes []schema.Change) []schema.Change {
	var out []schema.Change
	for _, c := range changes {
		switch c := c.(type) {
		case *schema.ModifyCheck:
			out = append(out, &schema.DropCheck{C: c.From}, &schema.AddCheck{C: c.To})
		case *schema.ModifyForeignKey:
			out = append(out, &schema.DropForeignKey{F: c.From}, &schema.AddForeignKey{F: c.To})
		case *schema.ModifyIndex:
			out = append(out, &schema.DropIndex{I: c.From}, &schema.AddIndex{I: c.To})
		default:
			out = append(out, c)
		}
	}
	return out
}

// rank orders the changes of one table.
func rank(c schema.Change) int {
	switch c.(type) {
	case *schema.DropForeignKey, *schema.DropCheck:
		return 0
	case *schema.DropIndex:
		return 1
	case *schema.DropColumn:
		return 2
	case *schema.ModifyColumn, *schema.ModifyPrimaryKey, *schema.DropPrimaryKey:
		return 3
	case *schema.AddColumn, *schema.AddPrimaryKey:
		return 4
	case *schema.AddIndex:
		return 5
	default:
		return 6
	}
}

func (p *postgresPlan) change(t *schema.Table, c schema.Change, all []schema.Change) error {
	switch c := c.(type) {
	case *schema.ModifyColumn:
		return p.modifyColumn(t, c)
	case *schema.AddColumn:
		return p.addColumn(t, c)
	case *schema.AddCheck:
		return p.addConstraint(t, c, c.C.Name, &c.Extra)
	case *schema.AddForeignKey:
		return p.addConstraint(t, c, c.F.Symbol, &c.Extra)
	case *schema.DropIndex:
		if isConstraint(c.I) || !p.back && losesColumn(c.I, all) {
			return p.one(&p.main, t, c)
		}
		p.late = append(p.late, "DROP INDEX CONCURRENTLY IF EXISTS "+inspect.Quote(c.I.Name))
		return nil
	case *schema.AddIndex:
		if isConstraint(c.I) || p.back && gainsColumn(c.I, all) {
			return p.one(&p.main, t, c)
		}
		return p.addConcurrently(t, c)
	default:
		return p.one(&p.main, t, c)
	}
}

// addColumn adds a column. A column that comes back on the way down is filled, because its values are gone.
func (p *postgresPlan) addColumn(t *schema.Table, c *schema.AddColumn) error {
	if !needsFiller(c.C) {
		return p.one(&p.main, t, c)
	}
	filled := *c.C
	filled.Default = &schema.RawExpr{X: filler(c.C)}
	if err := p.one(&p.main, t, &schema.AddColumn{C: &filled}); err != nil {
		return err
	}
	p.main = append(p.main, "ALTER TABLE "+inspect.Quote(t.Name)+" ALTER COLUMN "+inspect.Quote(c.C.Name)+" DROP DEFAULT")
	return nil
}

// addConcurrently builds an index while others write.
func (p *postgresPlan) addConcurrently(t *schema.Table, c *schema.AddIndex) error {
	c.Extra = append(c.Extra, &postgres.Concurrently{})
	out, err := statements(p.ctx, p.to.Driver, &schema.ModifyTable{T: t, Changes: []schema.Change{c}})
	for _, statement := range out { // atlas knows no IF NOT EXISTS here
		p.late = append(p.late, strings.Replace(statement, " CONCURRENTLY ", " CONCURRENTLY IF NOT EXISTS ", 1))
	}
	return err
}

// addConstraint adds a CHECK or a foreign key without looking at the rows. A later statement looks at them without
// keeping others from writing.
func (p *postgresPlan) addConstraint(t *schema.Table, c schema.Change, name string, extra *[]schema.Clause) error {
	if !p.back {
		*extra = append(*extra, &postgres.NotValid{})
		p.late = append(p.late, "ALTER TABLE "+inspect.Quote(t.Name)+" VALIDATE CONSTRAINT "+inspect.Quote(name))
	}
	return p.one(&p.main, t, c)
}

// modifyColumn changes type, default and nullability in one statement, so that the table is rewritten once at most.
// NOT NULL is late, because a validated CHECK avoids the scan under an exclusive lock.
func (p *postgresPlan) modifyColumn(t *schema.Table, c *schema.ModifyColumn) error {
	if c.Change.Is(schema.ChangeAttr) || c.Change.Is(schema.ChangeGenerated) {
		return p.one(&p.main, t, c)
	}
	column := "ALTER COLUMN " + inspect.Quote(c.To.Name)
	var clauses []string
	if c.Change.Is(schema.ChangeType) {
		kind, err := postgres.FormatType(c.To.Type.Type)
		if err != nil {
			return err
		}
		if c.From.Default != nil {
			clauses = append(clauses, column+" DROP DEFAULT")
		}
		clause := column + " TYPE " + kind
		if !assignable(c.From.Type.Type, c.To.Type.Type) {
			clause += " USING " + inspect.Quote(c.To.Name) + "::" + kind
		}
		clauses = append(clauses, clause)
	}
	if c.To.Default != nil && (c.Change.Is(schema.ChangeDefault) || c.Change.Is(schema.ChangeType)) {
		clauses = append(clauses, column+" SET DEFAULT "+inspect.Expression(c.To.Default))
	} else if c.Change.Is(schema.ChangeDefault) {
		clauses = append(clauses, column+" DROP DEFAULT")
	}
	alter := "ALTER TABLE " + inspect.Quote(t.Name) + " "
	if c.Change.Is(schema.ChangeNull) {
		clauses = append(clauses, p.changeNull(t, c, alter, column)...)
	}
	if len(clauses) > 0 {
		p.main = append(p.main, alter+strings.Join(clauses, ", "))
	}
	return nil
}

// assignable reports whether PostgreSQL converts the values by itself. It then refuses values that would be cut
// short; a cast in USING does not.
func assignable(from, to schema.Type) bool {
	_, text := to.(*schema.StringType)
	return text || reflect.TypeOf(from) == reflect.TypeOf(to)
}

// changeNull returns the clause that changes nullability at once, or plans the change as a late statement.
func (p *postgresPlan) changeNull(t *schema.Table, c *schema.ModifyColumn, alter, column string) []string {
	to := c.To
	switch {
	case to.Type.Null && !p.back:
		return []string{column + " DROP NOT NULL"}
	case to.Type.Null: // undoes the late NOT NULL
		p.late = append(p.late, alter+column+" DROP NOT NULL")
	case p.back:
		return []string{column + " SET NOT NULL"}
	default:
		check := inspect.Quote(t.Name + "_" + to.Name + "_not_null")
		p.late = append(p.late, alter+"DROP CONSTRAINT IF EXISTS "+check+", ADD CONSTRAINT "+check+" CHECK ("+inspect.Quote(to.Name)+" IS NOT NULL) NOT VALID")
		if backfilled(c.From, to) {
			p.late = append(p.late, "UPDATE "+inspect.Quote(t.Name)+" SET "+inspect.Quote(to.Name)+" = "+inspect.Expression(to.Default)+" WHERE "+inspect.Quote(to.Name)+" IS NULL")
		}
		p.late = append(p.late, alter+"VALIDATE CONSTRAINT "+check, alter+column+" SET NOT NULL", alter+"DROP CONSTRAINT IF EXISTS "+check)
	}
	return nil
}

func isConstraint(i *schema.Index) bool {
	return slices.ContainsFunc(i.Attrs, func(a schema.Attr) bool { _, ok := a.(*postgres.Constraint); return ok })
}

// losesColumn reports whether an index is dropped with one of its columns.
func losesColumn(i *schema.Index, all []schema.Change) bool {
	return slices.ContainsFunc(all, func(c schema.Change) bool {
		drop, ok := c.(*schema.DropColumn)
		return ok && covers(i, drop.C)
	})
}

// gainsColumn reports whether an index needs a column that is added with it.
func gainsColumn(i *schema.Index, all []schema.Change) bool {
	return slices.ContainsFunc(all, func(c schema.Change) bool {
		add, ok := c.(*schema.AddColumn)
		return ok && covers(i, add.C)
	})
}

// covers reports whether an index has a column, or an expression or condition that names it.
func covers(i *schema.Index, column *schema.Column) bool {
	for _, part := range i.Parts {
		if part.C != nil && part.C.Name == column.Name {
			return true
		}
		if raw, ok := part.X.(*schema.RawExpr); ok && strings.Contains(raw.X, column.Name) {
			return true
		}
	}
	return slices.ContainsFunc(i.Attrs, func(a schema.Attr) bool {
		predicate, ok := a.(*postgres.IndexPredicate)
		return ok && strings.Contains(predicate.P, column.Name)
	})
}
