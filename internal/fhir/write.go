package fhir

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
)

// The code systems of written resources.
const (
	actCodes        = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
)

// Line returns the resource as a line of NDJSON. Patients reads that line as an equal resource. replacedBy is the
// patient that replaced this one, Nil for none; a replaced patient is read as not active.
func (p Patient) Line(replacedBy uuid.UUID) ([]byte, error) {
	r := resource{
		ResourceType: "Patient", ID: p.ID.String(), Active: &p.Active, BirthDate: p.BirthDate,
		Name:    []humanName{{Use: "official", Family: p.LastName, Given: []string{p.FirstName}}},
		Telecom: telecom(p.Phone, p.AlternativePhone, p.Email),
	}
	if a := p.Address; a != nil {
		r.Address = []address{{Use: "home", Line: []string{a.Street}, City: a.City, State: a.State, PostalCode: a.ZipCode}}
	}
	if c := p.EmergencyContact; c != nil {
		r.Contact = []contact{{
			Relationship: []codeableConcept{{Coding: []coding{{System: contactRoles, Code: emergency[0]}}}, {Text: c.Relationship}},
			Name:         humanName{Text: c.Name}, Telecom: telecom(c.Phone, c.AlternativePhone, c.Email),
		}}
	}
	if replacedBy != uuid.Nil {
		r.Link = []link{{Other: referenceTo("Patient", replacedBy), Type: "replaced-by"}}
	}
	return line(r)
}

// Line returns the resource as a line of NDJSON. Practitioners reads that line as an equal resource.
func (p Practitioner) Line() ([]byte, error) {
	words := strings.Fields(p.Name)
	last := max(0, len(words)-1)
	name := humanName{Use: "official", Family: strings.Join(words[last:], " "), Given: append([]string(nil), words[:last]...)}
	if name.full() != p.Name { // the name is too long to be read as parts
		name = humanName{Use: "official", Text: p.Name}
	}
	return line(practitioner{ResourceType: "Practitioner", ID: p.ID.String(), Telecom: telecom("", "", p.Email), Name: []humanName{name}})
}

// Line returns the resource as a line of NDJSON. Encounters reads that line as an equal resource.
func (e Encounter) Line() ([]byte, error) {
	r := encounter{
		ResourceType: "Encounter", ID: e.ID.String(), Extension: e.Ours.extensions(), Status: e.Status,
		Class: coding{System: actCodes, Code: "AMB"}, Subject: referenceTo("Patient", e.Patient.ID),
		Participant: []participant{{Individual: referenceTo("Practitioner", e.Practitioner.ID)}},
		Period:      period{Start: moment(e.Start), End: moment(e.End)},
	}
	if e.Virtual {
		r.Class.Code = "VR"
	}
	if e.Reason != "" {
		r.ReasonCode = []codeableConcept{{Text: e.Reason}}
	}
	return line(r)
}

// Line returns the resource as a line of NDJSON. Documents reads that line as an equal resource. A document that
// another one replaced is marked as superseded.
func (d Document) Line(superseded bool) ([]byte, error) {
	r := document{
		ResourceType: "DocumentReference", ID: d.ID.String(), Extension: d.Ours.extensions(), Status: "current",
		Type: codeableConcept{Text: d.Title}, Subject: referenceTo("Patient", d.Patient.ID), Date: moment(d.Date),
		Author: []reference{referenceTo("Practitioner", d.Author.ID)}, Description: d.Note,
		Content: []documentContent{{attachment{"text/markdown; charset=utf-8", base64.StdEncoding.EncodeToString([]byte(d.Text))}}},
	}
	switch {
	case d.InError:
		r.Status = "entered-in-error"
	case superseded:
		r.Status = "superseded"
	}
	for _, c := range d.Codes {
		r.Type.Coding = append(r.Type.Coding, coding(c))
	}
	for _, label := range d.Labels {
		r.SecurityLabel = append(r.SecurityLabel, codeableConcept{Coding: []coding{coding(label)}})
	}
	if d.Replaces != uuid.Nil {
		r.RelatesTo = []relation{{"replaces", referenceTo("DocumentReference", d.Replaces)}}
	}
	if d.Encounter != uuid.Nil {
		r.Context.Encounter = []reference{referenceTo("Encounter", d.Encounter)}
	}
	return line(r)
}

func line(resource any) ([]byte, error) {
	text, err := json.Marshal(resource)
	return append(text, '\n'), err
}

func referenceTo(kind string, id uuid.UUID) reference {
	return reference{Reference: kind + "/" + id.String()}
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// telecom returns the non-empty contact points, in the order in which they are tried.
func telecom(phone, alternative, email string) []contactPoint {
	var out []contactPoint
	for _, p := range []contactPoint{{System: "phone", Value: phone, Rank: 1}, {System: "phone", Value: alternative, Rank: 2}, {System: "email", Value: email}} {
		if p.Value != "" {
			out = append(out, p)
		}
	}
	return out
}
