package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/models"
	"novamind/service"
)

type clinicianAnswer struct {
	AccountID uuid.UUID `json:"account_id"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind" values:"care"`
	Since     time.Time `json:"since"`
	LastAt    time.Time `json:"last_at"`
}

func newClinicianAnswer(c service.Clinician) clinicianAnswer {
	return clinicianAnswer{c.AccountID, c.Name, c.Kind, c.Since.UTC(), c.LastAt.UTC()}
}

type clinicianRequest struct {
	rest.ByID

	AccountID uuid.UUID `json:"account_id" doc:"The account of the clinician."`
}

func (a *API) assignClinician(ctx context.Context, in clinicianRequest) (service.Clinician, error) {
	return a.Care.Assign(ctx, in.ID, in.AccountID)
}

// assigned returns the assignment of a clinician to a patient, or a NotFound error.
func (a *API) assigned(ctx context.Context, in clinicianRequest, patientID uuid.UUID) (service.Clinician, error) {
	found, err := a.Care.Clinicians(ctx, patientID)
	if err != nil {
		return service.Clinician{}, err
	}
	for _, c := range found {
		if c.AccountID == in.AccountID && c.Kind == models.CareAssigned {
			return c, nil
		}
	}
	return service.Clinician{}, apperr.New(apperr.NotFound, "The resource does not exist, or you may not see it.")
}

// clinicianRemoval takes the patient's ETag in If-Match.
type clinicianRemoval struct {
	rest.OfVersion

	AccountID uuid.UUID `path:"account_id"`
}

func (a *API) unassignClinician(ctx context.Context, in clinicianRemoval) error {
	return a.Care.Unassign(ctx, in.ID, in.AccountID, in.Current)
}
