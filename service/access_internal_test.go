package service

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A permission is checked again before the commit of a change, unless it only reads, or unless its service does that
// check itself. A new permission without Writes or Holds must be added to this list.
func TestPermissionsThatChangeAreCheckedAgain(t *testing.T) {
	t.Parallel()
	exempt := map[Permission]string{
		PatientExport: "reads", AuditLogExport: "reads", AuditLogOpenDiff: "reads", AuditLogAccounting: "reads",
		MedicalRecordPsychotherapy: "narrows other permissions, and guards no call",
		AccountUpdate:              "AccountService.change holds the accounts itself",
	}
	for p, rule := range access {
		again := rule.Writes || rule.Holds
		read := strings.HasSuffix(string(p), ".read") || exempt[p] != ""
		require.NotEqual(t, read, again, "%s: set Writes or Holds in its rule, unless it only reads", p)
	}
}
