package lint

import "novamind/migrations/lint/pgtree"

var (
	indexNotConcurrently = Rule{
		"index-not-concurrently", "CREATE INDEX without CONCURRENTLY on a table that exists",
		"nobody writes to the table until the index is built",
		"CREATE INDEX CONCURRENTLY in a file of its own with `-- migrate:no-transaction`",
	}
	dropIndexNotConcurrently = Rule{
		"drop-index-not-concurrently", "DROP INDEX without CONCURRENTLY",
		"it waits for every query of the table, and every later one waits behind it",
		"DROP INDEX CONCURRENTLY in a file of its own with `-- migrate:no-transaction`",
	}
	inTransaction = Rule{
		"concurrently-in-transaction", "CONCURRENTLY, VACUUM or the like in a file that is run in a transaction",
		"PostgreSQL refuses it there",
		"move it to a file of its own that begins with `-- migrate:no-transaction`",
	}
)

func checkIndexes(c pgCase) {
	if index := c.node.CreateIndex; index != nil && !index.Concurrent && c.exists(index.Relation) {
		c.reportf(indexNotConcurrently, c.tree.Start, "%s of %s", nameOr(index.Name, "an index"), index.Relation.Full())
	}
	drop := c.node.Drop
	if drop == nil || drop.Kind != "OBJECT_INDEX" || drop.Concurrent {
		return
	}
	for _, name := range drop.Names() {
		if table := c.run.tableOfIndex(name.Full()); !c.run.created[table] {
			c.reportf(dropIndexNotConcurrently, c.tree.Start, "%s", name.Full())
		}
	}
}

func nameOr(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// tableOfIndex returns the table that an index belongs to, or "".
func (p *postgres) tableOfIndex(name string) string {
	for o := range p.schema {
		if o.Kind == indexes && o.Name == name {
			return o.Table
		}
	}
	return ""
}

func checkInTransaction(c pgCase) {
	if c.run.file.transaction && outsideTransactions(c.node) {
		c.reportf(inTransaction, c.tree.Start, "it can't run in a transaction")
	}
}

func outsideTransactions(n pgtree.Node) bool {
	switch {
	case n.CreateIndex != nil:
		return n.CreateIndex.Concurrent
	case n.Drop != nil:
		return n.Drop.Concurrent
	case n.Reindex != nil:
		return n.Reindex.Has("concurrently")
	case n.AlterTable != nil:
		for _, command := range n.AlterTable.Commands {
			if command.Def.Partition != nil && command.Def.Partition.Concurrent {
				return true
			}
		}
		return false
	}
	switch n.Kind {
	case "VacuumStmt", "CreatedbStmt", "DropdbStmt", "AlterSystemStmt", "CreateTableSpaceStmt", "DropTableSpaceStmt":
		return n.Vacuum == nil || !onlyAnalyzes(n)
	default:
		return false
	}
}

// onlyAnalyzes recognises ANALYZE, which the grammar has as a kind of VACUUM.
func onlyAnalyzes(n pgtree.Node) bool { return !n.Vacuum.IsVacuum }
