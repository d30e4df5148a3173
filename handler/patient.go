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

	Warnings []web.ProblemField `json:"warnings,omitzero" doc:"Only in the answer to a registration: values that may be a mistake, such as a phone number that another patient has."` // of a registration
}

func newPatientAnswer(p *models.Patient) patientAnswer {
	return patientAnswer{
		ID: p.ID, Version: p.Version, CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(), Active: p.Active,
		FirstName: p.FirstName.Plain(), LastName: p.LastName.Plain(), DateOfBirth: p.DateOfBirth.Plain().String(),
		ContactInfo: p.ContactInfo.Plain(), Address: p.Address.Optional(), Insurance: p.Insurance.Optional(),
		EmergencyContact: p.EmergencyContact.Optional(), MergedIntoID: p.MergedIntoID,
	}
}

// patientReplacement is the whole of a patient as a client sends it back.
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

// patientRemoval deactivates; with purge it removes for good.
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
