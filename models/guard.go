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
	"gorm.io/gorm/callbacks"
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
// refuses a statement on a table with sealed columns that its hooks would not see, and a change of it, or of any versioned row, outside
// a transaction, where it could not commit together with its event. It also makes every change of a versioned row depend
// on the version that was read.
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
		c.Row().Before("*").Register(guardName, checked(g.checkRow)),
		c.Raw().Before("*").Register(guardName, checked(g.checkRaw)),
		c.Create().After("*").Register(guardName+":after", settleVersions),
		// Before the hooks that note the change: there was none.
		c.Update().After("gorm:update").Before("gorm:after_update").Register(guardName+":stale", noStaleChange),
		c.Update().After("*").Register(guardName+":after", settleVersions),
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
	return g.words.MatchString(stmt.SQL.String())
}

// reads reports whether a query names such a table anywhere, also in a join, a subquery or a clause. Its text tells: it is built
// here, and GORM's own callback finds it built.
func (g *Guard) reads(stmt *gorm.Statement) bool {
	if g.touches(stmt) {
		return true
	}
	callbacks.BuildQuerySQL(stmt.DB)
	return g.touches(stmt)
}

// writes reports whether a change could reach such a table: also one whose clauses, and not its model, name the table.
func (g *Guard) writes(stmt *gorm.Statement) bool {
	return g.touches(stmt) || onlyClauses(stmt, "WHERE", "SET", "RETURNING", "ON CONFLICT") != nil
}

// onlyClauses refuses a statement to which a caller gave other clauses than these.
func onlyClauses(stmt *gorm.Statement, names ...string) error {
	for name := range stmt.Clauses {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: %s clauses", ErrBypass, name)
		}
	}
	return nil
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

// throughRow refuses a change of a sealed table that is not one of whole rows, as their model has them, in a transaction.
func (g *Guard) throughRow(stmt *gorm.Statement, clauses ...string) error {
	if err := g.throughModel(stmt); err != nil {
		return err
	}
	if _, inTransaction := stmt.ConnPool.(gorm.TxCommitter); !inTransaction {
		return fmt.Errorf("%w: a change outside a transaction", ErrBypass)
	}
	return onlyClauses(stmt, clauses...)
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

// checkQuery also judges subqueries, which GORM builds by dry runs whose errors it drops: a refused one leaves text that no
// engine takes, and that names a sealed table, so that the query around it is refused too.
func (g *Guard) checkQuery(stmt *gorm.Statement) error {
	err := g.checkRead(stmt)
	if err != nil && stmt.DryRun {
		stmt.SQL.Reset()
		stmt.SQL.WriteString("refused " + layoutOf(&Patient{}).table)
	}
	return err
}

func (g *Guard) checkRead(stmt *gorm.Statement) error {
	if !g.reads(stmt) {
		return nil
	}
	if err := g.throughModel(stmt); err != nil {
		return err
	}
	if stmt.SQL.Len() > 0 { // it could also be a change that returns rows
		return fmt.Errorf("%w: raw SQL", ErrBypass)
	}
	switch stmt.Dest.(type) {
	case *int64, *[]uuid.UUID, *[]RowVersion: // a count or bare ids show nobody, and hold no sealed value
		return onlyClauses(stmt, "SELECT", "WHERE", "ORDER BY", "LIMIT", "FOR")
	}
	if !isModel(stmt, stmt.Dest) || len(stmt.Selects) > 0 || len(stmt.Omits) > 0 {
		return fmt.Errorf("%w: read whole rows into the model", ErrBypass)
	}
	return onlyClauses(stmt, "WHERE", "ORDER BY", "LIMIT", "FOR")
}

// inTransaction refuses a change of a row whose changes are events where the event could not commit with it.
func inTransaction(stmt *gorm.Statement) error {
	if stmt.Schema == nil {
		return nil
	}
	_, versioned := reflect.TypeAssert[interface{ rowVersion() *int64 }](reflect.New(stmt.Schema.ModelType))
	_, open := stmt.ConnPool.(gorm.TxCommitter)
	if versioned && !open {
		return fmt.Errorf("%w: a change outside a transaction", ErrBypass)
	}
	return nil
}

func (g *Guard) checkCreate(stmt *gorm.Statement) error {
	if !g.writes(stmt) {
		return inTransaction(stmt)
	}
	if err := g.throughRow(stmt, "WHERE"); err != nil { // FirstOrCreate's; an INSERT has none
		return err
	}
	if !isModel(stmt, stmt.Dest) || len(stmt.Selects) > 0 || len(stmt.Omits) > 0 {
		return fmt.Errorf("%w: create whole rows from the model", ErrBypass)
	}
	var err error
	each(stmt.ReflectValue, func(m any) {
		if e, ok := m.(entity); ok && e.base().before != nil {
			err = fmt.Errorf("%w: create a row that is there already", ErrBypass) // the hooks would note a change
		}
	})
	return err
}

func (g *Guard) checkUpdate(stmt *gorm.Statement) error {
	if g.writes(stmt) {
		if err := g.throughRow(stmt); err != nil {
			return err
		}
		if _, one := stmt.Dest.(entity); !one || stmt.Dest != stmt.Model || !slices.Equal(stmt.Selects, []string{"*"}) || len(stmt.Omits) > 0 {
			return fmt.Errorf(`%w: change a row with Select("*").Updates(row)`, ErrBypass)
		}
	}
	if err := inTransaction(stmt); err != nil {
		return err
	}
	return requireVersion(stmt)
}

func (g *Guard) checkDelete(stmt *gorm.Statement) error {
	if g.writes(stmt) {
		if err := g.throughRow(stmt); err != nil {
			return err
		}
		if m, ok := stmt.Dest.(entity); !ok || m.base().before == nil {
			return fmt.Errorf("%w: delete one row that was read", ErrBypass)
		}
		if !stmt.Schema.AfterDelete {
			return fmt.Errorf("%w: the model has no hook that notes the removal", ErrBypass)
		}
	}
	if err := inTransaction(stmt); err != nil {
		return err
	}
	return requireVersion(stmt)
}

// checkRow refuses all rows of sealed tables that come without a model.
func (g *Guard) checkRow(stmt *gorm.Statement) error {
	if g.reads(stmt) {
		return fmt.Errorf("%w: bare rows", ErrBypass)
	}
	return nil
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

// settleVersions ends what seal began: where a row was not written, the version that was counted up for it is taken back.
func settleVersions(db *gorm.DB) {
	if db.Statement.Schema == nil {
		return
	}
	each(db.Statement.ReflectValue, func(m any) {
		e, ok := m.(entity)
		if !ok || !e.base().counted {
			return
		}
		e.base().counted = false
		if v, versioned := m.(interface{ rowVersion() *int64 }); versioned && db.Error != nil {
			*v.rowVersion()--
		}
	})
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
