package dbtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
)

func TestRunGivesEachTestAMigratedDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for range 2 {
		dbtest.Run(t, func(t *testing.T, url string) {
			db := dbtest.Open(t, url)
			var applied int64
			require.NoError(t, db.Table("schemamigration").Count(&applied).Error)
			require.NotZero(t, applied)
			require.NoError(t, db.Exec("CREATE TABLE mine (id int)").Error)
		})
	}
}

func TestEmptyDatabasesHaveNoTables(t *testing.T) {
	t.Parallel()
	for _, engine := range dbtest.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			tables, err := dbtest.Open(t, engine.Empty(t)).Migrator().GetTables()
			require.NoError(t, err)
			require.Empty(t, tables)
		})
	}
}
