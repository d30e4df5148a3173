package lint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/migrations"
	"novamind/migrations/lint"
)

// The losses of the built-in migrations can be told on both engines, and are the same on both.
func TestLossesOfWhatIsBuiltIn(t *testing.T) {
	t.Parallel()
	byEngine := map[string][]string{}
	for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
		set, err := migrations.Embedded(engine)
		require.NoError(t, err)
		all, err := lint.Losses(t.Context(), set, len(set.Migrations)-1, -1)
		require.NoError(t, err)
		for _, u := range all {
			require.Falsef(t, u.Unsure, "%s: %s does not tell what it takes away", engine, u.ID)
			for _, l := range u.Losses {
				what := u.ID + " " + l.Table + "." + l.Column
				if l.Sealed {
					what += " sealed"
				}
				byEngine[engine] = append(byEngine[engine], what)
			}
		}
	}
	require.ElementsMatch(t, byEngine[migrations.Postgres], byEngine[migrations.SQLite])
	require.Contains(t, byEngine[migrations.SQLite], "0025_medical_records medicalrecord. sealed")
	require.Contains(t, byEngine[migrations.SQLite], "0026_patient_merge patient.merged_into_id sealed")
	require.Contains(t, byEngine[migrations.SQLite], "0016_api_keys apikey.")
	require.Contains(t, byEngine[migrations.SQLite], "0035_index_scheme keyset.index_scheme")
}
