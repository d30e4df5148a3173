package fhir

import (
	"strings"

	"github.com/google/uuid"
)

// Reference names another resource: by its id, or by one of its identifiers (https://hl7.org/fhir/R4/references.html,
// http.html#trules).
type Reference struct {
	ID         uuid.UUID // Nil if Identifier names the resource
	Identifier string    // system|value
}

// reference is https://hl7.org/fhir/R4/references.html#Reference.
type reference struct {
	Reference  string      `json:"reference,omitzero"`
	Identifier *identifier `json:"identifier,omitzero"`
}

// identifier is https://hl7.org/fhir/R4/datatypes.html#Identifier.
type identifier struct {
	System string `json:"system,omitzero"`
	Value  string `json:"value,omitzero"`
}

// to returns the resource of a kind that the reference names, and whether it names one.
func (r reference) to(kind string) (Reference, bool) {
	if query, found := strings.CutPrefix(r.Reference, kind+"?identifier="); found && query != "" {
		return Reference{Identifier: query}, true
	}
	text, found := strings.CutPrefix(r.Reference, "urn:uuid:")
	if !found {
		at := strings.LastIndex("/"+r.Reference, "/"+kind+"/")
		if at < 0 {
			return Reference{}, false
		}
		text, _, _ = strings.Cut(r.Reference[at+len(kind)+1:], "/_history/")
	}
	id, err := resourceID(text)
	return Reference{ID: id}, err == nil
}

// first returns the first of references that names a resource of a kind.
func first(references []reference, kind string) (Reference, bool) {
	for _, r := range references {
		if named, ok := r.to(kind); ok {
			return named, true
		}
	}
	return Reference{}, false
}
