package inspect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ariga.io/atlas/sql/schema"
)

// Describe lists the differences in words, one line each.
func (d Difference) Describe() []string {
	var lines []string
	for _, c := range d.Changes {
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
	for _, o := range d.Made {
		made[o.Key()] = true
	}
	for _, o := range d.Gone {
		if made[o.Key()] {
			lines = append(lines, o.Key()+": differs")
			delete(made, o.Key())
		} else {
			lines = append(lines, o.Key()+": not declared")
		}
	}
	for _, o := range d.Made {
		if made[o.Key()] {
			lines = append(lines, o.Key()+": missing")
		}
	}
	for _, trait := range d.GoneTraits {
		lines = append(lines, trait+": not declared")
	}
	for _, trait := range d.MadeTraits {
		lines = append(lines, trait+": missing")
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

// aspects are the properties of a column that can differ.
var aspects = map[schema.ChangeKind]string{
	schema.ChangeType: "type", schema.ChangeNull: "nullability", schema.ChangeDefault: "default",
	schema.ChangeAttr: "identity", schema.ChangeGenerated: "generated expression", schema.ChangeComment: "comment",
}

func describeColumn(c *schema.ModifyColumn) string {
	var what []string
	for _, kind := range slices.Sorted(maps.Keys(aspects)) {
		if c.Change.Is(kind) {
			what = append(what, aspects[kind])
		}
	}
	return strings.Join(what, ", ") + " differs"
}
