package service_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/service"
)

// The filters know every value that the program writes into the log. The source names no job and no kind of row that
// the filters lack.
func TestAuditFiltersKnowWhatIsRecorded(t *testing.T) {
	t.Parallel()
	known := service.AuditFilters()
	job := regexp.MustCompile(`(?:acting|audit\.System|withInstallation)\([a-zA-Z.()]+, "([^"]+)"`)
	kind := regexp.MustCompile(`EntityType: +"([^"]+)"`)
	jobs, kinds := 0, 0
	for _, folder := range []string{"../service", "../repository", "../handler", "../cli", "../models", "../migrations"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range job.FindAllSubmatch(text, -1) {
				jobs++
				require.Contains(t, known["origin"], audit.SystemOrigin+string(found[1]), path)
			}
			for _, found := range kind.FindAllSubmatch(text, -1) {
				kinds++
				require.Contains(t, known["entity_type"], string(found[1]), path)
			}
			return err
		})
		require.NoError(t, err)
	}
	require.Greater(t, jobs, 5)
	require.Greater(t, kinds, 20)
	require.Contains(t, known["action"], audit.SignOff)
	require.Equal(t, []string{"success", "failure", "denied"}, known["outcome"])
}
