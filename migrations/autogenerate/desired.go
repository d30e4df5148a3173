// Package autogenerate writes the migration from the migrations' schema to the models' schema. AutoMigrate runs only
// here, on scratch databases. The caller passes the models in: this package knows none.
package autogenerate

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"novamind/migrations"
)

// Desired is the schema that the program needs.
type Desired struct {
	Models []any
	Naming schema.Namer
	Extras func(engine string) (Extras, error)
	// Digested are the tables for whose rows the audit log has digests: SQL must not give them values.
	Digested []string
}

// Extras are the schema objects on one engine that GORM's tags can't express.
type Extras struct {
	Constraints map[string][]string // by table: the definitions that its CREATE TABLE has besides GORM's
	Options     map[string]string   // by table: the options that follow its CREATE TABLE
	Script      string              // functions, triggers, views: runs when all tables are there
}

// Build makes the desired schema in db, an empty scratch database.
func (d Desired) Build(ctx context.Context, db *gorm.DB) error {
	extras, err := d.Extras(db.Name())
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	conn := createTable{ConnPool: pool, extras: extras}
	desired, err := gorm.Open(dialectorOn(db.Name(), conn), &gorm.Config{
		NamingStrategy: d.Naming, Logger: logger.Discard, SkipDefaultTransaction: true, DisableAutomaticPing: true,
	})
	if err != nil {
		return err
	}
	if err := desired.WithContext(ctx).AutoMigrate(d.Models...); err != nil {
		return fmt.Errorf("the models' tables: %w", err)
	}
	if _, err := pool.ExecContext(ctx, extras.Script); err != nil {
		return fmt.Errorf("the models' extras for %s: %w", db.Name(), err)
	}
	return nil
}

func dialectorOn(engine string, conn gorm.ConnPool) gorm.Dialector {
	if engine == migrations.SQLite {
		return sqliteDialect{&sqlite.Dialector{Conn: conn}}
	}
	return postgresDialect{postgres.New(postgres.Config{Conn: conn}).(*postgres.Dialector)} //nolint:forcetypeassert // it is
}

// createTable completes the CREATE TABLE statements that pass through it.
type createTable struct {
	gorm.ConnPool

	extras Extras
}

// complete names the primary key and adds the table's schema objects.
func (c createTable) complete(statement string) string {
	rest, ok := strings.CutPrefix(statement, "CREATE TABLE ")
	if !ok {
		return statement
	}
	quoted, _, _ := strings.Cut(rest, " ")
	table := strings.Trim(quoted, "`\"")
	key := quoted[:1] + table + "_pkey" + quoted[:1]
	statement = strings.Replace(statement, ",PRIMARY KEY (", ",CONSTRAINT "+key+" PRIMARY KEY (", 1)
	if end := strings.LastIndexByte(statement, ')'); end >= 0 {
		more := ""
		for _, constraint := range c.extras.Constraints[table] {
			more += "," + constraint
		}
		statement = statement[:end] + more + ")" + c.extras.Options[table]
	}
	return statement
}
