package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"novamind/migrations/lint/pgtree"
)

var (
	setNotNull = Rule{
		"set-not-null", "SET NOT NULL without a validated CHECK that says so already",
		"the whole table is read while nobody else may read or write it",
		"ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID; VALIDATE it in the next file; then SET NOT NULL reads nothing",
	}
	foreignKeyNotValid = Rule{
		"foreign-key-not-valid", "Foreign key added to a table that exists without NOT VALID",
		"every row is looked up while neither of the two tables can be written",
		"add it NOT VALID, and VALIDATE CONSTRAINT in the next file",
	}
	checkNotValid = Rule{
		"check-not-valid", "CHECK added to a table that exists without NOT VALID, also with a new column",
		"every row is read while nobody else may read or write the table",
		"add it NOT VALID, and VALIDATE CONSTRAINT in the next file; of a new column apart from the column",
	}
	validateTogether = Rule{
		"validate-in-same-transaction", "VALIDATE CONSTRAINT in the transaction that added the constraint",
		"the lock of the ALTER TABLE is held while every row is read: NOT VALID has gained nothing",
		"validate in the next file",
	}
	uniqueBuildsIndex = Rule{
		"unique-builds-index", "UNIQUE, PRIMARY KEY or EXCLUDE added to a table that exists",
		"its index is built while nobody else may read or write the table",
		"CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX",
	}
	volatileDefault = Rule{
		"volatile-default", "New column whose default differs from row to row: volatile, identity, serial or stored",
		"every row is rewritten while nobody else may read or write the table; a constant is stored once",
		"add the column without, SET DEFAULT for new rows, and fill the old ones in batches",
	}
	typeRewrite = Rule{
		"type-rewrite", "Change of a column's type that rewrites the table, or may",
		"every row and index is rewritten while nobody else may read or write the table",
		"add a column of the new type, write both, fill in batches, and drop the old one a release later",
	}
)

func checkAlter(c pgCase) {
	alter := c.node.AlterTable
	if alter == nil || alter.ObjectType != "OBJECT_TABLE" || !c.exists(alter.Relation) {
		return
	}
	for _, command := range alter.Commands {
		switch command.Kind {
		case "AT_AddColumn":
			if command.Def.Column != nil {
				checkNewColumn(c, alter.Relation.Full(), *command.Def.Column)
			}
		case "AT_AddConstraint":
			if command.Def.Constraint != nil {
				checkNewConstraint(c, alter.Relation.Full(), *command.Def.Constraint)
			}
		case "AT_SetNotNull":
			if !c.run.schema.neverNull(alter.Relation.Full(), command.Name) {
				c.reportf(setNotNull, c.tree.Start, "%s.%s", alter.Relation.Full(), command.Name)
			}
		case "AT_AlterColumnType":
			checkNewType(c, alter.Relation.Full(), command)
		case "AT_ValidateConstraint":
			o := object{Kind: constraints, Table: alter.Relation.Full(), Name: command.Name}
			if _, older := c.run.file.before[o]; !older && c.run.file.transaction {
				c.reportf(validateTogether, c.tree.Start, "%s", o)
			}
		}
	}
}

// neverNull reports whether a validated CHECK guarantees that a column is not NULL.
func (s schema) neverNull(table, column string) bool {
	return slices.ContainsFunc(s.of(table, constraints), func(o object) bool { return s[o].NotNull == column && s[o].Validated })
}

func checkNewConstraint(c pgCase, table string, constraint pgtree.Constraint) {
	at := c.tree.At(constraint.Location)
	subject := table + "." + nameOr(constraint.Name, "(unnamed)")
	switch constraint.Kind {
	case "CONSTR_FOREIGN":
		if !constraint.NotValid {
			c.reportf(foreignKeyNotValid, at, "%s", subject)
		}
	case "CONSTR_CHECK":
		if !constraint.NotValid {
			c.reportf(checkNotValid, at, "%s", subject)
		}
	case "CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION":
		if constraint.IndexName == "" {
			c.reportf(uniqueBuildsIndex, at, "%s", subject)
		}
	}
}

func checkNewColumn(c pgCase, table string, column pgtree.ColumnDef) {
	filled := false // with a value other than NULL, so that rows have to be read
	for _, constraint := range column.Constraints {
		filled = filled || constraint.Kind == "CONSTR_DEFAULT" && !pgtree.IsNull(constraint.Expr)
	}
	for _, constraint := range column.Constraints {
		at := c.tree.At(constraint.Location)
		subject := table + "." + column.Name
		switch constraint.Kind {
		case "CONSTR_FOREIGN":
			if filled {
				c.reportf(foreignKeyNotValid, at, "%s, with a default", subject)
			}
		case "CONSTR_CHECK":
			c.reportf(checkNotValid, at, "%s", subject)
		case "CONSTR_UNIQUE", "CONSTR_PRIMARY":
			c.reportf(uniqueBuildsIndex, at, "%s", subject)
		case "CONSTR_IDENTITY", "CONSTR_GENERATED":
			c.reportf(volatileDefault, at, "%s is made for each row", subject)
		case "CONSTR_DEFAULT":
			checkDefault(c, at, subject, constraint.Expr)
		}
	}
	if strings.Contains(column.Type.Full(), "serial") {
		c.reportf(volatileDefault, c.tree.At(column.Location), "%s.%s is a serial", table, column.Name)
	}
}

// sameForEveryRow are the functions that give one value for all rows of a statement. volatile are functions that give
// another value each time.
var (
	sameForEveryRow = []string{
		"now", "transaction_timestamp", "statement_timestamp", "current_setting", "current_schema", "current_database", "pg_backend_pid",
		"jsonb_build_object", "json_build_object", "jsonb_build_array", "json_build_array", "to_jsonb", "to_json", "coalesce", "lower", "upper", "md5",
		"encode", "decode", "convert_to", "sha256", "host", "inet_client_addr", "timezone", "date_trunc", "make_interval", "concat", "length", "repeat",
		"pg_current_xact_id", "txid_current",
	}
	volatile = []string{"random", "gen_random_uuid", "uuid_generate_v4", "uuidv4", "uuidv7", "clock_timestamp", "timeofday", "nextval", "gen_random_bytes"}
)

func checkDefault(c pgCase, at int, subject string, expr pgtree.Expr) {
	for _, name := range pgtree.Functions(expr) {
		switch {
		case slices.Contains(volatile, name):
			c.reportf(volatileDefault, at, "%s calls %s", subject, name)
		case !slices.Contains(sameForEveryRow, name):
			c.reportf(notJudged, at, "the default of %s calls %s, which may give another value for each row", subject, name)
		}
	}
}

func checkNewType(c pgCase, table string, command pgtree.AlterCommand) {
	if command.Def.Column == nil {
		return
	}
	o := object{Kind: columns, Table: table, Name: command.Name}
	from, to := c.run.schema[o].Type, command.Def.Column.Type.Full()
	if command.Def.Column.Using == nil && keepsRows(from, to) {
		return
	}
	c.reportf(typeRewrite, c.tree.Start, "%s from %s to %s", o, nameOr(from, "a type not known here"), to)
}

// keepsRows reports whether PostgreSQL changes a type without touching rows: only a limit is removed or grows.
func keepsRows(from, to string) bool {
	fromBase, fromLimit := limits(from)
	toBase, toLimit := limits(to)
	switch {
	case from == to:
		return true
	case fromBase == "varchar" && toBase == "text", fromBase == "text" && toBase == "varchar" && toLimit == nil, fromBase == "cidr" && toBase == "inet":
		return true
	case fromBase != toBase || !slices.Contains([]string{"varchar", "varbit", "numeric", "timestamptz", "timestamp", "timetz", "time", "interval"}, toBase):
		return false
	case toLimit == nil:
		return true
	case len(fromLimit) != len(toLimit):
		return false
	case toBase == "numeric" && len(toLimit) == 2 && fromLimit[1] != toLimit[1]: // the scale
		return false
	default:
		return fromLimit[0] <= toLimit[0]
	}
}

func limits(name string) (base string, limit []int) {
	base, rest, found := strings.Cut(name, "(")
	if !found {
		return base, nil
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(rest, ")"), ",") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return fmt.Sprintf("%s(?)", base), nil
		}
		limit = append(limit, n)
	}
	return base, limit
}
