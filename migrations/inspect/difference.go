package inspect

import (
	"fmt"

	"ariga.io/atlas/sql/schema"
)

// Difference is the changes from one state to another.
type Difference struct {
	Changes []schema.Change // of tables
	Gone    Objects         // in the old form
	Made    Objects         // in the new form

	GoneTraits, MadeTraits Traits
}

// Empty reports whether the states are the same.
func (d Difference) Empty() bool {
	return len(d.Changes)+len(d.Gone)+len(d.Made)+len(d.GoneTraits)+len(d.MadeTraits) == 0
}

// Between returns the changes from one state to another of the same engine.
func Between(from, to State) (Difference, error) {
	changes, err := to.Driver.SchemaDiff(from.Tables, to.Tables, schema.DiffNormalized())
	if err != nil {
		return Difference{}, fmt.Errorf("comparing the schemas: %w", err)
	}
	return Difference{
		Changes: changes, Gone: from.Objects.without(to.Objects), Made: to.Objects.without(from.Objects),
		GoneTraits: from.Traits.without(to.Traits), MadeTraits: to.Traits.without(from.Traits).validated(),
	}, nil
}

// TableChanges sorts the changes of a difference by kind: added, dropped and modified tables.
func (d Difference) TableChanges() (added, dropped []schema.Change, modified []*schema.ModifyTable) {
	for _, c := range d.Changes {
		switch c := c.(type) {
		case *schema.AddTable:
			added = append(added, c)
		case *schema.DropTable:
			dropped = append(dropped, c)
		case *schema.ModifyTable:
			modified = append(modified, c)
		}
	}
	return added, dropped, modified
}
