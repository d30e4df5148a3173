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

// retention is how many years the audit log is kept at least, even when migrations are undone.
const retention = 10

// logVersions are the migrations whose undoing removes the log, or a part of the content of its events.
var logVersions = []string{"0001_", "0004_"}

var errLogKept = errors.New("the audit log is kept")

// keepLog protects a migration whose undoing would remove events of the last ten years.
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
