package pgtree

import (
	"encoding/json"
	"slices"
	"strconv"
)

// walk calls visit for each node in a part of a tree: its kind and its body.
func walk(part json.RawMessage, visit func(kind string, body json.RawMessage)) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(part, &fields) == nil {
		for _, name := range sortedKeys(fields) {
			if name[0] >= 'A' && name[0] <= 'Z' { // fields begin with a small letter
				visit(name, fields[name])
			}
			walk(fields[name], visit)
		}
		return
	}
	var list []json.RawMessage
	if json.Unmarshal(part, &list) == nil {
		for _, item := range list {
			walk(item, visit)
		}
	}
}

func sortedKeys(fields map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(fields))
	for key := range fields {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Functions returns the names of the functions that a part of a tree calls.
func Functions(part json.RawMessage) []string {
	var names []string
	walk(part, func(kind string, body json.RawMessage) {
		var call struct {
			Funcname Names
		}
		if kind == "FuncCall" && json.Unmarshal(body, &call) == nil {
			names = append(names, call.Funcname.Full())
		}
	})
	return names
}

// Kinds returns the kinds of the nodes in a part of a tree.
func Kinds(part json.RawMessage) []string {
	var kinds []string
	walk(part, func(kind string, _ json.RawMessage) { kinds = append(kinds, kind) })
	return kinds
}

// Reads returns the names of the tables that a part of a tree reads, including the names of its WITH.
func Reads(part json.RawMessage) []string {
	var names []string
	walk(part, func(kind string, body json.RawMessage) {
		var table RangeVar
		if kind == "RangeVar" && json.Unmarshal(body, &table) == nil {
			names = append(names, table.Full())
		}
	})
	return names
}

// Changes returns the names of the tables whose rows a part of a tree changes or removes. Inserts are not counted.
func Changes(part json.RawMessage) []string {
	var names []string
	walk(part, func(kind string, body json.RawMessage) {
		var target Relation
		switch kind {
		case "UpdateStmt", "DeleteStmt", "MergeStmt":
			if json.Unmarshal(body, &target) == nil {
				names = append(names, target.Relation.Full())
			}
		}
	})
	return names
}

// Unbounded returns the tables of which a part of a tree changes or removes all rows: without a condition, or with a
// condition that names no column.
func Unbounded(part json.RawMessage) []RangeVar {
	var found []RangeVar
	walk(part, func(kind string, body json.RawMessage) {
		var change Update
		if (kind == "UpdateStmt" || kind == "DeleteStmt") && json.Unmarshal(body, &change) == nil && !slices.Contains(Kinds(change.Where), "ColumnRef") {
			found = append(found, change.Relation)
		}
	})
	return found
}

// Alternatives returns the sides of an expression that OR joins, or the expression alone.
func Alternatives(expr Expr) []Expr {
	var node struct {
		BoolExpr struct {
			Boolop string
			Args   []Expr
		}
	}
	if json.Unmarshal(expr, &node) != nil || node.BoolExpr.Boolop != "OR_EXPR" {
		return []Expr{expr}
	}
	var all []Expr
	for _, side := range node.BoolExpr.Args {
		all = append(all, Alternatives(side)...)
	}
	return all
}

// Updates returns the names of the tables whose rows a part of a tree may change without removing them.
func Updates(part json.RawMessage) []string {
	var names []string
	walk(part, func(kind string, body json.RawMessage) {
		var target struct {
			Relation         RangeVar
			OnConflictClause struct{ Action string }
		}
		if !slices.Contains([]string{"UpdateStmt", "MergeStmt", "InsertStmt"}, kind) || json.Unmarshal(body, &target) != nil {
			return
		}
		if kind != "InsertStmt" || target.OnConflictClause.Action == "ONCONFLICT_UPDATE" {
			names = append(names, target.Relation.Full())
		}
	})
	return names
}

// Constant returns the value of a constant as text, or "" for other expressions.
func Constant(part json.RawMessage) string {
	var node struct {
		Const *struct {
			Sval *struct{ Sval string }
			Ival *struct{ Ival int }
			Fval *struct{ Fval string }
		} `json:"A_Const"`
	}
	if json.Unmarshal(part, &node) != nil || node.Const == nil {
		return ""
	}
	switch c := node.Const; {
	case c.Sval != nil:
		return c.Sval.Sval
	case c.Ival != nil:
		return strconv.Itoa(c.Ival.Ival)
	case c.Fval != nil:
		return c.Fval.Fval
	default:
		return ""
	}
}

// IsNull reports whether an expression is the constant NULL, perhaps cast to a type.
func IsNull(expr Expr) bool {
	var node struct {
		Const *struct{ Isnull bool } `json:"A_Const"`
		Cast  *struct{ Arg Expr }    `json:"TypeCast"`
	}
	if json.Unmarshal(expr, &node) != nil {
		return false
	}
	if node.Cast != nil {
		return IsNull(node.Cast.Arg)
	}
	return node.Const != nil && node.Const.Isnull
}

// NotNullColumn returns the column of an expression that is IS NOT NULL and nothing else, or "".
func NotNullColumn(expr Expr) string {
	var node struct {
		NullTest struct {
			Arg struct {
				ColumnRef struct{ Fields Names }
			}
			Nulltesttype string
		}
	}
	if json.Unmarshal(expr, &node) != nil || node.NullTest.Nulltesttype != "IS_NOT_NULL" || len(node.NullTest.Arg.ColumnRef.Fields) != 1 {
		return ""
	}
	return node.NullTest.Arg.ColumnRef.Fields[0].Value
}
