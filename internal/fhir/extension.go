package fhir

import (
	"maps"
	"slices"
	"strings"
)

// Ours is what an export of ours says that FHIR R4 has no element for, by name.
type Ours map[string]string

// ourExtensions begins the addresses of our extensions.
const ourExtensions = "urn:novamind:"

// extension is https://hl7.org/fhir/R4/extensibility.html#Extension, with the one type of value that is read and written.
type extension struct {
	URL         string `json:"url,omitzero"`
	ValueString string `json:"valueString,omitzero"`
}

// oursAmong returns our extensions; those of others are passed over.
func oursAmong(extensions []extension) Ours {
	ours := Ours{}
	for _, e := range extensions {
		if name, found := strings.CutPrefix(e.URL, ourExtensions); found {
			ours[name] = e.ValueString
		}
	}
	return ours
}

// extensions returns what has a value, in the order of the names.
func (o Ours) extensions() []extension {
	var out []extension
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if o[name] != "" {
			out = append(out, extension{ourExtensions + name, o[name]})
		}
	}
	return out
}
