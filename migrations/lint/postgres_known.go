package lint

import (
	"bytes"
	"slices"

	"novamind/migrations/lint/pgtree"
)

// knownKinds are the statements that the rules understand, or that contain nothing to judge.
var knownKinds = []string{
	"AlterFunctionStmt", "AlterObjectSchemaStmt", "AlterTableStmt", "CallStmt", "ClusterStmt", "CommentStmt", "CreateEnumStmt", "CreateExtensionStmt",
	"CreateFunctionStmt", "CreateStmt", "CreateTableAsStmt", "CreateTrigStmt", "DeleteStmt", "DropStmt", "GrantStmt", "IndexStmt", "InsertStmt", "LockStmt", "ReindexStmt",
	"RenameStmt", "SelectStmt", "TransactionStmt", "TruncateStmt", "UpdateStmt", "VacuumStmt", "VariableSetStmt", "ViewStmt",
}

// knownSettings are the settings that a migration may change.
var knownSettings = []string{"lock_timeout", "statement_timeout", "search_path"}

// checkKnown reports statements that no other rule looks at.
func checkKnown(c pgCase) {
	switch n := c.node; {
	case !slices.Contains(knownKinds, n.Kind):
		c.reportf(notJudged, c.tree.Start, "no rule looks at statements of this kind (%s)", n.Kind)
	case n.SetVariable != nil && !slices.Contains(knownSettings, n.SetVariable.Name):
		c.reportf(notJudged, c.tree.Start, "the setting %s", n.SetVariable.Name)
	case n.Kind == "GrantStmt" && bytes.Contains(n.Raw, []byte(`"ROLESPEC_PUBLIC"`)) && bytes.Contains(n.Raw, []byte(`"is_grant":true`)):
		c.reportf(notJudged, c.tree.Start, "a right for everybody who can connect")
	case n.CreateTableAs != nil && n.CreateTableAs.Into.Relation.Persistence != "t":
		c.reportf(notJudged, c.tree.Start, "the columns of %s are not written here", n.CreateTableAs.Into.Relation.Full())
	case n.CreateTable != nil && n.CreateTable.Relation.Persistence != "t" &&
		(slices.Contains(pgtree.Kinds(n.Raw), "TableLikeClause") || bytes.Contains(n.Raw, []byte(`"inhRelations"`))):
		c.reportf(notJudged, c.tree.Start, "columns of %s are those of another table", n.CreateTable.Relation.Full())
	case n.AlterTable != nil && slices.ContainsFunc(n.AlterTable.Commands, func(command pgtree.AlterCommand) bool { return command.Kind == "AT_AddInherit" }):
		c.reportf(notJudged, c.tree.Start, "%s is read with another table", n.AlterTable.Relation.Full())
	}
}
