//go:build scale

package scale

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// patients is the number of invented patients, and surnameCount the number of surnames. few is the number of patients
// on each engine, and reported the number of events in reports. A leak may be tolerance times the documented figure,
// plus slack percentage points, since keys differ each time.
const (
	patients     = 100_000
	surnameCount = 250_000
	few          = 2_000
	tolerance    = 1.05
	reported     = 1_000_000
	slack        = 3
)

// documented returns the upper limits of the figures.
func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/threat-model.md")
	require.NoError(t, err)
	return string(text)
}
