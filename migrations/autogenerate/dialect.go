package autogenerate

import (
	"context"
	"database/sql"
	"strings"

	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
)

// ExecContext completes a CREATE TABLE and runs it.
func (c createTable) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.ConnPool.ExecContext(ctx, c.complete(query), args...)
}

// The form of our columns where GORM's differs, by GORM's word.
var (
	postgresWords = map[string]string{"timestamptz": "timestamptz(6)", "JSONB": "jsonb", "CURRENT_TIMESTAMP": "now()"}
	sqliteWords   = map[string]string{
		"uuid": "text", "numeric": "boolean", "JSON": "json",
		"CURRENT_TIMESTAMP": "(strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'))", // RFC 3339 but for the space, as GORM writes times
	}
)

// column translates the definition of a column: its type comes first, its default last.
func column(definition string, words map[string]string) string {
	kind, rest, _ := strings.Cut(definition, " ")
	if word, ok := words[kind]; ok {
		kind = word
	}
	head, value, ok := strings.Cut(rest, "DEFAULT ")
	if word, known := words[value]; known {
		value = word
	}
	if ok {
		head += "DEFAULT " + value
	}
	return strings.TrimRight(kind+" "+head, " ")
}

// withDefault adds the default of a field's tag migrate:"default=…". GORM's own processing of rows does not know that
// default.
func withDefault(field *schema.Field, definition string) string {
	if value, ok := fromTag(field, "default"); ok {
		definition += " DEFAULT " + value
	}
	return definition
}

// fromTag returns the value of name in a field's tag migrate:"name=value;…".
func fromTag(field *schema.Field, name string) (string, bool) {
	for part := range strings.SplitSeq(field.Tag.Get("migrate"), ";") {
		if key, value, ok := strings.Cut(part, "="); ok && key == name {
			return value, true
		}
	}
	return "", false
}

type postgresDialect struct{ *postgres.Dialector }

// Migrator implements gorm.Dialector.
func (d postgresDialect) Migrator(db *gorm.DB) gorm.Migrator {
	return postgresMigrator{postgres.Migrator{Migrator: migrator.Migrator{
		Config: migrator.Config{DB: db, Dialector: d, CreateIndexAfterCreateTable: true},
	}}}
}

type postgresMigrator struct{ postgres.Migrator }

// FullDataTypeOf returns a column's type, nullability and default.
func (m postgresMigrator) FullDataTypeOf(field *schema.Field) clause.Expr {
	expr := m.Migrator.FullDataTypeOf(field)
	expr.SQL = withDefault(field, column(expr.SQL, postgresWords))
	return expr
}

type sqliteDialect struct{ *sqlite.Dialector }

// Migrator implements gorm.Dialector.
func (d sqliteDialect) Migrator(db *gorm.DB) gorm.Migrator {
	return sqliteMigrator{sqlite.Migrator{Migrator: migrator.Migrator{
		Config: migrator.Config{DB: db, Dialector: d, CreateIndexAfterCreateTable: true},
	}}}
}

type sqliteMigrator struct{ sqlite.Migrator }

// FullDataTypeOf returns a column's type, nullability and default. A primary key takes NULL on SQLite, unless told.
func (m sqliteMigrator) FullDataTypeOf(field *schema.Field) clause.Expr {
	if field.PrimaryKey && !field.AutoIncrement {
		notNull := *field
		notNull.NotNull = true
		field = &notNull
	}
	expr := m.Migrator.FullDataTypeOf(field)
	expr.SQL = withDefault(field, column(expr.SQL, sqliteWords))
	return expr
}
