package inspect

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"novamind/migrations"
	"novamind/migrations/script"
)

// Traits are unusual properties of tables and their objects that atlas does not report, one line each. No code
// generates or undoes them, but two schemas that mean the same have the same traits.
type Traits []string

const postgresTraits = `
WITH ours AS (SELECT oid, relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relnamespace = current_schema()::regnamespace)
SELECT format('table %s: unlogged', relname) FROM ours WHERE relkind = 'r' AND relpersistence = 'u'
UNION ALL SELECT format('table %s: row level security', relname) FROM ours WHERE relrowsecurity
UNION ALL SELECT format('table %s: row level security, forced', relname) FROM ours WHERE relforcerowsecurity
UNION ALL SELECT format('table %s: inherits from %s', relname, inhparent::regclass) FROM ours JOIN pg_inherits ON inhrelid = oid
UNION ALL SELECT format('policy %s on %s: %s %s to %s using %s with check %s', policyname, tablename, permissive, cmd, roles, qual, with_check) FROM pg_policies WHERE schemaname = current_schema()
UNION ALL SELECT format('rule %s on %s: %s', rulename, tablename, replace(definition, format(' %I.', current_schema()), ' ')) FROM pg_rules WHERE schemaname = current_schema()
UNION ALL SELECT format('index %s: invalid', relname) FROM ours JOIN pg_index ON indexrelid = oid WHERE NOT indisvalid
UNION ALL SELECT format('constraint %s on %s` + notValid + `', conname, relname) FROM ours JOIN pg_constraint ON conrelid = ours.oid WHERE NOT convalidated
UNION ALL SELECT format('constraint %s on %s: deferrable, initially %s', conname, relname, CASE WHEN condeferred THEN 'deferred' ELSE 'immediate' END)
	FROM ours JOIN pg_constraint ON conrelid = ours.oid WHERE condeferrable
UNION ALL SELECT format('column %s.%s: collation %s', relname, attname, collname)
	FROM ours JOIN pg_attribute ON attrelid = ours.oid JOIN pg_type ON pg_type.oid = atttypid JOIN pg_collation ON pg_collation.oid = attcollation
	WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND attcollation <> typcollation`

// readTraits reads the traits of db; texts are SQLite's.
func readTraits(ctx context.Context, db *gorm.DB, texts Texts) (Traits, error) {
	var found Traits
	if db.Name() == migrations.Postgres {
		err := db.WithContext(ctx).Raw(postgresTraits).Scan(&found).Error
		slices.Sort(found)
		return found, err
	}
	for table, text := range texts.Tables {
		found = append(found, traitsOf("table "+table, text)...)
		for _, index := range texts.Indexes[table] {
			found = append(found, traitsOf("index "+index.Name, index.SQL)...)
		}
	}
	slices.Sort(found)
	return found, nil
}

// traitsOf returns the traits that SQLite's catalogue tells only in a CREATE statement.
func traitsOf(of, text string) Traits {
	var found Traits
	depth, part := 0, ""
	tokens := append(script.Tokens(migrations.SQLite, text), script.Token{}, script.Token{}) // so that two tokens follow each
	for i, t := range tokens[:len(tokens)-2] {
		switch {
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		}
		if depth == 1 && t.Is("(", ",") {
			if part = tokens[i+1].Name(); tokens[i+1].Is("CONSTRAINT") {
				part = tokens[i+2].Name()
			}
		}
		if trait := traitAt(tokens, i); trait != "" {
			found = append(found, of+", "+part+": "+trait)
		}
	}
	return found
}

// traitAt returns the trait that begins with a token, or "".
func traitAt(tokens []script.Token, i int) string {
	t, rest := tokens[i], tokens[i+1:]
	switch {
	case t.Is("COLLATE") && !rest[0].Is("BINARY"):
		return "collation " + rest[0].Name()
	case t.Is("ON") && rest[0].Is("CONFLICT") && !rest[1].Is("ABORT"):
		return "on conflict " + rest[1].Name()
	case t.Is("DEFERRABLE") && !tokens[i-1].Is("NOT") && rest[0].Is("INITIALLY"):
		return "deferrable, initially " + rest[1].Name()
	case t.Is("DEFERRABLE") && !tokens[i-1].Is("NOT"):
		return "deferrable, initially immediate"
	default:
		return ""
	}
}

// without returns the traits that other lacks.
func (all Traits) without(other Traits) Traits {
	return slices.DeleteFunc(slices.Clone(all), func(trait string) bool { return slices.Contains(other, trait) })
}

// notValid ends the trait of a constraint whose older rows were not checked.
const notValid = ": not valid"

// validated returns the traits without those of NOT VALID constraints. No change has to lead to these traits: a
// constraint may hold for more rows than it must.
func (all Traits) validated() Traits {
	return slices.DeleteFunc(all, func(trait string) bool { return strings.HasSuffix(trait, notValid) })
}
