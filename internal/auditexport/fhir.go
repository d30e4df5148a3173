package auditexport

import (
	"bufio"
	"encoding/json"
	"strconv"
	"time"

	"novamind/internal/audit"
)

// fhir writes FHIR R4 AuditEvents.
type fhir struct{}

// The extensions that carry the proof.
const (
	leafExtension  = "urn:novamind:audit:leaf"
	indexExtension = "urn:novamind:audit:leaf-index"
	proofExtension = "urn:novamind:audit:proof"
)

type fhirBinary struct {
	ResourceType string `json:"resourceType"`
	ContentType  string `json:"contentType"`
	Data         []byte `json:"data"`
}

func newFHIRBinary(checkpoint string) fhirBinary {
	return fhirBinary{"Binary", "text/plain; charset=utf-8", []byte(checkpoint)}
}

type fhirEvent struct {
	ResourceType   string          `json:"resourceType"`
	ID             string          `json:"id"`
	Extension      []fhirExtension `json:"extension"`
	Type           fhirCoding      `json:"type"`
	Subtype        []fhirCoding    `json:"subtype"`
	Action         string          `json:"action"`
	Recorded       string          `json:"recorded"`
	Outcome        string          `json:"outcome"`
	OutcomeDesc    string          `json:"outcomeDesc,omitempty"`
	PurposeOfEvent []fhirConcept   `json:"purposeOfEvent,omitempty"`
	Agent          []fhirAgent     `json:"agent"`
	Source         fhirSource      `json:"source"`
	Entity         []fhirEntity    `json:"entity,omitempty"`
}

type fhirExtension struct {
	URL    string `json:"url"`
	Base64 []byte `json:"valueBase64Binary,omitempty"`
	String string `json:"valueString,omitempty"`
}

type fhirCoding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

type fhirConcept struct {
	Coding []fhirCoding `json:"coding,omitempty"`
	Text   string       `json:"text,omitempty"`
}

type fhirReference struct {
	Reference  string          `json:"reference,omitempty"`
	Identifier *fhirIdentifier `json:"identifier,omitempty"`
	Display    string          `json:"display,omitempty"`
}

type fhirIdentifier struct {
	System string `json:"system"`
	Value  string `json:"value"`
}

type fhirAgent struct {
	Role      []fhirConcept `json:"role,omitempty"`
	Who       fhirReference `json:"who"`
	Requestor bool          `json:"requestor"`
	Network   *fhirNetwork  `json:"network,omitempty"`
}

type fhirNetwork struct {
	Address string `json:"address"`
	Type    string `json:"type"`
}

type fhirSource struct {
	Site     string        `json:"site"`
	Observer fhirReference `json:"observer"`
}

type fhirEntity struct {
	What   fhirReference `json:"what"`
	Type   *fhirCoding   `json:"type,omitempty"`
	Role   *fhirCoding   `json:"role,omitempty"`
	Detail []fhirDetail  `json:"detail,omitempty"`
}

type fhirDetail struct {
	Type   string `json:"type"`
	String string `json:"valueString"`
}

const dicom = "http://dicom.nema.org/resources/ontology/DCM"

// eventTypes maps actions to DICOM's codes for kinds of events. Any other action is an event on a patient's record.
var eventTypes = map[string]fhirCoding{
	audit.Login:      {dicom, "110114", "User Authentication"},
	audit.Logout:     {dicom, "110114", "User Authentication"},
	audit.Refuse:     {dicom, "110114", "User Authentication"},
	audit.Export:     {dicom, "110106", "Export"},
	audit.Import:     {dicom, "110107", "Import"},
	audit.List:       {dicom, "110112", "Query"},
	audit.Search:     {dicom, "110112", "Query"},
	audit.OpenDiff:   {dicom, "110101", "Audit Log Used"},
	audit.SignOff:    {dicom, "110101", "Audit Log Used"},
	audit.AddKey:     {dicom, "110113", "Security Alert"},
	audit.PromoteKey: {dicom, "110113", "Security Alert"},
	audit.AdoptIndex: {dicom, "110113", "Security Alert"},
	audit.RetireKey:  {dicom, "110113", "Security Alert"},
	audit.DestroyKey: {dicom, "110113", "Security Alert"},
	audit.RewrapKeys: {dicom, "110113", "Security Alert"},
}

// fhirActions maps actions to FHIR's letters. Any other action is E, execute.
var fhirActions = map[string]string{
	audit.Create: "C", audit.Read: "R", audit.Update: "U", audit.Deactivate: "U", audit.Purge: "D", audit.Truncate: "D",
}

var fhirOutcomes = map[string]string{audit.Success: "0", audit.Denied: "4", audit.Failure: "8"}

// resources maps tables to the FHIR resources of their rows.
var resources = map[string]string{"patient": "Patient", "appointment": "Appointment", "account": "Practitioner", "consent": "Consent"}

func newFHIREvent(r Record) fhirEvent {
	e := r.Entry
	out := fhirEvent{
		ResourceType: "AuditEvent", ID: e.ID.String(),
		Extension: []fhirExtension{
			{URL: indexExtension, String: strconv.FormatInt(r.Index, 10)},
			{URL: leafExtension, Base64: e.Leaf()},
		},
		Type:        fhirCoding{dicom, "110110", "Patient Record"},
		Subtype:     []fhirCoding{{System: "urn:novamind:audit:action", Code: e.Action}},
		Action:      "E",
		Recorded:    e.OccurredAt.UTC().Format(time.RFC3339Nano),
		Outcome:     fhirOutcomes[e.Outcome],
		OutcomeDesc: text(e.Details),
		Agent:       []fhirAgent{newFHIRAgent(e)},
		Source:      fhirSource{Site: e.Origin, Observer: fhirReference{Display: "NovaMind"}},
	}
	for _, hash := range proofBytes(r.Proof) {
		out.Extension = append(out.Extension, fhirExtension{URL: proofExtension, Base64: hash})
	}
	if kind, ok := eventTypes[e.Action]; ok {
		out.Type = kind
	}
	if letter, ok := fhirActions[e.Action]; ok {
		out.Action = letter
	}
	if e.Purpose != nil {
		out.PurposeOfEvent = []fhirConcept{{Coding: []fhirCoding{{System: "http://terminology.hl7.org/CodeSystem/v3-ActReason", Code: *e.Purpose}}}}
	}
	for _, s := range e.Subjects {
		out.Entity = append(out.Entity, newFHIREntity(e, s))
	}
	return out
}

func newFHIRAgent(e audit.Entry) fhirAgent {
	agent := fhirAgent{Requestor: true, Who: fhirReference{Display: e.Origin}}
	if e.UserID != nil {
		agent.Who = fhirReference{Reference: "Practitioner/" + e.UserID.String()}
	}
	for _, role := range e.ActorRoles {
		agent.Role = append(agent.Role, fhirConcept{Text: role})
	}
	if e.Address != nil {
		agent.Network = &fhirNetwork{Address: *e.Address, Type: "2"} // an IP address
	}
	return agent
}

func newFHIREntity(e audit.Entry, s audit.EntrySubject) fhirEntity {
	table := text(s.EntityType)
	entity := fhirEntity{What: fhirReference{Identifier: &fhirIdentifier{System: "urn:novamind:" + table, Value: s.EntityID.String()}}}
	if resource, ok := resources[table]; ok {
		entity.What = fhirReference{Reference: resource + "/" + s.EntityID.String()}
	}
	if table == "patient" {
		entity.Type = &fhirCoding{"http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person"}
		entity.Role = &fhirCoding{"http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient"}
	}
	if e.EntityID != nil && *e.EntityID == s.EntityID {
		for _, field := range e.Fields {
			entity.Detail = append(entity.Detail, fhirDetail{Type: "field", String: field})
		}
	}
	return entity
}

func (fhir) begin(w *bufio.Writer, checkpoint string) error {
	return writeLine(w, newFHIRBinary(checkpoint))
}

func (fhir) record(w *bufio.Writer, r Record) error { return writeLine(w, newFHIREvent(r)) }

func (fhir) checkpoint(r *lines) (string, error) {
	line, err := r.read()
	if err != nil {
		return "", err
	}
	var binary fhirBinary
	if json.Unmarshal(line, &binary) != nil || !sameLine(line, newFHIRBinary(string(binary.Data))) {
		return "", errNoCheckpoint
	}
	return string(binary.Data), nil
}

func (fhir) next(r *lines) (claim, error) {
	line, err := r.read()
	if err != nil {
		return claim{}, err
	}
	var event fhirEvent
	if json.Unmarshal(line, &event) != nil {
		return claim{fault: "is not an AuditEvent"}, nil //nolint:nilerr // the fault is the result
	}
	index, leaf, proof := int64(-1), []byte(nil), [][]byte(nil)
	for _, extension := range event.Extension {
		switch extension.URL {
		case indexExtension:
			if index, err = strconv.ParseInt(extension.String, 10, 64); err != nil {
				return claim{fault: "has no leaf index"}, nil //nolint:nilerr // the fault is the result
			}
		case leafExtension:
			leaf = extension.Base64
		case proofExtension:
			proof = append(proof, extension.Base64)
		}
	}
	return newClaim(index, leaf, proof, func(r Record) bool { return sameLine(line, newFHIREvent(r)) }), nil
}
