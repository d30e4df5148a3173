package fhir

import (
	"maps"
	"slices"
	"strings"
)

// Ours are the values of our own exports without an element in FHIR R4, by name.
type Ours map[string]string

// ourExtensions is the beginning of the URLs of our extensions.
const ourExtensions = "urn:novamind:"

// extension is https://hl7.org/fhir/R4/extensibility.html#Extension, with the only type of value that is read and
// written.
type extension struct {
	URL         string `json:"url,omitzero"`
	ValueString string `json:"valueString,omitzero"`
}

// oursAmong returns our extensions, and ignores all others.
func oursAmong(extensions []extension) Ours {
	ours := Ours{}
	for _, e := range extensions {
		if name, found := strings.CutPrefix(e.URL, ourExtensions); found {
			ours[name] = e.ValueString
		}
	}
	return ours
}

// extensions returns the extensions with a value, ordered by name.
func (o Ours) extensions() []extension {
	var out []extension
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if o[name] != "" {
			out = append(out, extension{ourExtensions + name, o[name]})
		}
	}
	return out
}
