// Package plural makes the words after a number agree with it.
package plural

import "fmt"

// Count returns n and the words for it: one where n is 1, many otherwise. Count(1, "row", "rows") is "1 row".
func Count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
