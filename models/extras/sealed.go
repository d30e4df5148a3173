package extras

import (
	"reflect"
	"strings"
	"sync"

	"gorm.io/gorm/schema"

	"novamind/internal/phi"
	"novamind/models"
)

// sealable is what phi's field types are, through a pointer.
type sealable interface {
	Seal(s *phi.Sealer, b phi.Binding) error
}

type check struct{ table, name, expression string }

// sealedChecks returns the CHECK of each sealed column: it takes an envelope and nothing else, and COALESCE makes it refuse where a comparison gives NULL.
func sealedChecks(engine string, all []any) ([]check, error) {
	var cache sync.Map
	var checks []check
	for _, model := range all {
		parsed, err := schema.Parse(model, &cache, models.Naming{})
		if err != nil {
			return nil, err
		}
		for _, name := range parsed.DBNames {
			field := parsed.FieldsByDBName[name]
			if _, sealed := reflect.TypeAssert[sealable](reflect.New(field.FieldType)); !sealed {
				continue
			}
			expression := expressions[engine][field.DataType == "json"]
			if !field.NotNull {
				expression = "COLUMN IS NULL OR " + expression
			}
			checks = append(checks, check{
				table: parsed.Table, name: parsed.Table + "_" + name + "_sealed", expression: strings.ReplaceAll(expression, "COLUMN", name),
			})
		}
	}
	return checks, nil
}

// expressions are by engine, and by whether the column is JSON; COLUMN is its name.
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
