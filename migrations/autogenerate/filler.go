package autogenerate

import (
	"errors"
	"fmt"

	"ariga.io/atlas/sql/schema"

	"novamind/migrations/inspect"
)

// ErrNoDefault says that an existing table can't get a column that takes neither NULL nor a default.
var ErrNoDefault = errors.New("a new column of a table that may have rows needs a default, or must take NULL until it is filled")

// unfilled returns ErrNoDefault for the first such column.
func unfilled(d inspect.Difference) error {
	_, _, modified := d.TableChanges()
	for _, m := range modified {
		for _, c := range m.Changes {
			if add, ok := c.(*schema.AddColumn); ok && needsFiller(add.C) {
				return fmt.Errorf("%s.%s: %w", m.T.Name, add.C.Name, ErrNoDefault)
			}
		}
	}
	return nil
}

func needsFiller(c *schema.Column) bool {
	return !c.Type.Null && c.Default == nil && !inspect.IsGenerated(c)
}

// filler is the value that existing rows get in a column that comes back on the way down. The old values are gone.
func filler(c *schema.Column) string {
	switch c.Type.Type.(type) {
	case *schema.BoolType:
		return "false"
	case *schema.IntegerType, *schema.FloatType, *schema.DecimalType:
		return "0"
	case *schema.TimeType:
		return "'1970-01-01 00:00:00.000000+00:00'"
	case *schema.UUIDType:
		return "'00000000-0000-0000-0000-000000000000'"
	case *schema.JSONType:
		return "'null'"
	default:
		return "''"
	}
}
