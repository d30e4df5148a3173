package fhir

import (
	"cmp"
	"slices"
	"strings"
)

// unknown stands in an address for a member that the resource lacks. All four are required here, and an address
// without a postal code still finds its house: leaving the whole address out, or the patient, would lose more.
const unknown = "unknown"

// postalAddress chooses from Patient.address: use home, else the first, among those that are not old (Address.use) and
// say anything. It is nil where there is none. Address.country has no place here.
func postalAddress(addresses []address) *Address {
	current := slices.DeleteFunc(slices.Clone(addresses), func(a address) bool {
		return a.Use == "old" || a.parts() == Address{}
	})
	if len(current) == 0 {
		return nil
	}
	a := preferred(current, func(a address) string { return a.Use }, "home").parts()
	return &Address{
		Street:  cmp.Or(a.Street, unknown),
		City:    cmp.Or(a.City, unknown),
		State:   cmp.Or(a.State, unknown),
		ZipCode: cmp.Or(a.ZipCode, unknown),
	}
}

func (a address) parts() Address {
	return Address{
		Street:  a.street(),
		City:    strings.TrimSpace(a.City),
		State:   strings.TrimSpace(a.State),
		ZipCode: strings.TrimSpace(a.PostalCode),
	}
}

// street is Address.line, or Address.text (the whole address, in several lines) where there is no line.
func (a address) street() string {
	lines := filled(a.Line)
	if len(lines) == 0 {
		lines = filled(strings.Split(a.Text, "\n"))
	}
	return strings.Join(lines, ", ")
}
