package fhir

import (
	"io"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Practitioner is the kept part of a FHIR R4 Practitioner.
type Practitioner struct {
	ID          uuid.UUID
	Name        string
	Email       string
	Identifiers []string // system|value, as references name the practitioner
}

// practitioner is the part of https://hl7.org/fhir/R4/practitioner.html that is read.
type practitioner struct {
	ResourceType      string           `json:"resourceType,omitzero"`
	ID                string           `json:"id,omitzero"`
	ImplicitRules     string           `json:"implicitRules,omitzero"`
	ModifierExtension []jsontext.Value `json:"modifierExtension,omitzero"`
	Identifier        []identifier     `json:"identifier,omitzero"`
	Name              []humanName      `json:"name,omitzero"`
	Telecom           []contactPoint   `json:"telecom,omitzero"`
}

// Practitioners reads an NDJSON stream of Practitioner resources, as Patients does.
func Practitioners(r io.Reader) iter.Seq2[Resource[Practitioner], error] {
	return resources(r, func(line []byte) (*Practitioner, string) {
		return readAs(line, "Practitioner", (*practitioner).practitioner)
	})
}

func (p *practitioner) practitioner() (*Practitioner, error) {
	if err := understood(p.ModifierExtension, p.ImplicitRules); err != nil {
		return nil, err
	}
	id, err := resourceID(p.ID)
	if err != nil {
		return nil, err
	}
	name, err := fullName(p.Name)
	if err != nil {
		return nil, err
	}
	out := &Practitioner{ID: id, Name: name, Email: email(p.Telecom)}
	if out.Email == "" {
		return nil, reject("telecom: no current e-mail")
	}
	for _, i := range p.Identifier {
		if i.System != "" && i.Value != "" {
			out.Identifiers = append(out.Identifiers, i.System+"|"+i.Value)
		}
	}
	return out, nil
}
