// Package fhir reads patients, practitioners, encounters and documents from an HL7 FHIR R4 bulk export: NDJSON, one
// resource a line (FHIR Bulk Data Access 2.0.0, https://hl7.org/fhir/uv/bulkdata/; R4,
// https://hl7.org/fhir/R4/patient.html).
//
// It maps resources and does not judge them. Rules beyond the needs of the mapping (the lengths of addresses, whether
// a phone number exists) are left to the caller that stores the patient.
package fhir

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Patient is the kept part of a FHIR R4 Patient. Everything in it is PHI, so it prints as [PHI].
type Patient struct {
	ID               uuid.UUID
	FirstName        string // 1 to 50 characters
	LastName         string // 1 to 50 characters
	BirthDate        string // YYYY-MM-DD, an existing day
	Active           bool
	Phone            string // "" only if there is an Email
	AlternativePhone string
	Email            string
	Address          *Address // nil if the resource has none
	EmergencyContact *Contact // nil if the resource has none with a phone
}

// Address is a postal address. No member is empty: a member that the resource lacks is "unknown".
type Address struct {
	Street  string
	City    string
	State   string
	ZipCode string
}

// Contact is the person to call for a patient. Only Phone is always present.
type Contact struct {
	Name             string
	Relationship     string
	Phone            string
	Email            string
	AlternativePhone string
}

const redacted = "[PHI]"

// Format implements fmt.Formatter: no verb shows a patient.
func (Patient) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Patient) LogValue() slog.Value { return slog.StringValue(redacted) }

// patient maps a Patient resource, element by element as docs/import.md lists them. It returns a reject if it can't.
func (r *resource) patient() (*Patient, error) {
	if err := r.understood(); err != nil {
		return nil, err
	}
	id, err := r.uuid()
	if err != nil {
		return nil, err
	}
	first, last, err := patientName(r.Name)
	if err != nil {
		return nil, err
	}
	born, err := fullDate(r.BirthDate)
	if err != nil {
		return nil, err
	}
	phone, alternative := phones(r.Telecom)
	email := email(r.Telecom)
	if phone == "" && email == "" {
		return nil, reject("telecom: neither a current phone nor a current e-mail")
	}
	return &Patient{
		ID: id, FirstName: first, LastName: last, BirthDate: born, Active: r.active(),
		Phone: phone, AlternativePhone: alternative, Email: email,
		Address: postalAddress(r.Address), EmergencyContact: emergencyContact(r.Contact),
	}, nil
}

// understood refuses elements that may reverse the meaning of the rest. R4 forbids processing a resource with an
// unknown modifier extension or unknown implicit rules
// (https://hl7.org/fhir/R4/extensibility.html#modifierExtension).
func (r *resource) understood() error { return understood(r.ModifierExtension, r.ImplicitRules) }

func understood(modifiers []jsontext.Value, rules string) error {
	if len(modifiers) > 0 {
		return reject("modifierExtension: changes the meaning in a way not known here")
	}
	if rules != "" {
		return reject("implicitRules: rules not known here")
	}
	return nil
}

// uuid returns Resource.id. R4 allows any 64 characters; only a UUID in its usual form is exported again unchanged.
// The nil UUID is refused because it stands for "no id yet", and would be imported again each time.
func (r *resource) uuid() (uuid.UUID, error) { return resourceID(r.ID) }

func resourceID(text string) (uuid.UUID, error) {
	const length = 36
	id, err := uuid.Parse(text)
	if err != nil || len(text) != length || id == uuid.Nil {
		return uuid.Nil, reject("id: not a UUID")
	}
	return id, nil
}

// active returns Patient.active, which is true if absent. It is false if the patient is deceased
// (Patient.deceased[x]), or has a Patient.link of type replaced-by, whose resource "must no longer be used".
func (r *resource) active() bool {
	for _, link := range r.Link {
		if link.Type == "replaced-by" {
			return false
		}
	}
	dead := r.DeceasedBoolean || r.DeceasedDateTime != ""
	return !dead && (r.Active == nil || *r.Active)
}

// fullDate parses Patient.birthDate, which R4 also allows to be a year, or a year and a month.
func fullDate(date string) (string, error) {
	switch len(date) {
	case 0:
		return "", reject("birthDate: missing")
	case len("2006"), len("2006-01"):
		return "", reject("birthDate: not a full date (YYYY-MM-DD)")
	}
	if day, err := time.Parse(time.DateOnly, date); err != nil || day.Year() == 0 {
		return "", reject("birthDate: not a date")
	}
	return date, nil
}
