package models

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

var (
	// ErrBypass is returned for a statement that would reach a table with sealed columns past the hooks that seal,
	// open and audit.
	ErrBypass = errors.New("models: this statement would bypass sealing and auditing")
	// ErrStale is returned if the row was changed, or removed, since it was read.
	ErrStale = errors.New("models: the row has changed since it was read")
)

const guardName = "novamind:guard"

// Guard is the GORM plugin that gives hooks their keyring and catches statements that would bypass the hooks. On
// all six of GORM's processors, it refuses a statement on a table with sealed columns that the hooks would not see.
// It also refuses a change of such a table, or of any versioned row, outside a transaction: the change could not
// commit together with its event. It makes every change of a versioned row depend on the version that was read. The
// guard protects against mistakes, not against code that hides the effect of its SQL.
type Guard struct {
	Keyring *phi.Keyring
	// Reload reads the keysets again, in the transaction of tx.
	Reload func(tx *gorm.DB) error

	sealed       map[string]reflect.Type // table → model
	words        *regexp.Regexp          // matches the names of these tables
	derivedWords *regexp.Regexp          // matches the names of tables that hooks alone write
	comparisons  map[string]comparison   // by table
}

// derived models have rows that follow from other rows: only the hooks of those rows write them.
type derived interface{ derived() }

// Name implements gorm.Plugin.
func (*Guard) Name() string { return guardName }

// Initialize implements gorm.Plugin.
func (g *Guard) Initialize(db *gorm.DB) error {
	g.sealed, g.comparisons = map[string]reflect.Type{}, map[string]comparison{}
	var sealed, follow []string
	for _, m := range All() {
		l := layoutOf(m)
		if len(l.sealed) > 0 {
			g.sealed[l.table], g.comparisons[l.table] = reflect.TypeOf(m).Elem(), comparisonOf(l.table)
			sealed = append(sealed, l.table)
		}
		if _, ok := m.(derived); ok {
			follow = append(follow, l.table)
		}
	}
	g.words, g.derivedWords = wordsOf(sealed), wordsOf(follow)
	db.Dialector = joining{db.Dialector}
	c := db.Callback()
	return errors.Join(
		c.Create().Before("*").Register(guardName, checked(g.checkCreate)),
		c.Query().Before("*").Register(guardName, checked(g.checkQuery)),
		c.Update().Before("*").Register(guardName, checked(g.checkUpdate)),
		c.Delete().Before("*").Register(guardName, checked(g.checkDelete)),
		c.Row().Before("*").Register(guardName, checked(g.checkRow)),
		c.Raw().Before("*").Register(guardName, checked(g.checkRaw)),
		c.Create().After("*").Register(guardName+":after", settleVersions),
		// Runs before the hooks that note the change, because there was none.
		c.Update().After("gorm:update").Before("gorm:after_update").Register(guardName+":stale", noStaleChange),
		c.Update().After("*").Register(guardName+":after", settleVersions),
		c.Delete().After("gorm:delete").Before("gorm:after_delete").Register(guardName+":after", noStaleChange),
	)
}

func wordsOf(tables []string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|[^a-z0-9_])(` + strings.Join(tables, "|") + `)([^a-z0-9_]|$)`)
}

func keyringOf(tx *gorm.DB) (*phi.Keyring, error) {
	g, ok := tx.Plugins[guardName].(*Guard)
	if !ok || g.Keyring == nil {
		return nil, fmt.Errorf("%w: no keyring", ErrBypass)
	}
	return g.Keyring, nil
}

func checked(check func(*gorm.Statement) error) func(*gorm.DB) {
	return func(db *gorm.DB) {
		if db.Error == nil {
			_ = db.AddError(check(db.Statement))
		}
	}
}

// touches reports whether a statement names a table with sealed columns, as its own table, in a join or in its text.
func (g *Guard) touches(stmt *gorm.Statement) bool {
	return g.sealed[stmt.Table] != nil || stmt.Schema != nil && g.sealed[stmt.Schema.Table] != nil ||
		stmt.TableExpr != nil && g.words.MatchString(stmt.TableExpr.SQL) || g.words.MatchString(stmt.SQL.String())
}

// onlyClauses refuses a statement with clauses other than names.
func onlyClauses(stmt *gorm.Statement, names ...string) error {
	for name := range stmt.Clauses {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: %s clauses", ErrBypass, name)
		}
	}
	return nil
}

// throughModel refuses a statement on a sealed table that does not use the table's own model and its hooks.
func (g *Guard) throughModel(stmt *gorm.Statement) error {
	if stmt.Schema == nil || g.sealed[stmt.Schema.Table] != stmt.Schema.ModelType || stmt.Table != stmt.Schema.Table {
		return fmt.Errorf("%w: use the model of the table", ErrBypass)
	}
	if stmt.SkipHooks {
		return fmt.Errorf("%w: hooks are switched off", ErrBypass)
	}
	if len(stmt.Joins) > 0 || stmt.TableExpr != nil {
		return fmt.Errorf("%w: joins and table expressions", ErrBypass)
	}
	_, err := audit.Current(stmt.Context)
	return err
}

// isModel reports whether dest is a pointer to the statement's model, or to a slice of it.
func isModel(stmt *gorm.Statement, dest any) bool {
	t := reflect.TypeOf(dest)
	if t == nil {
		return false
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	return t == stmt.Schema.ModelType
}

func each(rows reflect.Value, do func(any)) {
	rows = reflect.Indirect(rows)
	switch rows.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range rows.Len() {
			each(rows.Index(i), do)
		}
	case reflect.Struct:
		if rows.CanAddr() {
			do(rows.Addr().Interface())
		}
	}
}
