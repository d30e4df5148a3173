package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"novamind/migrations"
)

// released is the columns that the servers of the release before read and write, by table.
type released map[string]map[string]bool

// readReleased reads the list of the last release. A line is TABLE.COLUMN. Empty lines and lines with "#" first are
// skipped. Without the list, nothing was released.
func readReleased(fsys fs.FS) (released, error) {
	text, err := fs.ReadFile(fsys, migrations.ReleasedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return released{}, nil
	}
	if err != nil {
		return nil, err
	}
	list := released{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		table, column, ok := strings.Cut(line, ".")
		if !ok {
			return nil, fmt.Errorf("%s: line %d is not TABLE.COLUMN", migrations.ReleasedFile, number)
		}
		if list[table] == nil {
			list[table] = map[string]bool{}
		}
		list[table][column] = true
	}
	return list, nil
}

// reads reports whether the release before reads a table or a column.
func (r released) reads(o object) bool {
	switch o.Kind {
	case tables:
		return r[o.Table] != nil
	case columns:
		return r[o.Table][o.Name]
	default:
		return false
	}
}
