package lint

import (
	"slices"
	"strings"

	"novamind/migrations/lint/pgtree"
)

// apply changes the schema as a statement does. It only notes, or leaves out, functions and types, because it does
// not follow their effects on tables.
func (r *pgRun) apply(s pgtree.Statement) {
	switch n := s.Node; {
	case n.CreateTable != nil:
		r.createTable(n.CreateTable.Relation.Full(), s.Start)
		for table, element := range newElements(n) {
			r.addElement(table, element, s)
		}
	case n.CreateTableAs != nil:
		r.createTable(n.CreateTableAs.Into.Relation.Full(), s.Start)
	case n.AlterTable != nil && n.AlterTable.ObjectType == "OBJECT_TABLE":
		for _, command := range n.AlterTable.Commands {
			r.alter(n.AlterTable.Relation.Full(), command, s)
		}
	case n.CreateIndex != nil:
		r.schema[object{indexes, n.CreateIndex.Relation.Full(), n.CreateIndex.Name}] = detail{At: s.Start}
	case n.CreateTrigger != nil:
		r.schema[object{triggers, n.CreateTrigger.Relation.Full(), n.CreateTrigger.Name}] = detail{At: s.Start, Function: n.CreateTrigger.Function.Full()}
	case n.CreateFunction != nil:
		r.functions[n.CreateFunction.Name.Full()] = true
	case n.Drop != nil:
		r.drop(*n.Drop)
	case n.Rename != nil:
		r.rename(*n.Rename, s.Start)
	case n.SetSchema != nil:
		r.schema.dropTable(n.SetSchema.Relation.Full())
	}
}

func (r *pgRun) createTable(name string, at int) {
	if !r.schema.has(name) {
		r.created[name] = true
	}
	r.schema[object{Kind: tables, Table: name}] = detail{At: at}
}

func (r *pgRun) addElement(table string, element pgtree.Element, s pgtree.Statement) {
	if element.Constraint != nil {
		r.addConstraint(table, *element.Constraint, s)
	}
	column := element.Column
	if column == nil {
		return
	}
	required, given := false, strings.Contains(column.Type.Full(), "serial")
	for _, constraint := range column.Constraints {
		required = required || constraint.Kind == "CONSTR_NOTNULL" || constraint.Kind == "CONSTR_PRIMARY"
		given = given || constraint.Kind == "CONSTR_DEFAULT" && !pgtree.IsNull(constraint.Expr) ||
			constraint.Kind == "CONSTR_IDENTITY" || constraint.Kind == "CONSTR_GENERATED"
		r.addConstraint(table, constraint, s)
	}
	r.schema[object{columns, table, column.Name}] = detail{
		Type: column.Type.Full(), Required: required && !given, Filled: given, At: s.At(column.Location),
	}
}

func (r *pgRun) addConstraint(table string, constraint pgtree.Constraint, s pgtree.Statement) {
	if !slices.Contains(namedKinds, constraint.Kind) || constraint.Name == "" {
		return
	}
	r.schema[object{constraints, table, constraint.Name}] = detail{
		At: s.At(constraint.Location), Check: string(constraint.Expr), Validated: !constraint.NotValid, NotNull: pgtree.NotNullColumn(constraint.Expr),
	}
	delete(r.schema, object{indexes, table, constraint.IndexName}) // the index belongs to the constraint now
}

func (r *pgRun) alter(table string, command pgtree.AlterCommand, s pgtree.Statement) {
	switch command.Kind {
	case "AT_AddColumn", "AT_AddConstraint":
		r.addElement(table, command.Def, s)
	case "AT_DropColumn":
		delete(r.schema, object{columns, table, command.Name})
	case "AT_DropConstraint":
		delete(r.schema, object{constraints, table, command.Name})
	case "AT_ValidateConstraint":
		r.change(object{constraints, table, command.Name}, func(d *detail) { d.Validated = true })
	case "AT_AlterColumnType":
		if command.Def.Column != nil {
			r.change(object{columns, table, command.Name}, func(d *detail) { d.Type, d.At = command.Def.Column.Type.Full(), s.Start })
		}
	case "AT_DisableTrig":
		r.change(object{triggers, table, command.Name}, func(d *detail) { d.Disabled, d.At = true, s.Start })
	case "AT_DisableTrigAll", "AT_DisableTrigUser":
		for _, o := range r.schema.of(table, triggers) {
			r.change(o, func(d *detail) { d.Disabled, d.At = true, s.Start })
		}
	case "AT_EnableTrig", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig":
		r.change(object{triggers, table, command.Name}, func(d *detail) { d.Disabled = false })
	case "AT_EnableTrigAll", "AT_EnableTrigUser":
		for _, o := range r.schema.of(table, triggers) {
			r.change(o, func(d *detail) { d.Disabled = false })
		}
	}
}

// change changes the details of an object, if the object is known.
func (r *pgRun) change(o object, with func(*detail)) {
	if d, ok := r.schema[o]; ok {
		with(&d)
		r.schema[o] = d
	}
}

func (r *pgRun) drop(drop pgtree.Drop) {
	for _, name := range drop.Names() {
		switch drop.Kind {
		case "OBJECT_TABLE":
			r.schema.dropTable(name.Full())
		case "OBJECT_INDEX":
			delete(r.schema, object{indexes, r.tableOfIndex(name.Full()), name.Full()})
		case "OBJECT_TRIGGER":
			delete(r.schema, object{triggers, name[:len(name)-1].Full(), name[len(name)-1].Value})
		}
	}
}

func (r *pgRun) rename(rename pgtree.Rename, at int) {
	table := rename.Relation.Full()
	var k kind
	switch rename.Kind {
	case "OBJECT_TABLE":
		r.schema.renameTable(table, rename.New, at)
		if r.created[table] {
			r.created[rename.New] = true
		}
		return
	case "OBJECT_INDEX":
		k, rename.Old = indexes, table
		table = r.tableOfIndex(rename.Old)
	case "OBJECT_COLUMN":
		k = columns
	case "OBJECT_TABCONSTRAINT":
		k = constraints
	case "OBJECT_TRIGGER":
		k = triggers
	default:
		return
	}
	old := object{k, table, rename.Old}
	if d, ok := r.schema[old]; ok {
		delete(r.schema, old)
		d.At = at
		r.schema[object{k, table, rename.New}] = d
	}
}
