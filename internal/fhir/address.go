package fhir

import (
	"cmp"
	"slices"
	"strings"
)

// unknown replaces a member of an address that the resource lacks. All four members are required here. An address
// without a postal code is still useful, and leaving out the whole address, or the patient, would lose more.
const unknown = "unknown"

// postalAddress chooses an address from Patient.address: use home, else the first. It ignores addresses that are old
// (Address.use) or empty. It returns nil if none is left. Address.country is not kept.
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

// street returns Address.line, or Address.text (the whole address, in several lines) if there is no line.
func (a address) street() string {
	lines := filled(a.Line)
	if len(lines) == 0 {
		lines = filled(strings.Split(a.Text, "\n"))
	}
	return strings.Join(lines, ", ")
}
