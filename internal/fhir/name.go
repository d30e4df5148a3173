package fhir

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxName is the greatest length of a stored first or last name, in characters.
const maxName = 50

// patientName chooses from Patient.name: use official, else usual, else the first in the order of the file. It
// considers only names that have both family and given and are neither old nor maiden (HumanName.use).
func patientName(names []humanName) (first, last string, err error) {
	current := slices.DeleteFunc(slices.Clone(names), func(n humanName) bool {
		return n.Use == "old" || n.Use == "maiden" || n.family() == "" || len(n.given()) == 0
	})
	if len(current) == 0 {
		return "", "", reject("name: none in use has both family and given")
	}
	name := preferred(current, func(n humanName) string { return n.Use }, "official", "usual")
	first, last = name.first(), name.family()
	switch {
	case utf8.RuneCountInString(first) > maxName:
		return "", "", reject("name.given: longer than 50 characters")
	case utf8.RuneCountInString(last) > maxName:
		return "", "", reject("name.family: longer than 50 characters")
	}
	return first, last, nil
}

// fullName chooses as patientName does, among names that are not empty.
func fullName(names []humanName) (string, error) {
	current := slices.DeleteFunc(slices.Clone(names), func(n humanName) bool { return n.Use == "old" || n.Use == "maiden" || n.full() == "" })
	if len(current) == 0 {
		return "", reject("name: none in use")
	}
	return preferred(current, func(n humanName) string { return n.Use }, "official", "usual").full(), nil
}

// first returns all given names, or the first given name if all together are too long.
func (n humanName) first() string {
	given := n.given()
	if len(given) == 0 {
		return ""
	}
	if all := strings.Join(given, " "); utf8.RuneCountInString(all) <= maxName {
		return all
	}
	return given[0]
}

func (n humanName) family() string { return strings.TrimSpace(n.Family) }

func (n humanName) given() []string { return filled(n.Given) }

// full returns the name as one string, from its parts if it has any, else HumanName.text.
func (n humanName) full() string {
	if parts := filled([]string{n.first(), n.family()}); len(parts) > 0 {
		return strings.Join(parts, " ")
	}
	return strings.TrimSpace(n.Text)
}

// filled returns the values that are not blank, trimmed. A blank value is a null in the array; FHIR's JSON uses it
// for an element that has only extensions.
func filled(values []string) []string {
	var kept []string
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			kept = append(kept, v)
		}
	}
	return kept
}

// preferred returns the first entry with the first of uses that any entry has, else the first entry. There must be at
// least one entry.
func preferred[E any](entries []E, use func(E) string, uses ...string) E {
	for _, u := range uses {
		if i := slices.IndexFunc(entries, func(e E) bool { return use(e) == u }); i >= 0 {
			return entries[i]
		}
	}
	return entries[0]
}
