package models

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
)

// reads reports whether a query names a table with sealed columns anywhere, also in a join, a subquery or a clause.
// It builds the text of the query to find out; GORM's own callback then finds the text already built.
func (g *Guard) reads(stmt *gorm.Statement) bool {
	if g.touches(stmt) {
		return true
	}
	callbacks.BuildQuerySQL(stmt.DB)
	return g.touches(stmt)
}

// checkQuery also judges subqueries, which GORM builds by dry runs whose errors it drops. A refused subquery leaves
// text that no engine accepts and that names a sealed table, so that the query around it is refused too.
func (g *Guard) checkQuery(stmt *gorm.Statement) error {
	err := g.checkRead(stmt)
	if err != nil && stmt.DryRun {
		stmt.SQL.Reset()
		stmt.SQL.WriteString("refused " + layoutOf(&Patient{}).table)
	}
	return err
}

func (g *Guard) checkRead(stmt *gorm.Statement) error {
	if err := g.checkRaw(stmt); err != nil {
		return err
	}
	if !g.reads(stmt) {
		return nil
	}
	if err := g.throughModel(stmt); err != nil {
		return err
	}
	bare := false
	switch stmt.Dest.(type) {
	case *int64, *[]uuid.UUID, *[]RowVersion: // a count or bare ids show no data, and hold no sealed value
		bare = true
	}
	clauses := []string{"WHERE", "ORDER BY", "LIMIT", "FOR"}
	if bare {
		clauses = append(clauses, "SELECT")
	} else if !isModel(stmt, stmt.Dest) || len(stmt.Selects) > 0 || len(stmt.Omits) > 0 {
		return fmt.Errorf("%w: read whole rows into the model", ErrBypass)
	}
	if err := onlyClauses(stmt, clauses...); err != nil {
		return err
	}
	callbacks.BuildQuerySQL(stmt.DB)
	text := stmt.SQL.String()
	if !bare { // the part before FROM names all columns
		_, text, _ = strings.Cut(text, " FROM ")
	}
	if g.comparisons[stmt.Table].in(text) {
		return fmt.Errorf("%w: a condition on a sealed column, which finds nothing; search by the blind index", ErrBypass)
	}
	return nil
}

// checkRow refuses all rows of sealed tables that are read without a model.
func (g *Guard) checkRow(stmt *gorm.Statement) error {
	if err := g.checkRaw(stmt); err != nil {
		return err
	}
	if g.reads(stmt) {
		return fmt.Errorf("%w: bare rows", ErrBypass)
	}
	return nil
}

// checkRaw refuses raw SQL that names a sealed or derived table, or controls the transaction. Such SQL could also
// be a change that returns rows.
func (g *Guard) checkRaw(stmt *gorm.Statement) error {
	text := stmt.SQL.String()
	switch {
	case text == "":
		return nil
	case g.words.MatchString(text), g.derivedWords.MatchString(text):
		return fmt.Errorf("%w: raw SQL", ErrBypass)
	case controlsTransaction.MatchString(text):
		return errNested
	default:
		return nil
	}
}
