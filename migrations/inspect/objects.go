package inspect

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"novamind/migrations"
)

// Object is a part of a schema that atlas does not know: a function, a trigger, a view, an exclusion constraint, an
// extension.
type Object struct {
	Kind  string // one of Kinds
	Table string // of a trigger or constraint
	Name  string // of a function: with its argument types
	Make  string // the SQL that makes it
	form  string // the same in a normal form: PostgreSQL has its own form, SQLite keeps the author's words
}

// Objects are the objects of one schema.
type Objects []Object

// Kinds are in the order in which objects can be made: each kind may need the kinds before.
var Kinds = []string{"extension", "function", "constraint", "view", "trigger"}

// A function whose search_path holds the schema gets the name from the schema where it is made, which may have
// another name.
const postgresObjects = `
SELECT 'extension' AS kind, '' AS "table", extname AS name, format('CREATE EXTENSION IF NOT EXISTS %I', extname) AS make
FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL
SELECT 'function', '', p.oid::regprocedure::text, replace(CASE WHEN path.has IS TRUE
		THEN regexp_replace(pg_get_functiondef(p.oid), E'\n SET search_path TO [^\n]*', '')
			|| format(E';\n-- lint:allow not-judged nothing is put in but the name of the schema\n-- migrate:drops nothing\nDO $$ BEGIN EXECUTE format(''ALTER FUNCTION %s SET search_path = %s'', current_schema()); END $$', p.oid::regprocedure, path.of)
		ELSE pg_get_functiondef(p.oid) END, format(' %I.%I(', current_schema(), p.proname), format(' %I(', p.proname))
FROM pg_proc p LEFT JOIN LATERAL (
	SELECT string_agg(CASE WHEN part = quote_ident(current_schema()) THEN '%I' ELSE part END, ', ' ORDER BY n) AS of, bool_or(part = quote_ident(current_schema())) AS has
	FROM unnest(p.proconfig) AS setting, string_to_table(substr(setting, length('search_path=') + 1), ', ') WITH ORDINALITY AS parts (part, n)
	WHERE setting LIKE 'search_path=%') AS path ON true
WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind IN ('f', 'p')
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
UNION ALL
SELECT 'constraint', c.conrelid::regclass::text, c.conname,
	format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
FROM pg_constraint c WHERE c.connamespace = current_schema()::regnamespace AND c.contype = 'x'
UNION ALL
SELECT 'view', '', c.relname, format(CASE c.relkind WHEN 'm' THEN 'CREATE MATERIALIZED VIEW %I AS %s' ELSE 'CREATE VIEW %I AS %s' END,
	c.relname, rtrim(pg_get_viewdef(c.oid), ';'))
FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('v', 'm')
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
UNION ALL
SELECT 'trigger', t.tgrelid::regclass::text, t.tgname, replace(pg_get_triggerdef(t.oid), format('ON %I.', current_schema()), 'ON ')
	|| CASE t.tgenabled WHEN 'A' THEN format(E';\nALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tgrelid::regclass, t.tgname)
		WHEN 'D' THEN format(E';\nALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::regclass, t.tgname)
		WHEN 'R' THEN format(E';\nALTER TABLE %s ENABLE REPLICA TRIGGER %I', t.tgrelid::regclass, t.tgname) ELSE '' END
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
ORDER BY 1, 2, 3`

const sqliteObjects = `
SELECT type AS kind, CASE type WHEN 'trigger' THEN tbl_name ELSE '' END AS "table", name, sql AS make
FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY 1, 2, 3`

// readObjects returns the objects of db's current schema, in a fixed order.
func readObjects(ctx context.Context, db *gorm.DB) (Objects, error) {
	query := postgresObjects
	if db.Name() == migrations.SQLite {
		query = sqliteObjects
	}
	var found Objects
	err := db.WithContext(ctx).Raw(query).Scan(&found).Error
	for i := range found {
		found[i].form = found[i].Make
		if db.Name() == migrations.SQLite {
			found[i].form = plain(found[i].Make)
		}
	}
	return found, err
}

// Key names an object in its schema.
func (o Object) Key() string {
	name := o.Kind + " " + o.Name
	if o.Table != "" {
		name += " on " + o.Table
	}
	return name
}

// same reports whether two objects mean the same.
func (o Object) same(other Object) bool { return o.form == other.form }

// Drop returns the SQL that removes an object.
func (o Object) Drop(engine string) string {
	switch {
	case o.Kind == "constraint":
		return "ALTER TABLE " + o.Table + " DROP CONSTRAINT " + o.Name
	case o.Kind == "trigger" && engine == migrations.Postgres:
		return "DROP TRIGGER " + o.Name + " ON " + o.Table
	case o.Kind == "view" && strings.HasPrefix(o.Make, "CREATE MATERIALIZED"):
		return "DROP MATERIALIZED VIEW " + o.Name
	default:
		return "DROP " + strings.ToUpper(o.Kind) + " " + o.Name
	}
}

// without returns the objects that other lacks, or has in another form.
func (all Objects) without(other Objects) Objects {
	byKey := map[string]Object{}
	for _, o := range other {
		byKey[o.Key()] = o
	}
	var missing Objects
	for _, o := range all {
		if there, ok := byKey[o.Key()]; !ok || !o.same(there) {
			missing = append(missing, o)
		}
	}
	return missing
}

// OfKind returns the objects of one of the kinds.
func (all Objects) OfKind(kinds ...string) Objects {
	var out Objects
	for _, kind := range kinds {
		for _, o := range all {
			if o.Kind == kind {
				out = append(out, o)
			}
		}
	}
	return out
}

// Has reports whether there is an object with the key.
func (all Objects) Has(key string) bool {
	for _, o := range all {
		if o.Key() == key {
			return true
		}
	}
	return false
}
