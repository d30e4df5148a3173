package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
)

// retention is how long the audit log is kept at least, whatever else is undone.
const retention = 10

// logVersions are the migrations whose undoing takes the log, or a part of what an event says.
var logVersions = []string{"0001_", "0004_"}

var errLogKept = errors.New("the audit log is kept")

// keepLog refuses to undo a migration that would take events of the last ten years with it.
func keepLog(tx *gorm.DB, id string) error {
	for _, version := range logVersions {
		if !strings.HasPrefix(id, version) {
			continue
		}
		var recent int64
		since := time.Now().UTC().AddDate(-retention, 0, 0)
		if err := tx.Raw("SELECT count(*) FROM auditlog WHERE occurred_at > ?", since).Scan(&recent).Error; err != nil {
			return err
		}
		if recent > 0 {
			return fmt.Errorf("%w for %d years, and this would take %d events: leave this database, and begin a new one", errLogKept, retention, recent)
		}
	}
	return nil
}
