package lint

import (
	"slices"

	"novamind/migrations/lint/pgtree"
)

var (
	unnamedConstraint = Rule{
		"unnamed-constraint", "Constraint or index without a name",
		"the engine makes one up, another on each engine and after a rename; errors and later migrations can't rely on it",
		"CONSTRAINT <table>_<columns>_<pkey|key|fkey|check> …",
	}
	unloggedTable = Rule{
		"unlogged-table", "UNLOGGED table",
		"a crash of PostgreSQL empties it, and neither replicas nor base backups have its rows",
		"leave UNLOGGED out",
	}
	timestampWithoutZone = Rule{
		"timestamp-without-zone", "Column of type timestamp (without time zone)",
		"what it means depends on who reads it; all times here are in UTC",
		"timestamptz(6)",
	}
	dropCascade = Rule{
		"drop-cascade", "DROP … CASCADE, TRUNCATE … CASCADE",
		"it takes along what nobody has listed, on each database something else",
		"name each thing, in an order that needs no CASCADE",
	}
	ifNotExists = Rule{
		"if-not-exists", "CREATE … IF NOT EXISTS, ADD COLUMN IF NOT EXISTS in a file that is run in a transaction",
		"something else of that name passes for the new one",
		"leave it out: the runner knows what it applied",
	}
	truncates = Rule{
		"truncates", "TRUNCATE of a table that exists",
		"all rows are gone, for servers with an older snapshot at once, and past every row trigger",
		"DELETE what is meant, in batches",
	}
)

var namedKinds = []string{"CONSTR_CHECK", "CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_FOREIGN", "CONSTR_EXCLUSION"}

func checkNames(c pgCase) {
	for table, constraint := range newConstraints(c.node) {
		if slices.Contains(namedKinds, constraint.Kind) && constraint.Name == "" {
			c.reportf(unnamedConstraint, c.tree.At(constraint.Location), "a constraint of %s", table)
		}
	}
	if index := c.node.CreateIndex; index != nil && index.Name == "" {
		c.reportf(unnamedConstraint, c.tree.Start, "an index of %s", index.Relation.Full())
	}
}

// newColumns yields the tables and columns that a statement makes.
func newColumns(n pgtree.Node) func(func(string, pgtree.ColumnDef) bool) {
	return func(yield func(string, pgtree.ColumnDef) bool) {
		for table, element := range newElements(n) {
			if element.Column != nil && !yield(table, *element.Column) {
				return
			}
		}
	}
}

// newConstraints yields the tables and constraints that a statement makes, including the constraints of columns.
func newConstraints(n pgtree.Node) func(func(string, pgtree.Constraint) bool) {
	return func(yield func(string, pgtree.Constraint) bool) {
		for table, element := range newElements(n) {
			if element.Constraint != nil && !yield(table, *element.Constraint) {
				return
			}
			if element.Column == nil {
				continue
			}
			for _, constraint := range element.Column.Constraints {
				if !yield(table, constraint) {
					return
				}
			}
		}
	}
}

func newElements(n pgtree.Node) func(func(string, pgtree.Element) bool) {
	return func(yield func(string, pgtree.Element) bool) {
		if n.CreateTable != nil {
			for _, element := range n.CreateTable.Elements {
				if !yield(n.CreateTable.Relation.Full(), element) {
					return
				}
			}
		}
		if n.AlterTable == nil {
			return
		}
		for _, command := range n.AlterTable.Commands {
			if slices.Contains([]string{"AT_AddColumn", "AT_AddConstraint", "AT_AlterColumnType"}, command.Kind) &&
				!yield(n.AlterTable.Relation.Full(), command.Def) {
				return
			}
		}
	}
}

func checkTypes(c pgCase) {
	for table, column := range newColumns(c.node) {
		if base, _ := limits(column.Type.Full()); base == "timestamp" {
			c.reportf(timestampWithoutZone, c.tree.At(column.Type.Location), "%s.%s", table, column.Name)
		}
	}
	var table *pgtree.RangeVar
	switch n := c.node; {
	case n.CreateTable != nil:
		table = &n.CreateTable.Relation
	case n.CreateTableAs != nil:
		table = &n.CreateTableAs.Into.Relation
	case n.AlterTable != nil && slices.ContainsFunc(n.AlterTable.Commands, func(a pgtree.AlterCommand) bool { return a.Kind == "AT_SetUnLogged" }):
		c.reportf(unloggedTable, c.tree.Start, "%s", n.AlterTable.Relation.Full())
	}
	if table != nil && table.Persistence == "u" {
		c.reportf(unloggedTable, c.tree.Start, "%s", table.Full())
	}
}

func checkDrops(c pgCase) {
	const cascade = "DROP_CASCADE"
	cascades := c.node.Drop != nil && c.node.Drop.Behavior == cascade
	if truncate := c.node.Truncate; truncate != nil {
		cascades = truncate.Behavior == cascade
		for _, relation := range truncate.Relations {
			if c.exists(relation.RangeVar) {
				c.reportf(truncates, c.tree.Start, "%s", relation.RangeVar.Full())
			}
		}
	}
	if alter := c.node.AlterTable; alter != nil {
		cascades = slices.ContainsFunc(alter.Commands, func(a pgtree.AlterCommand) bool { return a.Behavior == cascade })
	}
	if cascades {
		c.reportf(dropCascade, c.tree.Start, "what it takes along is not written here")
	}
}

func checkExistence(c pgCase) {
	if !c.run.file.transaction {
		return // such files need repeatable statements
	}
	switch n := c.node; {
	case n.CreateTable != nil && n.CreateTable.IfNotExists,
		n.CreateTableAs != nil && n.CreateTableAs.IfNotExists,
		n.CreateIndex != nil && n.CreateIndex.IfNotExists,
		n.AlterTable != nil && slices.ContainsFunc(n.AlterTable.Commands, func(a pgtree.AlterCommand) bool { return a.Kind == "AT_AddColumn" && a.IfExists }):
		c.reportf(ifNotExists, c.tree.Start, "it may already exist, and be something else")
	}
}
