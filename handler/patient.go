package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

// patientOperations are the operations on patients, their care team, and emergency access.
func (a *API) patientOperations() []rest.Operation {
	const patients = "/api/v1/patients"
	const patient = patients + "/:id"
	deleting := []rest.Need{rest.When(service.PatientDeactivate, "without purge"), rest.When(service.PatientPurge, "with purge=true")}
	changing := rest.Change[patientReplacement](a.Patients.Change, newPatientAnswer)
	return []rest.Operation{
		rest.Row(
			"GET", patients, "List patients", web.Session, rest.May(service.PatientRead),
			rest.List(a.searchPatients, newPatientAnswer),
		),
		rest.Row(
			"POST", patients, "Register a patient", web.Session, rest.MayAgain(service.PatientCreate, service.PatientRead),
			rest.Create(patients, a.Patients.Register, a.Patients.Registered, newRegistrationAnswer),
			apperr.PossibleDuplicate,
		),
		rest.Row(
			"POST", patients+"/search", "Search patients", web.Session, rest.May(service.PatientRead),
			rest.List(a.searchPatients, newPatientAnswer),
		),
		rest.Row(
			"GET", patient, "Show a patient", web.Session, rest.May(service.PatientRead),
			rest.Get(a.Patients.Get, newPatientAnswer),
		),
		rest.Row("PUT", patient, "Replace a patient", web.Session, rest.May(service.PatientUpdate), changing),
		rest.Row("PATCH", patient, "Change a patient", web.Session, rest.May(service.PatientUpdate), changing),
		rest.Row(
			"DELETE", patient, "Deactivate or purge a patient", web.Session, deleting,
			rest.Answer(204, a.removePatient, rest.Same), apperr.Conflict,
		),
		rest.Row(
			"POST", patient+"/merge", "Merge a patient", web.Session, rest.MayAgain(service.PatientMerge, service.PatientRead),
			rest.Act(a.mergePatient, a.Patients.Get, newPatientAnswer), apperr.Conflict, apperr.Taken,
		),
		rest.Row(
			"POST", patient+"/unmerge", "Unmerge a patient", web.Session, rest.MayAgain(service.PatientMerge, service.PatientRead),
			rest.Act(a.unmergePatient, a.Patients.Get, newPatientAnswer), apperr.Conflict,
		),
		rest.Row(
			"GET", patient+"/chart", "Show a chart", web.Session, rest.May(service.MedicalRecordRead),
			rest.Get(a.Charts.Of, newChartAnswer),
		),
		rest.Row(
			"GET", patient+"/clinicians", "List the clinicians of a patient", web.Session, rest.May(service.PatientRead),
			rest.All(a.Care.Clinicians, newClinicianAnswer),
		),
		rest.Row(
			"POST", patient+"/clinicians", "Assign a clinician", web.Session, rest.MayAgain(service.PatientAssign, service.PatientRead),
			rest.Post(201, "", a.assignClinician, a.assigned, newClinicianAnswer),
		),
		rest.Row(
			"DELETE", patient+"/clinicians/:account_id", "Unassign a clinician", web.Session, rest.May(service.PatientAssign),
			rest.Remove(a.unassignClinician), apperr.Conflict,
		),
		rest.Row(
			"GET", "/api/v1/break-glass", "List emergency accesses", web.Session, rest.May(service.BreakGlassOpen),
			rest.All(a.activeEmergencies, newEmergencyAnswer),
		),
		rest.Row(
			"POST", "/api/v1/break-glass", "Open emergency access", web.Session, rest.May(service.BreakGlassOpen),
			rest.Post(201, "", a.breakGlass, a.opened, rest.Same),
		),
	}
}

type patientAnswer struct {
	ID               uuid.UUID                `json:"id"`
	Version          int64                    `json:"version"`
	CreatedAt        time.Time                `json:"created_at"`
	UpdatedAt        time.Time                `json:"updated_at"`
	Active           bool                     `json:"active"`
	FirstName        string                   `json:"first_name" example:"Ada"`
	LastName         string                   `json:"last_name" example:"Sample"`
	DateOfBirth      string                   `json:"date_of_birth" format:"date" example:"1980-02-03"`
	ContactInfo      models.ContactInfo       `json:"contact_info"`
	Address          *models.Address          `json:"address"`
	Insurance        *models.Insurance        `json:"insurance"`
	EmergencyContact *models.EmergencyContact `json:"emergency_contact"`
	MergedIntoID     *uuid.UUID               `json:"merged_into_id" doc:"The patient into whose chart this one was merged. Null if it was not merged."`

	// Of a registration.
	Warnings []web.ProblemField `json:"warnings,omitzero" doc:"Only in the answer to a registration: values that may be a mistake, such as a phone number that another patient has."`
}

func newPatientAnswer(p *models.Patient) patientAnswer {
	return patientAnswer{
		ID: p.ID, Version: p.Version, CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(), Active: p.Active,
		FirstName: p.FirstName.Plain(), LastName: p.LastName.Plain(), DateOfBirth: p.DateOfBirth.Plain().String(),
		ContactInfo: p.ContactInfo.Plain(), Address: p.Address.Optional(), Insurance: p.Insurance.Optional(),
		EmergencyContact: p.EmergencyContact.Optional(), MergedIntoID: p.MergedIntoID,
	}
}

// patientReplacement is the whole patient as a client sends it back.
type patientReplacement struct {
	rest.ServerSet

	MergedIntoID *uuid.UUID `json:"merged_into_id" set:"server"`
	service.PatientInput
}

func (r patientReplacement) Input() service.PatientInput { return r.PatientInput }

// newRegistrationAnswer shows a newly registered patient.
func newRegistrationAnswer(r *service.Registered) patientAnswer {
	answer := newPatientAnswer(r.Patient)
	answer.Warnings = make([]web.ProblemField, len(r.Warnings))
	for i, w := range r.Warnings {
		answer.Warnings[i] = web.ProblemField(w)
	}
	return answer
}

// patientRemoval deactivates a patient. With purge, it removes the patient for good.
type patientRemoval struct {
	rest.OfVersion

	Purge  bool    `query:"purge"`
	Reason *string `query:"reason" max:"200"`
}

func (a *API) removePatient(ctx context.Context, in patientRemoval) (rest.Gone, error) {
	switch {
	case in.Purge:
		return rest.Gone{}, a.Patients.Purge(ctx, in.ID, in.Current, web.ValueOr(in.Reason, ""))
	case in.Reason != nil:
		return rest.Gone{}, apperr.InvalidFields(apperr.Field{Pointer: web.InQuery("reason"), Code: "unexpected", Detail: "Send reason only with purge=true."})
	}
	p, err := a.Patients.Deactivate(ctx, in.ID, in.Current)
	if err != nil {
		return rest.Gone{}, err
	}
	return rest.Gone{Version: p.Version}, nil
}
