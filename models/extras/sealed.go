package extras

import (
	"reflect"
	"strings"
	"sync"

	"gorm.io/gorm/schema"

	"novamind/internal/phi"
	"novamind/models"
)

// sealable is the interface of phi's field types, through a pointer.
type sealable interface {
	Seal(s *phi.Sealer, b phi.Binding) error
}

// sealedColumn is a column that holds sealed values only.
type sealedColumn struct {
	table, name   string
	json, notNull bool
}

// sealedColumns returns the sealed columns of models.
func sealedColumns(all []any) ([]sealedColumn, error) {
	var cache sync.Map
	var found []sealedColumn
	for _, model := range all {
		parsed, err := schema.Parse(model, &cache, models.Naming{})
		if err != nil {
			return nil, err
		}
		for _, name := range parsed.DBNames {
			field := parsed.FieldsByDBName[name]
			if _, sealed := reflect.TypeAssert[sealable](reflect.New(field.FieldType)); sealed {
				found = append(found, sealedColumn{parsed.Table, name, field.DataType == "json", field.NotNull})
			}
		}
	}
	return found, nil
}

// check returns the name of the column's CHECK, and its expression. The CHECK accepts an envelope only. COALESCE
// makes it refuse if a comparison gives NULL.
func (c sealedColumn) check(engine string) (name, expression string) {
	expression = expressions[engine][c.json]
	if !c.notNull {
		expression = "COLUMN IS NULL OR " + expression
	}
	return c.table + "_" + c.name + "_sealed", strings.ReplaceAll(expression, "COLUMN", c.name)
}

// expressions are the CHECKs by engine, and by whether the column is JSON. COLUMN stands for the column's name.
var expressions = map[string]map[bool]string{
	"postgres": {
		false: `COALESCE(COLUMN ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' AND substr(COLUMN, 14, 1) = ':' AND length(COLUMN) >= 52, false)`,
		true: `COALESCE(COLUMN = jsonb_build_object('phi', COLUMN -> 'phi') AND (COLUMN ->> 'phi') ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$' ` +
			`AND substr((COLUMN ->> 'phi'), 14, 1) = ':' AND length((COLUMN ->> 'phi')) >= 52, false)`,
	},
	"sqlite": {
		false: `COALESCE(typeof(COLUMN) = 'text' AND length(CAST(COLUMN AS BLOB)) = length(COLUMN) AND length(COLUMN) >= 52 ` +
			`AND substr(COLUMN, 1, 14) GLOB 'phi1:` + hex8 + `:' AND substr(COLUMN, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)`,
		true: `COALESCE(typeof(COLUMN) = 'text' AND length(CAST(COLUMN AS BLOB)) = length(COLUMN) AND length(COLUMN) >= 62 ` +
			`AND substr(COLUMN, 1, 22) GLOB '{"phi":"phi1:` + hex8 + `:' AND substr(COLUMN, -2) = '"}' ` +
			`AND substr(COLUMN, 23, length(COLUMN) - 24) NOT GLOB '*[^A-Za-z0-9_-]*', false)`,
	},
}

const hex8 = "[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]"
