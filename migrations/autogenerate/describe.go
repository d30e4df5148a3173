package autogenerate

import (
	"fmt"

	"ariga.io/atlas/sql/schema"
)

// describe says in words what differs, one line each.
func (d difference) describe() []string {
	var lines []string
	for _, c := range d.changes {
		switch c := c.(type) {
		case *schema.AddTable:
			lines = append(lines, "table "+c.T.Name+": missing")
		case *schema.DropTable:
			lines = append(lines, "table "+c.T.Name+": not in the models")
		case *schema.ModifyTable:
			for _, part := range c.Changes {
				lines = append(lines, "table "+c.T.Name+": "+describePart(part))
			}
		default:
			lines = append(lines, fmt.Sprintf("%T", c))
		}
	}
	made := map[string]bool{}
	for _, o := range d.made {
		made[o.key()] = true
	}
	for _, o := range d.gone {
		if made[o.key()] {
			lines = append(lines, o.key()+": differs")
			delete(made, o.key())
		} else {
			lines = append(lines, o.key()+": not declared")
		}
	}
	for _, o := range d.made {
		if made[o.key()] {
			lines = append(lines, o.key()+": missing")
		}
	}
	return lines
}

func describePart(change schema.Change) string {
	switch c := change.(type) {
	case *schema.AddColumn:
		return "column " + c.C.Name + ": missing"
	case *schema.DropColumn:
		return "column " + c.C.Name + ": not in the models"
	case *schema.ModifyColumn:
		return "column " + c.To.Name + ": " + describeColumn(c)
	case *schema.AddIndex:
		return "index " + c.I.Name + ": missing"
	case *schema.DropIndex:
		return "index " + c.I.Name + ": not in the models"
	case *schema.ModifyIndex:
		return "index " + c.To.Name + ": differs"
	case *schema.AddForeignKey:
		return "foreign key " + c.F.Symbol + ": missing"
	case *schema.DropForeignKey:
		return "foreign key " + c.F.Symbol + ": not in the models"
	case *schema.ModifyForeignKey:
		return "foreign key " + c.To.Symbol + ": differs"
	case *schema.AddCheck:
		return "check " + c.C.Name + ": missing"
	case *schema.DropCheck:
		return "check " + c.C.Name + ": not in the models"
	case *schema.ModifyCheck:
		return "check " + c.To.Name + ": differs"
	case *schema.AddPrimaryKey, *schema.DropPrimaryKey, *schema.ModifyPrimaryKey:
		return "primary key: differs"
	default:
		return fmt.Sprintf("option: %T", change)
	}
}

func describeColumn(c *schema.ModifyColumn) string {
	what := ""
	for _, kind := range []struct {
		is   schema.ChangeKind
		name string
	}{
		{schema.ChangeType, "type"}, {schema.ChangeNull, "nullability"}, {schema.ChangeDefault, "default"},
		{schema.ChangeAttr, "identity"}, {schema.ChangeGenerated, "generated expression"},
	} {
		if c.Change.Is(kind.is) {
			what += ", " + kind.name
		}
	}
	return what[2:] + " differs"
}
