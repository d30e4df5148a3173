package fhir

import (
	"errors"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// resource is the part of a FHIR R4 Patient that is read. Other members are allowed, and passed over: FHIR is
// extensible.
type resource struct {
	ResourceType      string           `json:"resourceType"`
	ID                string           `json:"id"`
	ImplicitRules     string           `json:"implicitRules"`
	ModifierExtension []jsontext.Value `json:"modifierExtension"`
	Active            *bool            `json:"active"`
	Name              []humanName      `json:"name"`
	Telecom           []contactPoint   `json:"telecom"`
	BirthDate         string           `json:"birthDate"`
	DeceasedBoolean   bool             `json:"deceasedBoolean"`
	DeceasedDateTime  string           `json:"deceasedDateTime"`
	Address           []address        `json:"address"`
	Contact           []contact        `json:"contact"`
	Link              []link           `json:"link"`
}

// humanName is https://hl7.org/fhir/R4/datatypes.html#HumanName.
type humanName struct {
	Use    string   `json:"use"`
	Text   string   `json:"text"`
	Family string   `json:"family"`
	Given  []string `json:"given"`
}

// contactPoint is https://hl7.org/fhir/R4/datatypes.html#ContactPoint.
type contactPoint struct {
	System string `json:"system"`
	Value  string `json:"value"`
	Use    string `json:"use"`
	Rank   uint   `json:"rank"`
}

// address is https://hl7.org/fhir/R4/datatypes.html#Address.
type address struct {
	Use        string   `json:"use"`
	Text       string   `json:"text"`
	Line       []string `json:"line"`
	City       string   `json:"city"`
	State      string   `json:"state"`
	PostalCode string   `json:"postalCode"`
}

// contact is Patient.contact.
type contact struct {
	ModifierExtension []jsontext.Value  `json:"modifierExtension"`
	Relationship      []codeableConcept `json:"relationship"`
	Name              humanName         `json:"name"`
	Telecom           []contactPoint    `json:"telecom"`
}

// link is Patient.link.
type link struct {
	Type string `json:"type"`
}

// codeableConcept is https://hl7.org/fhir/R4/datatypes.html#CodeableConcept.
type codeableConcept struct {
	Text   string   `json:"text"`
	Coding []coding `json:"coding"`
}

// coding is https://hl7.org/fhir/R4/datatypes.html#Coding.
type coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display"`
}

// reject is why a line is not taken. It names elements and rules, never anything that stood in the line.
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
		ResourceType string `json:"resourceType"`
	}
	err := json.Unmarshal(line, &head)
	return head.ResourceType, err
}

// decode reads one line as a resource of a kind. The decoder's own errors stay here, since they quote the line.
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

// wrongShape is the reject for JSON that is not a resource as R4 shapes it. Other resources have members of the same
// name and another type, so that is looked at first. The pointer holds indexes and names from the structs here only:
// what they don't name is never decoded.
func wrongShape(line []byte, kind string, at jsontext.Pointer) reject {
	if at == "" {
		return notObject
	}
	if is, err := kindOf(line); err == nil && is != kind {
		return notKind(kind)
	}
	return reject(at) + ": not of the type that FHIR R4 gives it"
}
