package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"novamind/migrations/lint"
)

// Rows decides over the rows that would be lost by undoing a version.
type Rows int

// The possible decisions.
const (
	KeepRows    Rows = iota // a version that would lose rows is not undone
	DiscardRows             // rows are discarded, except patients' rows
	MadeUpRows              // rows are discarded: the database is for trying migrations
)

// Reasons why a version is not undone.
var (
	ErrLosesPatients = errors.New("this would lose patients' data: restore a backup instead, or purge those patients first")
	ErrLosesRows     = errors.New("this would lose rows: keep them elsewhere, or say with --discard-rows that they may go")
	ErrUntold        = errors.New("a down file does not tell what it takes away: declare that in it, with -- migrate:drops TABLE, TABLE.COLUMN or nothing")
	ErrUnheld        = errors.New("a down file without a transaction can't be taken back once it ran: let it make or drop indexes and validate constraints alone, and move the rest to a version of its own")
	ErrMeanwhile     = errors.New("another run changed what is applied meanwhile: run it again")
)

// undoing examines the losses of the versions that are to be undone.
type undoing struct {
	*Runner

	versions []lint.Undoing
}

// prepare examines the versions from index from down to index to, without the version at to. It returns an error if
// one of them must stay.
func (u *undoing) prepare(conn *gorm.DB, from, to int) (err error) {
	if u.program.Rows == MadeUpRows {
		return nil
	}
	if u.versions, err = lint.Losses(conn.Statement.Context, u.set, from, to); err != nil {
		return err
	}
	for _, v := range u.versions {
		if err := u.lasts(conn, v.ID); err != nil {
			return fmt.Errorf("migration %s: %w", v.ID, err)
		}
	}
	return u.allowed(conn, u.versions...)
}

// ask returns an error if a version must stay. It locks the version's tables against writers.
func (u *undoing) ask(tx *gorm.DB, id string) error {
	if u.program.Rows == MadeUpRows {
		return nil
	}
	i := slices.IndexFunc(u.versions, func(v lint.Undoing) bool { return v.ID == id })
	if i < 0 {
		return ErrMeanwhile
	}
	for _, table := range tablesOf(u.versions[i].Losses) {
		there, err := u.has(tx, lint.Loss{Table: table})
		if err == nil && there {
			err = u.engine.hold(tx, table)
		}
		if err != nil {
			return err
		}
	}
	if err := u.lasts(tx, id); err != nil {
		return err
	}
	return u.allowed(tx, u.versions[i])
}

// lasts returns the refusal of the rows that keep a version where it is, if there are any.
func (u *undoing) lasts(tx *gorm.DB, id string) error {
	if u.program.Lasting == nil {
		return nil
	}
	l := u.program.Lasting(id)
	if l == nil {
		return nil
	}
	if there, err := u.has(tx, lint.Loss{Table: l.Table}); err != nil || !there {
		return err
	}
	var rows int64
	err := tx.Raw("SELECT count(*) FROM " + u.engine.quote(l.Table) + " WHERE " + l.Where).Scan(&rows).Error
	if err == nil && rows > 0 {
		err = l.Refusal(rows)
	}
	return err
}

func tablesOf(losses []lint.Loss) []string {
	var tables []string
	for _, l := range losses {
		tables = append(tables, l.Table)
	}
	slices.Sort(tables)
	return slices.Compact(tables)
}

// allowed returns an error if versions must stay, as far as their text tells their losses.
func (u *undoing) allowed(tx *gorm.DB, versions ...lint.Undoing) error {
	var short []shortfall
	for _, v := range versions {
		switch {
		case v.Unsure:
			return fmt.Errorf("%w (%s)", ErrUntold, v.ID)
		case v.Unheld:
			return fmt.Errorf("%w (%s)", ErrUnheld, v.ID)
		}
		for _, l := range u.program.lost(v.Losses) {
			rows, err := u.rows(tx, l)
			if err != nil {
				return err
			}
			if rows > 0 {
				short = append(short, shortfall{l, rows})
			}
		}
	}
	_, err := u.verdict(short)
	return err
}

// verdict returns the rows that may go, or an error if all must stay.
func (u *undoing) verdict(short []shortfall) (discarded string, err error) {
	var patients, others []string
	for _, s := range short {
		if u.program.keeps(s.Loss) {
			patients = append(patients, s.String())
		} else {
			others = append(others, s.String())
		}
	}
	switch {
	case len(patients) > 0:
		return "", fmt.Errorf("%w (%s)", ErrLosesPatients, strings.Join(patients, ", "))
	case len(others) > 0 && u.program.Rows == KeepRows:
		return "", fmt.Errorf("%w (%s)", ErrLosesRows, strings.Join(others, ", "))
	default:
		return strings.Join(others, ", "), nil
	}
}

// lost returns the losses without the columns that the program fills again.
func (p Program) lost(losses []lint.Loss) []lint.Loss {
	return slices.DeleteFunc(slices.Clone(losses), func(l lint.Loss) bool { return slices.Contains(p.Derived, l.Table+"."+l.Column) })
}

// keeps reports whether a loss is forbidden under every value of Rows.
func (p Program) keeps(l lint.Loss) bool {
	return l.Sealed || l.Column != "" && slices.Contains(p.Vouched, l.Table)
}

// rows counts the rows that a loss concerns: the rows of a table, or the rows with a value in a column. It returns 0
// for a missing table or column.
func (u *undoing) rows(tx *gorm.DB, l lint.Loss) (n int64, err error) {
	there, err := u.has(tx, l)
	if err != nil || !there {
		return 0, err
	}
	what := "*"
	if l.Column != "" {
		what = u.engine.quote(l.Column)
	}
	err = tx.Raw("SELECT count(" + what + ") FROM " + u.engine.quote(l.Table)).Scan(&n).Error
	return n, err
}

// has reports whether the database has a table, or a column.
func (u *undoing) has(tx *gorm.DB, l lint.Loss) (there bool, err error) {
	if l.Column != "" {
		err = tx.Raw(u.engine.hasColumn, l.Table, l.Column).Scan(&there).Error
		return there, err
	}
	var columns int
	err = tx.Raw(u.engine.columns, l.Table).Scan(&columns).Error
	return columns > 0, err
}
