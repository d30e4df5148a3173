package fhir

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// phones returns the two phone numbers to try first; alternative is the first number that differs from phone.
func phones(points []contactPoint) (phone, alternative string) {
	numbers := ordered(points, "phone")
	if len(numbers) == 0 {
		return "", ""
	}
	phone = numbers[0]
	if i := slices.IndexFunc(numbers, func(n string) bool { return n != phone }); i > 0 {
		alternative = numbers[i]
	}
	return phone, alternative
}

// email returns the e-mail address to use first.
func email(points []contactPoint) string {
	if all := ordered(points, "email"); len(all) > 0 {
		return all[0]
	}
	return ""
}

// useOrder is the order of ContactPoint.use for trying numbers. Any other use (temp, or none) comes after these.
var useOrder = []string{"mobile", "home", "work"}

// ordered returns the values of one ContactPoint.system that are not old. They are ordered by rank (1 is preferred
// most, no rank least), then by use, then as in the file.
func ordered(points []contactPoint, system string) []string {
	current := slices.DeleteFunc(slices.Clone(points), func(p contactPoint) bool {
		return p.System != system || p.Use == "old" || strings.TrimSpace(p.Value) == ""
	})
	slices.SortStableFunc(current, func(a, b contactPoint) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.use(), b.use()))
	})
	values := make([]string, len(current))
	for i, p := range current {
		values[i] = strings.TrimSpace(p.Value)
	}
	return values
}

func (p contactPoint) rank() uint {
	if p.Rank == 0 {
		return math.MaxUint
	}
	return p.Rank
}

func (p contactPoint) use() int {
	if i := slices.Index(useOrder, p.Use); i >= 0 {
		return i
	}
	return len(useOrder)
}
