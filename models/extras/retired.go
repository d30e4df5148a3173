package extras

import (
	"fmt"
	"strings"
)

// retirement returns the triggers with which tables with sealed columns refuse values under a retired key, for all
// columns of their models. On PostgreSQL a trigger looks once a statement instead of once a row. A trigger with a
// transition table is for one kind of statement only.
func retirement(engine string, sealed []sealedColumn) string {
	keys := map[string][]string{}
	var tables []string
	for _, c := range sealed {
		if c.table == "auditlog" { // its keys are not retired
			continue
		}
		if keys[c.table] == nil {
			tables = append(tables, c.table)
		}
		keys[c.table] = append(keys[c.table], fmt.Sprintf(keyOf[engine][c.json], c.name))
	}
	var script strings.Builder
	for _, table := range tables {
		script.WriteString(strings.NewReplacer("«table»", table, "«keys»", strings.Join(keys[table], ",\n        ")).Replace(refuseRetired[engine]))
	}
	return script.String()
}

// keyOf is the place of the key's id in a column, by engine, and by whether the column is JSON.
var keyOf = map[string]map[bool]string{
	"postgres": {false: "substr(n.%s, 6, 8)", true: "substr(n.%s ->> 'phi', 6, 8)"},
	"sqlite":   {false: "substr(NEW.%s, 6, 8)", true: "substr(NEW.%s, 14, 8)"},
}

var refuseRetired = map[string]string{
	"postgres": `CREATE FUNCTION «table»_key_not_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        «keys»)) THEN
        RAISE EXCEPTION '«table»: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = '«table»_key_not_retired';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER «table»_key_not_retired_insert AFTER INSERT ON «table» REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION «table»_key_not_retired();
CREATE TRIGGER «table»_key_not_retired_update AFTER UPDATE ON «table» REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION «table»_key_not_retired();
ALTER TABLE «table» ENABLE ALWAYS TRIGGER «table»_key_not_retired_insert;
ALTER TABLE «table» ENABLE ALWAYS TRIGGER «table»_key_not_retired_update;
`,
	"sqlite": `CREATE TRIGGER «table»_key_not_retired_insert BEFORE INSERT ON «table»
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        «keys»))
BEGIN
    SELECT RAISE(ABORT, '«table»: sealed under a retired key');
END;
CREATE TRIGGER «table»_key_not_retired_update BEFORE UPDATE ON «table»
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        «keys»))
BEGIN
    SELECT RAISE(ABORT, '«table»: sealed under a retired key');
END;
`,
}
