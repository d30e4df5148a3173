package dbtest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// DropTriggers removes the triggers that guard tables, as the owner of the database can.
func DropTriggers(tb testing.TB, db *gorm.DB, tables ...string) {
	tb.Helper()
	for _, table := range tables {
		var names []string
		list := "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
		if db.Name() != "sqlite" {
			list = "SELECT tgname FROM pg_trigger WHERE tgrelid = ?::regclass AND NOT tgisinternal"
		}
		require.NoError(tb, db.Raw(list, table).Scan(&names).Error)
		for _, name := range names {
			drop := "DROP TRIGGER " + name
			if db.Name() != "sqlite" {
				drop += " ON " + table
			}
			require.NoError(tb, db.Exec(drop).Error)
		}
	}
}

// BreakAuditLog makes the audit log refuse every event.
func BreakAuditLog(tb testing.TB, db *gorm.DB) {
	tb.Helper()
	sql := "ALTER TABLE auditlog ADD CONSTRAINT broken CHECK (false) NOT VALID"
	if db.Name() == "sqlite" {
		sql = "CREATE TRIGGER broken BEFORE INSERT ON auditlog BEGIN SELECT RAISE(ABORT, 'broken'); END"
	}
	require.NoError(tb, db.Exec(sql).Error)
}
