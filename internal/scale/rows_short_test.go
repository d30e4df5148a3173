//go:build !scale

package scale

import (
	"strings"
	"testing"
)

// patients is the number of invented patients, and surnameCount the number of surnames. few is the number of patients
// on each engine, and reported the number of events in reports. A leak may be tolerance times the documented figure,
// plus slack percentage points, since keys differ each time.
const (
	patients     = 2_000
	surnameCount = 5_000
	few          = 250
	tolerance    = 1.2
	reported     = 100_000
	slack        = 6
)

// documented returns the upper limits of the figures. The figures of docs/threat-model.md are for many more patients.
func documented(*testing.T) string {
	return strings.ReplaceAll(`
| 'email' | 1511 | 0.25 | 10.4 | 43.0 | — | — | — | — |
| 'phone' | 1511 | 0.25 | 10.4 | 43.0 | — | — | — | — |
| 'first_name' | 1180 | 1.70 | 9.5 | 72.2 | 2.5 | 24.3 | 75.0 | 99.6 |
| 'last_name' | 1259 | 1.10 | 10.0 | 66.4 | 0.1 | 6.6 | 61.9 | 99.5 |
| 'name_prefix' | 2263 | 8.90 | 9.9 | 100.0 | 10.1 | 21.4 | 72.4 | — |
| 'both names' | — | — | — | — | — | 2.2 | 51.2 | 99.1 |
`, "'", "`")
}
