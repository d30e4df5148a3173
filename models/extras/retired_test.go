package extras

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/phi"
	"novamind/models"
)

// Chart is a model that somebody might add.
type Chart struct {
	models.Base

	Note phi.Text
	Scan phi.JSON[map[string]string]
}

// A model with sealed columns refuses values under a retired key in each of them, without any further code.
func TestEverySealedColumnRefusesRetiredKeys(t *testing.T) {
	t.Parallel()
	for engine, keys := range map[string][]string{
		"postgres": {"substr(n.note, 6, 8)", "substr(n.scan ->> 'phi', 6, 8)"},
		"sqlite":   {"substr(NEW.note, 6, 8)", "substr(NEW.scan, 14, 8)"},
	} {
		declared, err := of(engine, append(models.All(), &Chart{}))
		require.NoError(t, err)
		_, chart, found := strings.Cut(declared.Script, "chart_key_not_retired")
		require.True(t, found)
		chart, _, _ = strings.Cut(chart, "chart: sealed under a retired key")
		for _, key := range keys {
			require.Contains(t, chart, key)
		}
		require.NotContains(t, declared.Script, "auditlog_key_not_retired")
		require.Contains(t, declared.Script, "secondfactor_key_not_retired_update")
	}
}

// A signed record is frozen in each of its columns.
func TestSignedRecordsAreFrozenInEveryColumn(t *testing.T) {
	t.Parallel()
	free := []string{"version", "updated_at", "status"} // columns that a step to another state changes
	for _, engine := range []string{"postgres", "sqlite"} {
		declared, err := Of(engine)
		require.NoError(t, err)
		_, frozen, found := strings.Cut(declared.Script, "medicalrecord_frozen")
		require.True(t, found)
		for _, column := range models.ColumnsOf(&models.MedicalRecord{}) {
			if !slices.Contains(free, column) {
				require.Contains(t, frozen, "OLD."+column, engine)
			}
		}
	}
}
