// Package sqlitedriver is the driver named "sqlite" (modernc.org/sqlite) with what the schema's triggers need.
package sqlitedriver

import (
	"strings"

	"modernc.org/sqlite"
)

// Name is what database/sql knows the driver by.
const Name = "sqlite"

// programCollation exists in this program alone. Triggers name it, so that no other program can change a patient or the log
// (migration 0004): for it, they don't compile.
const programCollation = "novamind"

func init() { //nolint:gochecknoinits // as drivers register themselves
	sqlite.MustRegisterCollationUtf8(programCollation, strings.Compare)
}
