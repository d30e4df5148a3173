// Package fhir reads patients, practitioners, encounters and documents from an HL7 FHIR R4 bulk export: NDJSON, one resource a line (FHIR Bulk Data Access
// 2.0.0, https://hl7.org/fhir/uv/bulkdata/; R4, https://hl7.org/fhir/R4/patient.html).
//
// It maps and does not judge: what a patient must be beyond what the mapping needs (the lengths of addresses, whether
// a phone number exists) is the business of whoever stores it.
package fhir

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Patient is what is kept of a FHIR R4 Patient. Everything in it is PHI, so it prints as [PHI].
type Patient struct {
	ID               uuid.UUID
	FirstName        string // 1 to 50 characters
	LastName         string // 1 to 50 characters
	BirthDate        string // YYYY-MM-DD, a day that exists
	Active           bool
	Phone            string // "" only where there is an Email
	AlternativePhone string
	Email            string
	Address          *Address // nil where the resource has none
	EmergencyContact *Contact // nil where the resource has none that can be phoned
}

// Address is a postal address. No member is empty: one that the resource lacks is "unknown".
type Address struct {
	Street  string
	City    string
	State   string
	ZipCode string
}

// Contact is whom to call for a patient. Only Phone is always there.
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

// patient maps a Patient resource, element by element as docs/import.md lists them, or says why it can't.
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

// understood refuses what may turn the meaning of the rest around: R4 forbids going on with a modifier extension or
// implicit rules that one does not know (https://hl7.org/fhir/R4/extensibility.html#modifierExtension).
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

// uuid is Resource.id. R4 allows any 64 characters; only a UUID in its usual form comes out again as it went in. The
// nil UUID is refused because it stands for "no id yet", and would be imported anew each time.
func (r *resource) uuid() (uuid.UUID, error) { return resourceID(r.ID) }

func resourceID(text string) (uuid.UUID, error) {
	const length = 36
	id, err := uuid.Parse(text)
	if err != nil || len(text) != length || id == uuid.Nil {
		return uuid.Nil, reject("id: not a UUID")
	}
	return id, nil
}

// active is Patient.active (true unless it says false), taken back by Patient.deceased[x] and by Patient.link of type
// replaced-by, whose resource "must no longer be used".
func (r *resource) active() bool {
	for _, link := range r.Link {
		if link.Type == "replaced-by" {
			return false
		}
	}
	dead := r.DeceasedBoolean || r.DeceasedDateTime != ""
	return !dead && (r.Active == nil || *r.Active)
}

// fullDate is Patient.birthDate, which R4 also allows to be a year, or a year and a month.
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
