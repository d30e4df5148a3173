//go:build !scale

package scale

import (
	"strings"
	"testing"
)

// patients is how many are invented.
const patients = 2_000

// documented returns the figures that may not be exceeded; those of docs/threat-model.md are of many more patients.
func documented(*testing.T) string {
	return strings.ReplaceAll(`
| 'email' | 1511 | 0.25 | 10.4 | 43.0 | — | — | — | — |
| 'phone' | 1511 | 0.25 | 10.4 | 43.0 | — | — | — | — |
| 'first_name' | 1180 | 1.70 | 9.5 | 72.2 | 2.5 | 19.7 | 74.8 | 99.6 |
| 'last_name' | 1348 | 1.10 | 10.1 | 60.1 | 0.1 | 7.6 | 61.1 | 99.2 |
| 'name_prefix' | 2328 | 8.35 | 9.9 | 100.0 | 11.8 | 20.9 | 72.9 | — |
| 'both names' | — | — | — | — | — | 1.8 | 51.1 | 98.9 |
`, "'", "`")
}
