package models

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

var (
	// ErrBypass: a statement would reach a table with sealed columns past the hooks that seal, open and audit.
	ErrBypass = errors.New("models: this statement would pass sealing and auditing by")
	// ErrStale: the row was changed, or removed, since it was read.
	ErrStale = errors.New("models: the row has changed since it was read")
)

const guardName = "novamind:guard"

// Guard is the GORM plugin that hands hooks their keyring, and the net under them: on all six of GORM's processors it
// refuses a statement on a table with sealed columns that its hooks would not see. It also makes every change of a
// versioned row depend on the version that was read.
type Guard struct {
	Keyring *phi.Keyring
	// Reload reads the keysets again, in the transaction of tx.
	Reload func(tx *gorm.DB) error

	sealed map[string]reflect.Type // table → model
	words  *regexp.Regexp
}

// Name implements gorm.Plugin.
func (*Guard) Name() string { return guardName }

// Initialize implements gorm.Plugin.
func (g *Guard) Initialize(db *gorm.DB) error {
	g.sealed = map[string]reflect.Type{}
	var names []string
	for _, m := range All() {
		if l := layoutOf(m); len(l.sealed) > 0 {
			g.sealed[l.table] = reflect.TypeOf(m).Elem()
			names = append(names, l.table)
		}
	}
	g.words = regexp.MustCompile(`(?i)(^|[^a-z0-9_])(` + strings.Join(names, "|") + `)([^a-z0-9_]|$)`)
	c := db.Callback()
	return errors.Join(
		c.Create().Before("*").Register(guardName, checked(g.checkCreate)),
		c.Query().Before("*").Register(guardName, checked(g.checkQuery)),
		c.Update().Before("*").Register(guardName, checked(g.checkUpdate)),
		c.Delete().Before("*").Register(guardName, checked(g.checkDelete)),
		c.Row().Before("*").Register(guardName, checked(g.checkRaw)),
		c.Raw().Before("*").Register(guardName, checked(g.checkRaw)),
		c.Create().After("*").Register(guardName+":after", restoreVersions),
		// Before the hooks that note the change: there was none.
		c.Update().After("gorm:update").Before("gorm:after_update").Register(guardName+":stale", noStaleChange),
		c.Update().After("*").Register(guardName+":after", restoreVersions),
		c.Delete().After("gorm:delete").Before("gorm:after_delete").Register(guardName+":after", noStaleChange),
	)
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
	if _, ok := g.sealed[stmt.Table]; ok {
		return true
	}
	if stmt.Schema != nil {
		if _, ok := g.sealed[stmt.Schema.Table]; ok {
			return true
		}
	}
	if stmt.TableExpr != nil && g.words.MatchString(stmt.TableExpr.SQL) {
		return true
	}
	for _, join := range stmt.Joins {
		if g.words.MatchString(join.Name) {
			return true
		}
	}
	return g.words.MatchString(stmt.SQL.String())
}

// throughModel refuses a statement on a sealed table that is not made with the table's own model and its hooks.
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

func (g *Guard) checkQuery(stmt *gorm.Statement) error {
	if !g.touches(stmt) {
		return nil
	}
	if err := g.throughModel(stmt); err != nil {
		return err
	}
	switch stmt.Dest.(type) {
	case *int64, *[]uuid.UUID:
		return nil // a count or bare ids show nobody, and hold no sealed value
	}
	if !isModel(stmt, stmt.Dest) || len(stmt.Selects) > 0 || len(stmt.Omits) > 0 {
		return fmt.Errorf("%w: read whole rows into the model", ErrBypass)
	}
	return nil
}

func (g *Guard) checkCreate(stmt *gorm.Statement) error {
	if !g.touches(stmt) {
		return nil
	}
	if err := g.throughModel(stmt); err != nil {
		return err
	}
	if _, upsert := stmt.Clauses[clause.OnConflict{}.Name()]; upsert || !isModel(stmt, stmt.Dest) || len(stmt.Selects) > 0 || len(stmt.Omits) > 0 {
		return fmt.Errorf("%w: create whole rows from the model", ErrBypass)
	}
	return nil
}

func (g *Guard) checkUpdate(stmt *gorm.Statement) error {
	if g.touches(stmt) {
		if err := g.throughModel(stmt); err != nil {
			return err
		}
		if stmt.Dest != stmt.Model || !slices.Equal(stmt.Selects, []string{"*"}) || len(stmt.Omits) > 0 {
			return fmt.Errorf(`%w: change a row with Select("*").Updates(row)`, ErrBypass)
		}
	}
	return requireVersion(stmt)
}

func (g *Guard) checkDelete(stmt *gorm.Statement) error {
	if g.touches(stmt) {
		if err := g.throughModel(stmt); err != nil {
			return err
		}
		if m, ok := stmt.Dest.(entity); !ok || m.base().before == nil {
			return fmt.Errorf("%w: delete one row that was read", ErrBypass)
		}
	}
	return requireVersion(stmt)
}

func (g *Guard) checkRaw(stmt *gorm.Statement) error {
	if g.touches(stmt) {
		return fmt.Errorf("%w: raw SQL", ErrBypass)
	}
	return nil
}

// requireVersion adds the version that was read to a change's conditions.
func requireVersion(stmt *gorm.Statement) error {
	if v, ok := stmt.Model.(interface{ rowVersion() *int64 }); ok && stmt.Schema != nil {
		stmt.AddClause(clause.Where{Exprs: []clause.Expression{
			clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "version"}, Value: *v.rowVersion()},
		}})
	}
	return nil
}

func noStaleChange(db *gorm.DB) {
	if _, versioned := db.Statement.Model.(interface{ rowVersion() *int64 }); versioned && db.Error == nil && db.RowsAffected == 0 {
		_ = db.AddError(ErrStale)
	}
}

// restoreVersions takes back the version that BeforeSave counted up, where the row was not written.
func restoreVersions(db *gorm.DB) {
	if db.Error == nil || db.Statement.Schema == nil {
		return
	}
	each(db.Statement.ReflectValue, func(m any) {
		if v, ok := m.(interface{ rowVersion() *int64 }); ok {
			*v.rowVersion() = versionBefore(m)
		}
	})
}

func versionBefore(m any) int64 {
	e, ok := m.(entity)
	if !ok || e.base().before == nil {
		return 0
	}
	return *e.base().before.(interface{ rowVersion() *int64 }).rowVersion() //nolint:forcetypeassert // a copy of m
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
