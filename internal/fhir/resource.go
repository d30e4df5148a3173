package fhir

import (
	"errors"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// resource is the part of a FHIR R4 Patient that is read. Other members are allowed and ignored, because FHIR is
// extensible.
type resource struct {
	ResourceType      string           `json:"resourceType,omitzero"`
	ID                string           `json:"id,omitzero"`
	ImplicitRules     string           `json:"implicitRules,omitzero"`
	ModifierExtension []jsontext.Value `json:"modifierExtension,omitzero"`
	Active            *bool            `json:"active,omitzero"`
	Name              []humanName      `json:"name,omitzero"`
	Telecom           []contactPoint   `json:"telecom,omitzero"`
	BirthDate         string           `json:"birthDate,omitzero"`
	DeceasedBoolean   bool             `json:"deceasedBoolean,omitzero"`
	DeceasedDateTime  string           `json:"deceasedDateTime,omitzero"`
	Address           []address        `json:"address,omitzero"`
	Contact           []contact        `json:"contact,omitzero"`
	Link              []link           `json:"link,omitzero"`
}

// humanName is https://hl7.org/fhir/R4/datatypes.html#HumanName.
type humanName struct {
	Use    string   `json:"use,omitzero"`
	Text   string   `json:"text,omitzero"`
	Family string   `json:"family,omitzero"`
	Given  []string `json:"given,omitzero"`
}

// contactPoint is https://hl7.org/fhir/R4/datatypes.html#ContactPoint.
type contactPoint struct {
	System string `json:"system,omitzero"`
	Value  string `json:"value,omitzero"`
	Use    string `json:"use,omitzero"`
	Rank   uint   `json:"rank,omitzero"`
}

// address is https://hl7.org/fhir/R4/datatypes.html#Address.
type address struct {
	Use        string   `json:"use,omitzero"`
	Text       string   `json:"text,omitzero"`
	Line       []string `json:"line,omitzero"`
	City       string   `json:"city,omitzero"`
	State      string   `json:"state,omitzero"`
	PostalCode string   `json:"postalCode,omitzero"`
}

// contact is Patient.contact.
type contact struct {
	ModifierExtension []jsontext.Value  `json:"modifierExtension,omitzero"`
	Relationship      []codeableConcept `json:"relationship,omitzero"`
	Name              humanName         `json:"name,omitzero"`
	Telecom           []contactPoint    `json:"telecom,omitzero"`
}

// link is Patient.link.
type link struct {
	Other reference `json:"other,omitzero"`
	Type  string    `json:"type,omitzero"`
}

// codeableConcept is https://hl7.org/fhir/R4/datatypes.html#CodeableConcept.
type codeableConcept struct {
	Text   string   `json:"text,omitzero"`
	Coding []coding `json:"coding,omitzero"`
}

// coding is https://hl7.org/fhir/R4/datatypes.html#Coding.
type coding struct {
	System  string `json:"system,omitzero"`
	Code    string `json:"code,omitzero"`
	Display string `json:"display,omitzero"`
}

// reject is the reason for rejecting a line. It names elements and rules, never any content of the line.
type reject string

func (r reject) Error() string { return string(r) }

const (
	notUTF8   = reject("not valid UTF-8")
	notJSON   = reject("not valid JSON")
	notObject = reject("not a JSON object")
	twice     = reject("a member occurs twice in one object")
)

func notKind(kind string) reject { return reject("resourceType: not " + kind) }

// kindOf returns the resourceType of a line.
func kindOf(line []byte) (string, error) {
	var head struct {
		ResourceType string `json:"resourceType,omitzero"`
	}
	err := json.Unmarshal(line, &head)
	return head.ResourceType, err
}

// decode reads one line as a resource of a kind. It does not pass on the decoder's own errors, since they quote the
// line.
func decode[R any](line []byte, kind string) (*R, error) {
	if !utf8.Valid(line) {
		return nil, notUTF8
	}
	var r R
	err := json.Unmarshal(line, &r)
	if shape, ok := errors.AsType[*json.SemanticError](err); ok {
		return nil, wrongShape(line, kind, shape.JSONPointer)
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, twice
	case err != nil:
		return nil, notJSON
	}
	if is, err := kindOf(line); err != nil || is != kind {
		return nil, notKind(kind)
	}
	return &r, nil
}

// wrongShape returns the reject for JSON that does not have the shape of the R4 resource. It checks the kind first,
// because other resources have members with the same name and another type. The pointer holds only indexes and names
// from the structs here, because other members are never decoded.
func wrongShape(line []byte, kind string, at jsontext.Pointer) reject {
	if at == "" {
		return notObject
	}
	if is, err := kindOf(line); err == nil && is != kind {
		return notKind(kind)
	}
	return reject(at) + ": not of the type that FHIR R4 gives it"
}
