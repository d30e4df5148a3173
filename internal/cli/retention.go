package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"novamind/internal/plural"
	"novamind/migrations/runner"
)

// retention is how long the audit log is kept at least, whatever else is undone.
const retention = 10

// logVersions are the migrations whose undoing takes the log, or a part of what an event says.
var logVersions = []string{"0001_", "0004_"}

var errLogKept = errors.New("the audit log is kept")

// keepLog keeps a migration whose undoing would take events of the last ten years with it.
func keepLog(id string) *runner.Lasting {
	if !slices.ContainsFunc(logVersions, func(version string) bool { return strings.HasPrefix(id, version) }) {
		return nil
	}
	since := time.Now().UTC().AddDate(-retention, 0, 0).Format(time.DateTime + "+00:00")
	return &runner.Lasting{Table: "auditlog", Where: "occurred_at > '" + since + "'", Refusal: func(events int64) error {
		return fmt.Errorf("%w for %d years, and this would take %s: leave this database, and begin a new one", errLogKept, retention,
			plural.Count(events, "event", "events"))
	}}
}
