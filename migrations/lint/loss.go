package lint

import (
	"context"
	"slices"
	"strings"

	"novamind/migrations"
	"novamind/migrations/lint/pgtree"
	"novamind/migrations/script"
)

// Loss is a table that a down file drops or empties, or a column that it drops. The names are the names at the file's
// beginning.
type Loss struct {
	Table, Column string // Column is "" for the table
	Sealed        bool   // the column is sealed or its table has sealed columns; or the table has sealed columns
}

// Table is a table with its columns.
type Table struct {
	Name    string
	Columns []string
	Sealed  bool // it has sealed columns
}

// Undoing is the losses of one down file.
type Undoing struct {
	ID     string // of the migration
	Losses []Loss
	Had    []Table // the tables before it
	Stays  []Table // the tables that keep their names
	// Unsure is set if a statement may take away more than its text tells, and migrations.Drops declares nothing.
	Unsure bool
	// Unheld is set if the runner executes the file without a transaction, and a statement does more than make or
	// drop indexes or validate.
	Unheld bool
}

// Losses returns the losses of undoing the migrations from index from (-1: none) down to index to, without the
// migration at to, the newest first.
func Losses(ctx context.Context, set migrations.Set, from, to int) ([]Undoing, error) {
	var ups, downs []*file
	for i, m := range set.Migrations[:from+1] {
		ups = append(ups, newFile(m, set.Engine, "up"))
		if i > to {
			downs = append(downs, newFile(m, set.Engine, "down"))
		}
	}
	slices.Reverse(downs)
	follow := followPostgres
	if set.Engine == migrations.SQLite {
		follow = followSQLite
	}
	if err := follow(ctx, ups, downs); err != nil {
		return nil, err
	}
	undoings := make([]Undoing, 0, len(downs))
	for i, f := range downs {
		u := Undoing{ID: set.Migrations[from-i].ID, Losses: f.losses()}
		declared := f.declared()
		u.Losses = append(u.Losses, declared...)
		u.Unsure = f.unsure && !f.says(migrations.Drops, func(what string) bool { return what != "" })
		u.Had, u.Stays = f.staying(f.before), f.staying(f.after)
		u.Unheld = !f.transaction && !harmless(f.text)
		undoings = append(undoings, u)
	}
	return undoings, nil
}

func followPostgres(_ context.Context, ups, downs []*file) error {
	p := &postgres{schema: schema{}, functions: map[string]bool{}}
	for _, f := range ups {
		p.run(f, nil)
	}
	for _, f := range downs {
		p.run(f, []func(pgCase){checkHidden, checkUntold})
		f.unsure = f.unsure || len(f.findings) > 0
	}
	return nil
}

var harmlessCommands = []string{"AT_AddConstraint", "AT_DropConstraint", "AT_ValidateConstraint", "AT_SetNotNull", "AT_DropNotNull"}

// harmless reports whether no statement of a PostgreSQL file can take away rows or values.
func harmless(text string) bool {
	for _, s := range pgtree.Parse(text) {
		n := s.Node
		alter := n.AlterTable != nil && n.AlterTable.ObjectType == "OBJECT_TABLE" && !slices.ContainsFunc(n.AlterTable.Commands, func(command pgtree.AlterCommand) bool {
			return !slices.Contains(harmlessCommands, command.Kind)
		})
		drop := n.Drop != nil && n.Drop.Kind == "OBJECT_INDEX" && n.Drop.Behavior != "DROP_CASCADE"
		if s.Problem != nil || !alter && !drop && n.CreateIndex == nil && n.SetVariable == nil {
			return false
		}
	}
	return true
}

// run follows the schema through a file.
func (p *postgres) run(f *file, checks []func(pgCase)) {
	f.before = p.schema.clone()
	run := &pgRun{postgres: p, file: f, created: map[string]bool{}, dropped: map[object]bool{}, timeout: true}
	for _, s := range pgtree.Parse(f.text) {
		run.statement(s, checks)
	}
	f.after = p.schema.clone()
}

// told are the kinds of objects whose dropping, even with CASCADE, takes away only the named tables and columns.
var told = []string{
	"OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_TRIGGER", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_RULE", "OBJECT_POLICY", "OBJECT_FUNCTION",
}

// checkUntold notes statements that take away tables, columns or rows without a sign in the schema, and the emptied
// tables.
func checkUntold(c pgCase) {
	f, known := c.run.file, c.run.schema
	f.unsure = f.unsure || untold(c.node, known)
	if c.node.Kind == "DeleteStmt" {
		f.empties(c.node.Update.Relation.Full(), known)
	}
	if c.node.Truncate != nil {
		for _, relation := range c.node.Truncate.Relations {
			f.empties(relation.RangeVar.Full(), known)
		}
	}
}

func untold(n pgtree.Node, known schema) bool {
	switch {
	case n.Drop != nil && n.Drop.Kind == "OBJECT_TABLE":
		return slices.ContainsFunc(n.Drop.Names(), func(name pgtree.Names) bool { return !known.has(name.Full()) })
	case n.Drop != nil:
		return n.Drop.Behavior == "DROP_CASCADE" && !slices.Contains(told, n.Drop.Kind)
	case n.AlterTable != nil:
		return n.AlterTable.ObjectType == "OBJECT_TABLE" && !known.has(n.AlterTable.Relation.Full()) &&
			slices.ContainsFunc(n.AlterTable.Commands, func(command pgtree.AlterCommand) bool { return command.Kind == "AT_DropColumn" })
	case n.Truncate != nil:
		return n.Truncate.Behavior == "DROP_CASCADE"
	default:
		return n.Kind == "DropOwnedStmt" || n.SetSchema != nil
	}
}

func followSQLite(ctx context.Context, ups, downs []*file) error {
	l, stop, err := openSQLite(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for _, f := range append(ups, downs...) {
		f.before = l.schema.clone()
		ok, err := l.execute(ctx, f, []func(*file, script.Statement){
			tokensOfCopy, func(f *file, s script.Statement) { tokensOfDelete(f, s, l.schema) },
		})
		if err != nil {
			return err
		}
		f.unsure = !ok
		f.after = l.schema.clone()
	}
	return nil
}

// tokensOfCopy notes the columns that INSERT … SELECT copies unchanged: a rebuild may give them another name.
func tokensOfCopy(f *file, s script.Statement) {
	list := slices.IndexFunc(s.Tokens, func(t script.Token) bool { return t.Is("SELECT") })
	from := slices.IndexFunc(s.Tokens, func(t script.Token) bool { return t.Is("FROM") })
	if !s.Begins("INSERT", "INTO") || list < 0 || from < list || from+1 >= len(s.Tokens) {
		return
	}
	for i := list + 1; i < from; i++ {
		alone := (i == list+1 || s.Tokens[i-1].Is(",")) && (i+1 == from || s.Tokens[i+1].Is(","))
		if alone {
			f.copied = append(f.copied, object{columns, strings.ToLower(s.Tokens[from+1].Name()), strings.ToLower(s.Tokens[i].Name())})
		}
	}
}

// tokensOfDelete notes the tables whose rows a statement deletes.
func tokensOfDelete(f *file, s script.Statement, known schema) {
	if s.Begins("CREATE") {
		return
	}
	for i := 0; i+2 < len(s.Tokens); i++ {
		if s.Tokens[i].Is("DELETE") && s.Tokens[i+1].Is("FROM") {
			f.empties(strings.ToLower(s.Tokens[i+2].Name()), known)
		}
	}
}

// take is an object that a statement takes away, under its name at that time and under its name at the file's
// beginning.
type take struct {
	now, first object
	sealed     bool
	emptied    bool // its rows go, and the table stays
}

// empties notes that rows of a table are removed.
func (f *file) empties(table string, known schema) {
	if known.has(table) {
		o := object{Kind: tables, Table: table}
		f.taken = append(f.taken, take{o, f.first(o), known.concernsPatients(table), true})
	}
}

// takes notes the tables and columns that are gone after a statement. If the statement renames, it notes their new
// names.
func (f *file) takes(before, after schema, renames bool) {
	gone := after.lost(before)
	if renames {
		f.renames(gone, before.lost(after))
		return
	}
	for _, o := range gone {
		if o.Kind == tables || o.Kind == columns && after.has(o.Table) {
			sealed := before.concernsPatients(o.Table)
			f.taken = append(f.taken, take{o, f.first(o), sealed, false})
		}
	}
}

// renames notes the first name of a renamed table or column.
func (f *file) renames(gone, come []object) {
	of := func(all []object, k kind) []object {
		return slices.DeleteFunc(slices.Clone(all), func(o object) bool { return o.Kind != k })
	}
	old, now := of(gone, tables), of(come, tables)
	if len(old) == 0 {
		old, now = of(gone, columns), of(come, columns)
	}
	if len(old) != 1 || len(now) != 1 {
		return
	}
	if first := f.first(old[0]); f.before.has(first.Table) { // otherwise the file made it
		f.called[now[0]] = first
	}
}

// first returns the name of an object at the file's beginning.
func (f *file) first(o object) object {
	if was, ok := f.called[o]; ok {
		return was
	}
	if was, ok := f.called[object{Kind: tables, Table: o.Table}]; ok {
		o.Table = was.Table
	}
	return o
}

// losses returns the objects that were there before the file and are not after it. An object that was made anew, as a
// table that SQLite rebuilds, is not lost.
func (f *file) losses() []Loss {
	var losses []Loss
	for _, t := range f.taken {
		_, was := f.before[t.first]
		_, again := f.after[t.now]
		loss := Loss{Table: t.first.Table, Column: t.first.Name, Sealed: t.sealed || f.before.concernsPatients(t.first.Table)}
		if was && (t.emptied || !again) && !slices.Contains(losses, loss) {
			losses = append(losses, loss)
		}
	}
	return f.withRebuilt(losses)
}

// withRebuilt adds the columns that a rebuilt table no longer has.
func (f *file) withRebuilt(losses []Loss) []Loss {
	for _, o := range f.after.lost(f.before) {
		if o.Kind == columns && f.rebuilt(o.Table) && !slices.Contains(f.copied, o) {
			losses = append(losses, Loss{Table: o.Table, Column: o.Name, Sealed: f.before.concernsPatients(o.Table)})
		}
	}
	return losses
}

// staying returns the tables that were there before the file and are in a schema, with their columns that are in
// both.
func (f *file) staying(in schema) []Table {
	var all []Table
	for o := range f.before {
		if o.Kind != tables || !in.has(o.Table) {
			continue
		}
		t := Table{Name: o.Table, Sealed: f.before.concernsPatients(o.Table)}
		for _, c := range f.before.of(o.Table, columns) {
			if _, still := in[c]; still {
				t.Columns = append(t.Columns, c.Name)
			}
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// declared returns the losses that the file declares. The schema tells which of them are sealed.
func (f *file) declared() []Loss {
	var losses []Loss
	for _, d := range f.directives {
		if d.Name != migrations.Drops || !d.Alone {
			continue
		}
		for what := range strings.FieldsSeq(d.Argument) {
			if strings.EqualFold(what, migrations.Nothing) {
				continue
			}
			table, column, _ := strings.Cut(what, ".")
			losses = append(losses, Loss{Table: table, Column: column, Sealed: f.before.concernsPatients(table)})
		}
	}
	return losses
}
