package lint

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"novamind/migrations/lint/pgtree"
)

var (
	lockTimeout = Rule{
		"lock-timeout", "lock_timeout switched off, or of more than a minute",
		"while the statement waits behind a long query, every other query of the table waits behind it",
		"leave alone what the runner sets before every file: 5 seconds, and another try",
	}
	locksTable = Rule{
		"locks-table", "LOCK, CLUSTER, VACUUM FULL, REINDEX without CONCURRENTLY, SET TABLESPACE, SET LOGGED",
		"the table is rewritten or held while nobody else may use it",
		"do it outside a migration, at an hour of your choice, or with a tool that works beside the traffic",
	}
	backfillWithDDL = Rule{
		"backfill-with-ddl", "Rows read or changed in the transaction of a DDL statement on a table that exists",
		"the lock of the DDL is held until the last row is done",
		"change the schema in one file and the rows in the next, in batches",
	}
	wholeTable = Rule{
		"whole-table-update", "UPDATE or DELETE without WHERE on a table that exists",
		"every row is locked until the end, and the table grows to twice its size",
		"in batches by primary key, each its own transaction (`-- migrate:no-transaction`)",
	}
)

// longest is the greatest useful lock_timeout.
const longest = time.Minute

func checkLockTimeout(c pgCase) {
	if set := c.node.SetVariable; set != nil {
		c.setTimeout(*set)
		return
	}
	if slices.Contains(pgtree.Functions(c.node.Raw), "set_config") && strings.Contains(string(c.node.Raw), "lock_timeout") {
		c.reportf(lockTimeout, c.tree.Start, "set_config changes lock_timeout where the lint can't follow")
	}
	if c.run.timeout {
		return
	}
	for _, table := range c.locked() {
		if !c.run.created[table] {
			c.reportf(lockTimeout, c.tree.Start, "%s is locked without a lock_timeout", table)
		}
	}
}

func (c pgCase) setTimeout(set pgtree.SetVariable) {
	if set.Kind != "VAR_RESET_ALL" && set.Name != "lock_timeout" {
		return
	}
	value := ""
	if len(set.Args) == 1 {
		value = pgtree.Constant(set.Args[0])
	}
	timeout, ok := duration(value)
	switch {
	case set.Local && !c.run.file.transaction:
		c.reportf(lockTimeout, c.tree.Start, "SET LOCAL has no effect outside a transaction")
	case set.Kind != "VAR_SET_VALUE" || !ok || timeout == 0:
		c.run.timeout = false
		c.reportf(lockTimeout, c.tree.Start, "lock_timeout is switched off")
	case timeout > longest:
		c.reportf(lockTimeout, c.tree.Start, "a lock_timeout of %s", timeout)
	default:
		c.run.timeout = true
	}
}

// duration reads a time in the form of PostgreSQL's settings; a bare number is milliseconds.
func duration(value string) (time.Duration, bool) {
	value = strings.ReplaceAll(value, " ", "")
	if n, err := strconv.Atoi(value); err == nil {
		return time.Duration(n) * time.Millisecond, true
	}
	d, err := time.ParseDuration(strings.Replace(value, "min", "m", 1))
	return d, err == nil
}

// locked returns the tables that a statement locks against writers or readers.
func (c pgCase) locked() []string {
	switch n := c.node; {
	case n.AlterTable != nil:
		if n.AlterTable.ObjectType == "OBJECT_TABLE" && slices.ContainsFunc(n.AlterTable.Commands, locks) {
			return append(referenced(n), n.AlterTable.Relation.Full())
		}
	case n.CreateTable != nil:
		return referenced(n)
	case n.CreateIndex != nil && !n.CreateIndex.Concurrent:
		return []string{n.CreateIndex.Relation.Full()}
	case n.CreateTrigger != nil:
		return []string{n.CreateTrigger.Relation.Full()}
	case n.Rename != nil && n.Rename.Kind != "OBJECT_INDEX":
		return []string{n.Rename.Relation.Full()}
	case n.SetSchema != nil:
		return []string{n.SetSchema.Relation.Full()}
	case n.Drop != nil:
		return c.lockedByDrop(*n.Drop)
	case n.Kind == "LockStmt" || n.Kind == "TruncateStmt":
		return pgtree.Reads(n.Raw)
	}
	return nil
}

func (c pgCase) lockedByDrop(drop pgtree.Drop) []string {
	var names []string
	for _, name := range drop.Names() {
		switch drop.Kind {
		case "OBJECT_TABLE":
			names = append(names, name.Full())
		case "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE":
			names = append(names, name[:len(name)-1].Full())
		case "OBJECT_INDEX":
			if table := c.run.tableOfIndex(name.Full()); !drop.Concurrent && table != "" {
				names = append(names, table)
			}
		}
	}
	return names
}

// locks reports whether a command of ALTER TABLE keeps writers out.
func locks(command pgtree.AlterCommand) bool {
	return !slices.Contains([]string{"AT_ValidateConstraint", "AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions", "AT_SetRelOptions", "AT_ResetRelOptions"}, command.Kind)
}

// referenced returns the tables that new foreign keys refer to. They get a trigger each, so nobody can write to them
// meanwhile.
func referenced(n pgtree.Node) []string {
	var names []string
	for _, constraint := range newConstraints(n) {
		if constraint.Kind == "CONSTR_FOREIGN" {
			names = append(names, constraint.Table.Full())
		}
	}
	return names
}

func checkHeavy(c pgCase) {
	var heavy bool
	switch n := c.node; {
	case n.Vacuum != nil:
		heavy = n.Vacuum.Has("full")
	case n.Reindex != nil:
		heavy = !n.Reindex.Has("concurrently")
	case n.AlterTable != nil:
		heavy = c.exists(n.AlterTable.Relation) && slices.ContainsFunc(n.AlterTable.Commands, func(a pgtree.AlterCommand) bool {
			return slices.Contains([]string{"AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod"}, a.Kind)
		})
	default:
		heavy = slices.Contains([]string{"LockStmt", "ClusterStmt"}, n.Kind)
	}
	if heavy {
		c.reportf(locksTable, c.tree.Start, "nobody else may use the table meanwhile")
	}
}

func checkRows(c pgCase) {
	for _, table := range pgtree.Unbounded(c.node.Raw) {
		if c.exists(table) {
			c.reportf(wholeTable, c.tree.Start, "%s", table.Full())
		}
	}
	if !slices.ContainsFunc(pgtree.Kinds(c.node.Raw), func(kind string) bool {
		return slices.Contains([]string{"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt"}, kind)
	}) {
		return
	}
	for _, table := range append(pgtree.Reads(c.node.Raw), pgtree.Changes(c.node.Raw)...) {
		if c.run.schema.has(table) && !c.run.created[table] { // other names, such as a WITH's, are unknown
			c.run.rows = append(c.run.rows, c)
			return
		}
	}
}

// judgeBackfills runs after the whole file was read, because the lock may be taken after the rows.
func (r *pgRun) judgeBackfills() {
	if !r.file.transaction || len(r.locks) == 0 {
		return
	}
	for _, c := range r.rows {
		c.reportf(backfillWithDDL, c.tree.Start, "rows of a table that exists, while %s is locked", strings.Join(r.locks, ", "))
	}
}
