package service

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"novamind/internal/fhir"
	"novamind/models"
)

// The names of our extensions, for values without an element in FHIR R4.
const (
	oursStatus          = "status"
	oursType            = "type"
	oursModality        = "modality"
	oursTimeZone        = "time-zone"
	oursVideoURL        = "video-url"
	oursCancelReason    = "cancel-reason"
	oursOverlapReason   = "overlap-reason"
	oursKind            = "kind"
	oursSignedAt        = "signed-at"
	oursQuestionnaire   = "questionnaire"
	oursAmendmentReason = "amendment-reason"
	oursErrorReason     = "error-reason"
)

func exportedPatient(p *models.Patient) fhir.Patient {
	contact := p.ContactInfo.Plain()
	out := fhir.Patient{
		ID: p.ID, FirstName: p.FirstName.Plain(), LastName: p.LastName.Plain(), BirthDate: p.DateOfBirth.Plain().String(), Active: p.Active,
		Phone: contact.Phone, AlternativePhone: contact.AlternativePhone, Email: contact.Email,
	}
	if a := p.Address.Optional(); a != nil {
		out.Address = &fhir.Address{Street: a.Street, City: a.City, State: a.State, ZipCode: a.ZipCode}
	}
	if c := p.EmergencyContact.Optional(); c != nil {
		out.EmergencyContact = &fhir.Contact{
			Name: c.Name, Relationship: c.Relationship, Phone: c.Phone, Email: c.Email, AlternativePhone: c.AlternativePhone,
		}
	}
	return out
}

// statusesOfEncounters are R4's codes of the states of an appointment, as ImportService reads them. In FHIR, a
// no-show is a cancellation.
var statusesOfEncounters = map[string]string{
	models.Booked: "planned", models.Arrived: "arrived", models.CheckedIn: "in-progress", models.Fulfilled: "finished", models.Cancelled: "cancelled",
	models.NoShow: "cancelled", models.EnteredInError: "entered-in-error",
}

func exportedEncounter(a *models.Appointment) fhir.Encounter {
	out := fhir.Encounter{
		ID: a.ID, Status: statusesOfEncounters[a.Status], Virtual: a.Modality != "in_person", Patient: fhir.Reference{ID: a.PatientID},
		Practitioner: fhir.Reference{ID: a.PractitionerID}, Start: a.StartsAt, End: a.EndsAt, Reason: a.Reason.Plain(),
		Ours: fhir.Ours{
			oursType: a.Type, oursModality: a.Modality, oursTimeZone: a.TimeZone, oursVideoURL: a.VideoURL.Plain(),
			oursCancelReason: a.CancelReason.Plain(), oursOverlapReason: a.OverlapReason.Plain(),
		},
	}
	if a.Status == models.NoShow {
		out.Ours[oursStatus] = a.Status
	}
	return out
}

// answeredQuestionnaire is the exported part of a questionnaire: the rest is computed.
type answeredQuestionnaire struct {
	Instrument string `json:"instrument"`
	Answers    []int  `json:"answers"`
}

func exportedDocument(m *models.MedicalRecord) (fhir.Document, error) {
	out := fhir.Document{
		ID: m.ID, InError: m.Status == models.RecordInError, Patient: fhir.Reference{ID: m.PatientID}, Author: fhir.Reference{ID: m.AuthorID},
		Encounter: valueOr(m.AppointmentID, uuid.Nil), Replaces: valueOr(m.SupersedesID, uuid.Nil), Date: m.OccurredAt,
		Title: m.Title.Plain(), Text: m.Content.Plain(),
		Ours: fhir.Ours{
			oursKind: m.Kind, oursSignedAt: m.SignedAt.UTC().Format(time.RFC3339Nano), oursAmendmentReason: m.AmendmentReason.Plain(), oursErrorReason: m.ErrorReason.Plain(),
		},
	}
	switch m.Sensitivity {
	case models.SensitivityRestricted:
		out.Labels = []fhir.Code{fhir.Restricted}
	case models.SensitivityPart2:
		out.Labels, out.Note = []fhir.Code{fhir.Part2, fhir.Restricted}, Part2Notice
	}
	if m.Status == models.RecordAmended {
		out.Ours[oursStatus] = m.Status
	}
	for _, c := range m.Codes.Plain() {
		out.Codes = append(out.Codes, fhir.Code{System: c.System, Code: c.Code, Display: c.Display})
	}
	if q := m.Questionnaire.Optional(); q != nil {
		answered, err := json.Marshal(answeredQuestionnaire{q.Instrument, q.Answers})
		if err != nil {
			return out, err
		}
		out.Ours[oursQuestionnaire] = string(answered)
	}
	return out, nil
}
