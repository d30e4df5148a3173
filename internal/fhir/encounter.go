package fhir

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"novamind/internal/schedule"
)

// Encounter is the kept part of a FHIR R4 Encounter. Its reason is PHI.
type Encounter struct {
	ID           uuid.UUID
	Status       string // R4's code
	Virtual      bool
	Patient      Reference
	Practitioner Reference
	Start, End   time.Time
	Reason       string
	Ours         Ours
}

// Format implements fmt.Formatter: no verb shows an encounter.
func (Encounter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Encounter) LogValue() slog.Value { return slog.StringValue(redacted) }

// encounter is the part of https://hl7.org/fhir/R4/encounter.html that is read.
type encounter struct {
	ResourceType      string            `json:"resourceType,omitzero"`
	ID                string            `json:"id,omitzero"`
	ImplicitRules     string            `json:"implicitRules,omitzero"`
	Extension         []extension       `json:"extension,omitzero"`
	ModifierExtension []jsontext.Value  `json:"modifierExtension,omitzero"`
	Status            string            `json:"status,omitzero"`
	Class             coding            `json:"class,omitzero"`
	Type              []codeableConcept `json:"type,omitzero"`
	ReasonCode        []codeableConcept `json:"reasonCode,omitzero"`
	Subject           reference         `json:"subject,omitzero"`
	Participant       []participant     `json:"participant,omitzero"`
	Period            period            `json:"period,omitzero"`
}

type participant struct {
	Individual reference `json:"individual,omitzero"`
}

// period is https://hl7.org/fhir/R4/datatypes.html#Period.
type period struct {
	Start string `json:"start,omitzero"`
	End   string `json:"end,omitzero"`
}

// Encounters reads an NDJSON stream of Encounter resources, as Patients does.
func Encounters(r io.Reader) iter.Seq2[Resource[Encounter], error] {
	return resources(r, func(line []byte) (*Encounter, string) { return readAs(line, "Encounter", (*encounter).encounter) })
}

func (e *encounter) encounter() (*Encounter, error) {
	if err := understood(e.ModifierExtension, e.ImplicitRules); err != nil {
		return nil, err
	}
	id, err := resourceID(e.ID)
	if err != nil {
		return nil, err
	}
	out := &Encounter{ID: id, Status: e.Status, Virtual: e.Class.Code == "VR", Reason: e.reason(), Ours: oursAmong(e.Extension)}
	var ok bool
	if out.Patient, ok = e.Subject.to("Patient"); !ok {
		return nil, reject("subject: names no patient")
	}
	individuals := make([]reference, len(e.Participant))
	for i, p := range e.Participant {
		individuals[i] = p.Individual
	}
	if out.Practitioner, ok = first(individuals, "Practitioner"); !ok {
		return nil, reject("participant: names no practitioner")
	}
	if out.Start, err = instant(e.Period.Start); err != nil {
		return nil, reject("period.start: not a time with its zone, from 1900 to 2200")
	}
	if out.End, err = instant(e.Period.End); err != nil {
		return nil, reject("period.end: not a time with its zone, from 1900 to 2200")
	}
	if !out.End.After(out.Start) {
		return nil, reject("period: ends before it starts")
	}
	return out, nil
}

// reason returns the reason of the visit: ReasonCode of the encounter, else its type.
func (e *encounter) reason() string {
	for _, concepts := range [][]codeableConcept{e.ReasonCode, e.Type} {
		for _, c := range concepts {
			if text := c.says(); text != "" {
				return text
			}
		}
	}
	return ""
}

// says returns the text of a concept.
func (c codeableConcept) says() string {
	if c.Text != "" {
		return c.Text
	}
	for _, code := range c.Coding {
		if code.Display != "" {
			return code.Display
		}
	}
	return ""
}

// instant parses a dateTime or an instant that names a moment that can be stored. R4 also allows days, months and
// years.
func instant(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err == nil && !schedule.Plausible(t) {
		err = errors.New("fhir: a time of another age")
	}
	return t.UTC().Truncate(time.Microsecond), err
}
