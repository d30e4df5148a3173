// Package sqlitedriver is the driver named "sqlite" (modernc.org/sqlite) with a collation that the schema's
// triggers need.
package sqlitedriver

import (
	"strings"

	"modernc.org/sqlite"
)

// Name is the driver's name in database/sql.
const Name = "sqlite"

// programCollation exists in this program alone. Triggers name it, so that they don't compile in any other program.
// No other program can then change a patient or the log (migration 0004).
const programCollation = "novamind"

func init() { //nolint:gochecknoinits // as drivers register themselves
	sqlite.MustRegisterCollationUtf8(programCollation, strings.Compare)
}
