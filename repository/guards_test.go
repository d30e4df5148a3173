package repository_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/models"
)

// triggersOf returns the names of a table's triggers. On PostgreSQL, it returns only triggers that hold in every
// session, also in one that calls itself a replica.
func triggersOf(t *testing.T, db *gorm.DB, table string) []string {
	t.Helper()
	list := "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
	if db.Name() != "sqlite" {
		list = "SELECT tgname FROM pg_trigger WHERE tgrelid = ?::regclass AND tgenabled = 'A'"
	}
	var names []string
	require.NoError(t, db.Raw(list, table).Scan(&names).Error)
	return names
}

// On PostgreSQL, every change of a table with patient data, or of a table that decides on access to patients, is
// witnessed. On SQLite, no other program can make such a change.
func TestPatientTablesAreGuarded(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		db := dbtest.Open(t, url)
		tables := []string{models.TableOf(&models.BlindIndex{}), "account", "carerelationship", "breakglass", "breakglassentry"}
		for _, row := range models.SealedRows() {
			tables = append(tables, models.TableOf(row))
		}
		for _, table := range tables {
			names := triggersOf(t, db, table)
			guards := []string{"_witness_insert", "_witness_update", "_witness_delete", "_witness_truncate"}
			if db.Name() == "sqlite" {
				guards = []string{"_ours_insert", "_ours_update", "_ours_delete"}
			}
			for _, guard := range guards {
				require.True(t, slices.Contains(names, table+guard), "%s has no trigger %s", table, table+guard)
			}
		}
	})
}

// The log keeps its content: no age, no purge and no statement removes an entry (45 CFR 164.316(b)(2) asks for six
// years, some states for ten).
func TestNothingLeavesTheLog(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		create(t, store, invented())
		sequence(t, store)
		db := dbtest.Open(t, url)
		for _, table := range []string{"auditlog", "auditsubject", "auditleaf", "audittile", "auditcheckpoint"} {
			before := count(t, db, "SELECT count(*) FROM "+table)
			require.Positive(t, before)
			statements := []string{"DELETE FROM " + table, "UPDATE " + table + " SET " + anyColumn[table] + " = NULL"}
			if db.Name() == "sqlite" {
				statements = append(statements, "INSERT OR REPLACE INTO "+table+" SELECT * FROM "+table)
			} else {
				statements = append(statements, "TRUNCATE "+table+" CASCADE")
			}
			for _, statement := range statements {
				if table == "audittile" && strings.HasPrefix(statement, "INSERT OR REPLACE") {
					continue // writing the same hashes again is not a change
				}
				require.Error(t, db.Exec(statement).Error, statement)
			}
			require.Equal(t, before, count(t, db, "SELECT count(*) FROM "+table))
		}
	})
}

var anyColumn = map[string]string{
	"auditlog": "details", "auditsubject": "row_digest", "auditleaf": "event_id", "audittile": "hashes", "auditcheckpoint": "note",
}
