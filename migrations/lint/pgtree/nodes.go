package pgtree

import (
	"encoding/json"
	"strings"
)

// Node is a statement. The field of its kind is set, or no field if no rule asks for that kind. The names are those
// of PostgreSQL's parse tree (parsenodes.h).
type Node struct {
	Kind string          // "AlterTableStmt"
	Raw  json.RawMessage // the whole node

	OnConflict bool // an INSERT has an ON CONFLICT clause

	AlterTable     *AlterTable
	CreateIndex    *CreateIndex
	CreateTable    *CreateTable
	CreateTableAs  *CreateTableAs
	CreateTrigger  *CreateTrigger
	CreateFunction *CreateFunction
	Do             *Do
	Drop           *Drop
	Rename         *Rename
	Reindex        *Options
	SetVariable    *SetVariable
	SetSchema      *Relation
	Truncate       *Relations
	Update         *Update
	Vacuum         *Options
}

// UnmarshalJSON reads {"<kind>": {…}}.
func (n *Node) UnmarshalJSON(text []byte) error {
	var byKind map[string]json.RawMessage
	if err := json.Unmarshal(text, &byKind); err != nil {
		return err
	}
	for kind, body := range byKind {
		n.Kind, n.Raw = kind, append(json.RawMessage(nil), text...)
		var insert struct{ OnConflictClause json.RawMessage }
		if kind == "InsertStmt" && json.Unmarshal(body, &insert) == nil {
			n.OnConflict = insert.OnConflictClause != nil
		}
		if field, ok := fields[kind]; ok {
			return json.Unmarshal(body, field(n))
		}
	}
	return nil
}

// fields returns the part of Node that a statement of a kind is read into.
var fields = map[string]func(*Node) any{
	"AlterTableStmt":        func(n *Node) any { return &n.AlterTable },
	"IndexStmt":             func(n *Node) any { return &n.CreateIndex },
	"CreateStmt":            func(n *Node) any { return &n.CreateTable },
	"CreateTableAsStmt":     func(n *Node) any { return &n.CreateTableAs },
	"CreateTrigStmt":        func(n *Node) any { return &n.CreateTrigger },
	"CreateFunctionStmt":    func(n *Node) any { return &n.CreateFunction },
	"DoStmt":                func(n *Node) any { return &n.Do },
	"DropStmt":              func(n *Node) any { return &n.Drop },
	"RenameStmt":            func(n *Node) any { return &n.Rename },
	"ReindexStmt":           func(n *Node) any { return &n.Reindex },
	"VariableSetStmt":       func(n *Node) any { return &n.SetVariable },
	"AlterObjectSchemaStmt": func(n *Node) any { return &n.SetSchema },
	"TruncateStmt":          func(n *Node) any { return &n.Truncate },
	"UpdateStmt":            func(n *Node) any { return &n.Update },
	"DeleteStmt":            func(n *Node) any { return &n.Update },
	"VacuumStmt":            func(n *Node) any { return &n.Vacuum },
}

// RangeVar names a table.
type RangeVar struct {
	Schema      string `json:"schemaname"`
	Name        string `json:"relname"`
	Persistence string `json:"relpersistence"` // "p", "u" unlogged, "t" temporary
	Location    int    `json:"location"`
}

// Full returns the name, with its schema unless that is public.
func (r RangeVar) Full() string { return qualified(r.Schema, r.Name) }

func qualified(schema, name string) string {
	if schema == "" || schema == "public" {
		return name
	}
	return schema + "." + name
}

// String is {"String":{"sval":"…"}}.
type String struct {
	Value string
}

// UnmarshalJSON reads a string; another kind of node reads as "".
func (s *String) UnmarshalJSON(text []byte) error {
	var wrapped struct {
		String struct{ Sval string }
	}
	err := json.Unmarshal(text, &wrapped)
	s.Value = wrapped.String.Sval
	return err
}

// Names is a name in its parts.
type Names []String

// Full returns the name, with its schema unless that is public or pg_catalog.
func (n Names) Full() string {
	switch len(n) {
	case 0:
		return ""
	case 1:
		return n[0].Value
	default:
		schema := n[len(n)-2].Value
		if schema == "pg_catalog" {
			schema = ""
		}
		return qualified(schema, n[len(n)-1].Value)
	}
}

// Expr is an expression, or nil.
type Expr = json.RawMessage

// TypeName is a type with its modifiers.
type TypeName struct {
	Names    Names             `json:"names"`
	Typmods  []json.RawMessage `json:"typmods"`
	Array    []json.RawMessage `json:"arrayBounds"`
	Location int               `json:"location"`
}

// Full returns the type as "varchar(50)".
func (t TypeName) Full() string {
	var modifiers []string
	for _, m := range t.Typmods {
		modifiers = append(modifiers, Constant(m))
	}
	name := t.Names.Full()
	if len(modifiers) > 0 {
		name += "(" + strings.Join(modifiers, ",") + ")"
	}
	return name + strings.Repeat("[]", len(t.Array))
}

// ColumnDef defines a column, or the new type of a column.
type ColumnDef struct {
	Name        string       `json:"colname"`
	Type        TypeName     `json:"typeName"`
	Using       Expr         `json:"raw_default"` // of ALTER COLUMN … TYPE
	Constraints []Constraint `json:"constraints"`
	Location    int          `json:"location"`
}

// Constraint is a constraint of a column or of a table.
type Constraint struct {
	Kind      string   `json:"contype"` // "CONSTR_CHECK"
	Name      string   `json:"conname"`
	Expr      Expr     `json:"raw_expr"` // of CHECK, DEFAULT, GENERATED
	NotValid  bool     `json:"skip_validation"`
	IndexName string   `json:"indexname"` // USING INDEX
	Table     RangeVar `json:"pktable"`   // that a foreign key refers to
	Columns   Names    `json:"fk_attrs"`
	Location  int      `json:"location"`
}

// UnmarshalJSON reads {"Constraint":{…}} and the bare body.
func (c *Constraint) UnmarshalJSON(text []byte) error {
	type body Constraint
	return unwrap(text, "Constraint", (*body)(c))
}

func unwrap(text []byte, kind string, body any) error {
	var byKind map[string]json.RawMessage
	if err := json.Unmarshal(text, &byKind); err != nil {
		return err
	}
	if inner, ok := byKind[kind]; ok && len(byKind) == 1 {
		text = inner
	}
	return json.Unmarshal(text, body)
}

// Element is a part of CREATE TABLE or an addition of ALTER TABLE. For other kinds, both fields are nil.
type Element struct {
	Column     *ColumnDef  `json:"ColumnDef"`
	Constraint *Constraint `json:"Constraint"`
	Partition  *struct {
		Concurrent bool `json:"concurrent"`
	} `json:"PartitionCmd"`
}

// CreateTable is CREATE TABLE.
type CreateTable struct {
	Relation    RangeVar  `json:"relation"`
	Elements    []Element `json:"tableElts"`
	IfNotExists bool      `json:"if_not_exists"`
}

// CreateTableAs is CREATE TABLE … AS, and CREATE MATERIALIZED VIEW.
type CreateTableAs struct {
	Into struct {
		Relation RangeVar `json:"rel"`
	} `json:"into"`
	IfNotExists bool `json:"if_not_exists"`
}

// AlterTable is ALTER TABLE, and ALTER INDEX or VIEW.
type AlterTable struct {
	Relation   RangeVar       `json:"relation"`
	Commands   []AlterCommand `json:"cmds"`
	ObjectType string         `json:"objtype"` // "OBJECT_TABLE"
}

// AlterCommand is a command of ALTER TABLE.
type AlterCommand struct {
	Kind     string          `json:"subtype"` // "AT_AddColumn"
	Name     string          `json:"name"`
	RawDef   json.RawMessage `json:"def"`
	Behavior string          `json:"behavior"`
	IfExists bool            `json:"missing_ok"`

	Def Element `json:"-"`
}

// UnmarshalJSON reads {"AlterTableCmd":{…}}.
func (c *AlterCommand) UnmarshalJSON(text []byte) error {
	type body AlterCommand
	if err := unwrap(text, "AlterTableCmd", (*body)(c)); err != nil || c.RawDef == nil {
		return err
	}
	switch c.Kind {
	case "AT_AddColumn", "AT_AlterColumnType", "AT_AddConstraint", "AT_AddIdentity", "AT_DetachPartition":
		return json.Unmarshal(c.RawDef, &c.Def)
	default:
		return nil
	}
}

// CreateIndex is CREATE INDEX.
type CreateIndex struct {
	Name        string   `json:"idxname"`
	Relation    RangeVar `json:"relation"`
	Unique      bool     `json:"unique"`
	Concurrent  bool     `json:"concurrent"`
	IfNotExists bool     `json:"if_not_exists"`
}

// CreateTrigger is CREATE TRIGGER.
type CreateTrigger struct {
	Name     string   `json:"trigname"`
	Relation RangeVar `json:"relation"`
	Function Names    `json:"funcname"`
	Replace  bool     `json:"replace"`
}

// CreateFunction is CREATE FUNCTION.
type CreateFunction struct {
	Name    Names `json:"funcname"`
	Replace bool  `json:"replace"`
}

// Do is DO.
type Do struct {
	Args []DefElem `json:"args"`
}

// DefElem is an option.
type DefElem struct {
	Name     string          `json:"defname"`
	Arg      json.RawMessage `json:"arg"`
	Location int             `json:"location"`
}

// UnmarshalJSON reads {"DefElem":{…}}.
func (d *DefElem) UnmarshalJSON(text []byte) error {
	type body DefElem
	return unwrap(text, "DefElem", (*body)(d))
}

// Drop is DROP of most kinds.
type Drop struct {
	Objects    []json.RawMessage `json:"objects"`
	Kind       string            `json:"removeType"` // "OBJECT_TABLE"
	Behavior   string            `json:"behavior"`   // "DROP_CASCADE"
	Concurrent bool              `json:"concurrent"`
	IfExists   bool              `json:"missing_ok"`
}

// Names returns the names of the dropped objects: for a trigger the table's name and its own.
func (d Drop) Names() []Names {
	var all []Names
	for _, object := range d.Objects {
		var list struct {
			List struct{ Items Names }
		}
		if json.Unmarshal(object, &list) == nil && len(list.List.Items) > 0 {
			all = append(all, list.List.Items)
		}
	}
	return all
}

// Rename is ALTER … RENAME.
type Rename struct {
	Kind     string   `json:"renameType"` // "OBJECT_COLUMN"
	Relation RangeVar `json:"relation"`
	Old      string   `json:"subname"` // of an object that belongs to the relation
	New      string   `json:"newname"`
}

// SetVariable is SET and RESET.
type SetVariable struct {
	Kind  string            `json:"kind"` // "VAR_SET_VALUE"
	Name  string            `json:"name"`
	Args  []json.RawMessage `json:"args"`
	Local bool              `json:"is_local"`
}

// Relation is a statement about one table.
type Relation struct {
	Relation RangeVar `json:"relation"`
}

// Relations is a statement about several tables.
type Relations struct {
	Relations []struct {
		RangeVar RangeVar `json:"RangeVar"`
	} `json:"relations"`
	Behavior string `json:"behavior"` // "DROP_CASCADE"
}

// Update is UPDATE and DELETE.
type Update struct {
	Relation RangeVar `json:"relation"`
	Where    Expr     `json:"whereClause"`
}

// Options is REINDEX and VACUUM, with their options.
type Options struct {
	Params   []DefElem `json:"params"`
	Options  []DefElem `json:"options"`
	IsVacuum bool      `json:"is_vacuumcmd"` // and not ANALYZE
}

// Has reports whether the option is given.
func (o Options) Has(name string) bool {
	for _, option := range append(o.Params, o.Options...) {
		if option.Name == name {
			return true
		}
	}
	return false
}
