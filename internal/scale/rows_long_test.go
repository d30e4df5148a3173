//go:build scale

package scale

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// patients is how many are invented, surnameCount how many surnames there are, few how many patients there are on each engine, and reported how many
// events reports are made of.
// A leak may be tolerance times what is documented and slack (percentage points) more, since keys differ each time.
const (
	patients     = 100_000
	surnameCount = 250_000
	few          = 2_000
	tolerance    = 1.05
	reported     = 1_000_000
	slack        = 3
)

// documented returns the figures that may not be exceeded.
func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/threat-model.md")
	require.NoError(t, err)
	return string(text)
}
