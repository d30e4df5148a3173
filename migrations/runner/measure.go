package runner

import (
	"slices"
	"strings"

	"gorm.io/gorm"

	"novamind/internal/plural"
	"novamind/migrations/lint"
)

// column is the measured content of a column: the number of values that are not NULL, and a digest of the values that
// does not depend on their order.
type column struct {
	values int64
	digest string
}

// holding is the measured content of a table.
type holding struct {
	kept    bool // its rows are patients', or a log vouches for them
	sealed  bool
	rows    int64
	columns map[string]column
}

// holdings is the measured content of a database, by table, without the runner's own tables.
type holdings map[string]holding

// watched undoes a version by execute and returns the discarded rows. If the version must stay, it returns the reason
// as an error, so that the transaction is rolled back. It measures the database before and after. So it also finds
// losses that no text tells: by cascades, triggers, views, or rows that a statement changes.
func (u *undoing) watched(tx *gorm.DB, id string, execute func() error) (discarded string, err error) {
	if u.program.Rows == MadeUpRows {
		return "", execute()
	}
	before, err := u.measure(tx)
	if err == nil {
		err = execute()
	}
	if err != nil {
		return "", err
	}
	after, err := u.measure(tx)
	if err != nil {
		return "", err
	}
	discarded, err = u.verdict(u.program.missing(before, after))
	if discarded != "" {
		u.log.Warn("undoing discards rows", "id", id, "rows", discarded)
	}
	return discarded, err
}

// measure returns the content of the database. Until tx ends, only tx can change patients' data.
func (u *undoing) measure(tx *gorm.DB) (holdings, error) {
	var all []struct {
		Name   string
		Sealed bool
	}
	if err := tx.Raw(u.engine.tables).Scan(&all).Error; err != nil {
		return nil, err
	}
	found := holdings{}
	for _, table := range all {
		if table.Name == Table || table.Name == LogTable {
			continue
		}
		kept := table.Sealed || slices.Contains(u.program.Vouched, table.Name)
		if kept {
			if err := u.engine.still(tx, table.Name); err != nil {
				return nil, err
			}
		}
		var names []string
		if err := tx.Raw(u.engine.columnNames, table.Name).Scan(&names).Error; err != nil {
			return nil, err
		}
		held, err := u.engine.measure(tx, table.Name, names)
		if err != nil {
			return nil, err
		}
		held.kept, held.sealed = kept, table.Sealed
		found[table.Name] = held
	}
	return found, nil
}

// shortfall is a loss in a table or column: fewer rows or values, or other values in place of the old ones.
type shortfall struct {
	lint.Loss

	rows int64 // 0: as many, with other values
}

func (s shortfall) String() string {
	name := strings.TrimSuffix(s.Table+"."+s.Column, ".")
	if s.rows == 0 {
		return name + ": other values"
	}
	return name + ": " + plural.Count(s.rows, "row", "rows")
}

// missing returns the losses from before to after, by name. It recognises renamed tables and columns by their
// content.
func (p Program) missing(before, after holdings) (short []shortfall) {
	for name, was := range before {
		now, ok := after[name]
		if !ok {
			now = after.renamed(before, was)
		}
		if gone := was.rows - now.rows; gone > 0 {
			short = append(short, shortfall{lint.Loss{Table: name, Sealed: was.sealed}, gone})
			continue
		}
		for column, c := range was.columns {
			if slices.Contains(p.Derived, name+"."+column) {
				continue
			}
			left := now.find(was, column)
			if left.values < c.values || was.kept && left != c {
				short = append(short, shortfall{lint.Loss{Table: name, Column: column, Sealed: was.sealed}, max(c.values-left.values, 0)})
			}
		}
	}
	slices.SortFunc(short, func(a, b shortfall) int { return strings.Compare(a.Table+"."+a.Column, b.Table+"."+b.Column) })
	return short
}

// renamed returns the table of h that is not in before and holds all of the content of was. It returns an empty
// holding if there is none.
func (h holdings) renamed(before holdings, was holding) holding {
	for name, now := range h {
		if _, old := before[name]; !old && now.rows == was.rows && now.has(was) {
			return now
		}
	}
	return holding{}
}

// has reports whether h holds every value of was, under any column names.
func (h holding) has(was holding) bool {
	for name, c := range was.columns {
		if h.find(was, name) != c {
			return false
		}
	}
	return true
}

// find returns the successor of a column: the column of the same name, or else a new column with the same values.
func (h holding) find(was holding, name string) column {
	if c, ok := h.columns[name]; ok {
		return c
	}
	for other, c := range h.columns {
		if _, old := was.columns[other]; !old && c == was.columns[name] {
			return c
		}
	}
	return column{digest: none}
}

// none is the digest of no values.
const none = "0"
