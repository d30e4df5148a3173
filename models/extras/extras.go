// Package extras declares the schema objects that GORM's tags can't express: the CHECKs of sealed columns, triggers,
// functions, views, exclusion constraints and table options. The migrations make these objects. The comparison of
// models and migrations needs both to declare the same.
//
// A file <subject>.<postgres|sqlite>.sql holds plain SQL, which runs after all tables were made, audit's first, then
// by name. SQLite can't add a constraint to a table. There, a statement ALTER TABLE <table> ADD CONSTRAINT …; at the
// start of a line becomes a part of CREATE TABLE. The CHECK of a sealed column is derived from its model, unless a
// file declares a CHECK of the same name. The triggers that refuse values under a retired key are derived too.
package extras

import (
	"embed"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"novamind/models"
)

//go:embed *.sql
var files embed.FS

// withoutRowID are the tables that SQLite stores in their primary key, WITHOUT ROWID.
var withoutRowID = []string{"blindindex", "auditsubject", "auditoutbox", "carerelationship"}

// Extras are the schema objects on one engine that GORM can't express.
type Extras struct {
	Constraints map[string][]string // by table: the definitions that its CREATE TABLE has besides GORM's
	Options     map[string]string   // by table: the options that follow its CREATE TABLE
	Script      string              // functions, triggers, views: runs when all tables are there
}

// addConstraint finds the statements of a SQLite file that become a part of CREATE TABLE.
var addConstraint = regexp.MustCompile(`(?ms)^ALTER TABLE (\w+)\s+ADD (CONSTRAINT .+?);$`)

// Of returns the schema objects of all models on an engine.
func Of(engine string) (Extras, error) { return of(engine, models.All()) }

func of(engine string, all []any) (Extras, error) {
	script, err := read(engine)
	if err != nil {
		return Extras{}, err
	}
	extras := Extras{Constraints: map[string][]string{}, Options: map[string]string{}}
	sealed, err := sealedColumns(all)
	if err != nil {
		return Extras{}, err
	}
	for _, c := range sealed {
		name, expression := c.check(engine)
		if !strings.Contains(script, "CONSTRAINT "+name+" CHECK") {
			extras.Constraints[c.table] = append(extras.Constraints[c.table], "CONSTRAINT "+name+" CHECK ("+expression+")")
		}
	}
	if engine == "sqlite" {
		for _, part := range addConstraint.FindAllStringSubmatch(script, -1) {
			extras.Constraints[part[1]] = append(extras.Constraints[part[1]], part[2])
		}
		script = addConstraint.ReplaceAllString(script, "")
		for _, table := range withoutRowID {
			extras.Options[table] = " WITHOUT ROWID"
		}
	}
	extras.Script = retirement(engine, sealed) + script
	return extras, nil
}

// read returns the files of an engine, one after the other.
func read(engine string) (string, error) {
	names, err := fs.Glob(files, "*."+engine+".sql") // sorted
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(names, func(a, b string) int { return order(a) - order(b) })
	var script strings.Builder
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return "", err
		}
		script.Write(text)
		script.WriteByte('\n')
	}
	return script.String(), nil
}

// order puts functions before the other tables' triggers that call them.
func order(file string) int {
	if strings.HasPrefix(file, "audit.") {
		return 0
	}
	return 1
}
