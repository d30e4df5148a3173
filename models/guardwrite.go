package models

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// writes reports whether a change could reach a table with sealed columns. It also finds a change whose clauses,
// and not its model, name the table.
func (g *Guard) writes(stmt *gorm.Statement) bool {
	return g.touches(stmt) || onlyClauses(stmt, "WHERE", "SET", "RETURNING", "ON CONFLICT") != nil
}

// throughRow refuses a change of a sealed table unless it changes whole rows of the table's model in a transaction.
func (g *Guard) throughRow(stmt *gorm.Statement, clauses ...string) error {
	if err := g.throughModel(stmt); err != nil {
		return err
	}
	if _, inTransaction := stmt.ConnPool.(gorm.TxCommitter); !inTransaction {
		return fmt.Errorf("%w: a change outside a transaction", ErrBypass)
	}
	return onlyClauses(stmt, clauses...)
}

// change checks a change of any table.
func (g *Guard) change(stmt *gorm.Statement) error {
	if stmt.DryRun {
		return fmt.Errorf("%w: a dry run of a change, which the hooks would record as a change", ErrBypass)
	}
	return errors.Join(g.checkRaw(stmt), sameRows(stmt.Model), sameRows(stmt.Dest), inTransaction(stmt))
}

// sameRows refuses rows whose id has changed since they were read: they would be written over other rows.
func sameRows(rows any) (err error) {
	each(reflect.ValueOf(rows), func(m any) {
		e, ok := m.(entity)
		if !ok {
			return
		}
		if old, read := e.base().before.(entity); read && old.base().ID != e.base().ID {
			err = fmt.Errorf("%w: the id of a row that was read has changed", ErrBypass)
		}
	})
	return err
}

// inTransaction refuses a change of a versioned row if its event could not commit with it.
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

// elsewhere checks the SQL of a change of another table once the SQL is built. Expressions, subqueries and
// conditions can name a sealed table as well. Derived tables may be written only by the hooks of their source
// tables. The check is a clause after all others that writes nothing. If it finds an error, GORM does not send the
// statement.
func (g *Guard) elsewhere(stmt *gorm.Statement) {
	stmt.Clauses[guardName] = clause.Clause{Builder: func(clause.Clause, clause.Builder) {
		delete(stmt.Clauses, guardName)
		text := stmt.SQL.String()
		if g.words.MatchString(text) || g.derivedWords.MatchString(text) && !following(stmt.Context) {
			_ = stmt.AddError(fmt.Errorf("%w: it names a table that this statement must not write or read", ErrBypass))
		}
	}}
	stmt.BuildClauses = append(slices.Clip(stmt.BuildClauses), guardName)
}

func (g *Guard) checkCreate(stmt *gorm.Statement) error {
	if err := g.change(stmt); err != nil {
		return err
	}
	if !g.writes(stmt) {
		g.elsewhere(stmt)
		return nil
	}
	if err := g.throughRow(stmt, "WHERE"); err != nil { // FirstOrCreate has it; an INSERT has no WHERE
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
	if err := g.change(stmt); err != nil {
		return err
	}
	if !g.writes(stmt) {
		g.elsewhere(stmt)
		return requireVersion(stmt)
	}
	if err := g.throughRow(stmt); err != nil {
		return err
	}
	if _, one := stmt.Dest.(entity); !one || stmt.Dest != stmt.Model || !slices.Equal(stmt.Selects, []string{"*"}) || len(stmt.Omits) > 0 {
		return fmt.Errorf(`%w: change a row with Select("*").Updates(row)`, ErrBypass)
	}
	return requireVersion(stmt)
}

func (g *Guard) checkDelete(stmt *gorm.Statement) error {
	if err := g.change(stmt); err != nil {
		return err
	}
	if !g.writes(stmt) {
		g.elsewhere(stmt)
		return requireVersion(stmt)
	}
	if err := g.throughRow(stmt); err != nil {
		return err
	}
	if m, ok := stmt.Dest.(entity); !ok || m.base().before == nil {
		return fmt.Errorf("%w: delete one row that was read", ErrBypass)
	}
	if !stmt.Schema.AfterDelete {
		return fmt.Errorf("%w: the model has no hook that notes the removal", ErrBypass)
	}
	return requireVersion(stmt)
}

// requireVersion adds the version that was read to the conditions of a change.
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

// settleVersions ends the work of seal: if a row was not written, it takes back the incremented version.
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
