package lint

import "novamind/migrations/lint/pgtree"

var notRepeatable = Rule{
	"not-repeatable", "Statement in a file without a transaction that fails when it is executed again",
	"a run that was interrupted begins with the first statement again, so the version could never be finished",
	"IF NOT EXISTS, IF EXISTS, ON CONFLICT; DROP CONSTRAINT IF EXISTS before ADD CONSTRAINT",
}

func checkRepeatable(c pgCase) {
	if c.run.file.transaction {
		return
	}
	what := unrepeatable(c.node)
	if c.node.AlterTable != nil {
		what = c.unrepeatableAlter(*c.node.AlterTable)
	}
	if what != "" {
		c.reportf(notRepeatable, c.tree.Start, "%s", what)
	}
}

// unrepeatable returns the part of a statement that can't be executed twice, or "".
func unrepeatable(n pgtree.Node) string {
	switch {
	case n.CreateIndex != nil && !n.CreateIndex.IfNotExists:
		return "CREATE INDEX without IF NOT EXISTS"
	case n.CreateTable != nil && !n.CreateTable.IfNotExists, n.CreateTableAs != nil && !n.CreateTableAs.IfNotExists:
		return "CREATE TABLE without IF NOT EXISTS"
	case n.CreateTrigger != nil && !n.CreateTrigger.Replace:
		return "CREATE TRIGGER without OR REPLACE"
	case n.CreateFunction != nil && !n.CreateFunction.Replace:
		return "CREATE FUNCTION without OR REPLACE"
	case n.Drop != nil && !n.Drop.IfExists:
		return "DROP without IF EXISTS"
	}
	switch n.Kind {
	case "RenameStmt", "AlterObjectSchemaStmt":
		return "a rename"
	case "InsertStmt":
		if !n.OnConflict {
			return "INSERT without ON CONFLICT"
		}
	}
	return ""
}

// unrepeatableAlter returns the first command of an ALTER TABLE that can't be executed twice, or "".
func (c pgCase) unrepeatableAlter(alter pgtree.AlterTable) string {
	for _, command := range alter.Commands {
		o := object{constraints, alter.Relation.Full(), command.Name}
		switch command.Kind {
		case "AT_AddColumn":
			if !command.IfExists {
				return "ADD COLUMN without IF NOT EXISTS"
			}
		case "AT_DropColumn", "AT_DropConstraint":
			if !command.IfExists {
				return "DROP without IF EXISTS"
			}
			c.run.dropped[o] = true
		case "AT_AddConstraint":
			if command.Def.Constraint == nil {
				continue
			}
			if o.Name = command.Def.Constraint.Name; !c.run.dropped[o] {
				return "ADD CONSTRAINT, which may be there already"
			}
		}
	}
	return ""
}
