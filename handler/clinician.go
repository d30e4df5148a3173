package handler

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/models"
	"novamind/service"
)

type clinicianAnswer struct {
	AccountID uuid.UUID `json:"account_id"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind"` // registered, assigned, appointment or record
	Since     time.Time `json:"since"`
	LastAt    time.Time `json:"last_at"`
}

func newClinicianAnswer(c service.Clinician) clinicianAnswer {
	return clinicianAnswer{c.AccountID, c.Name, c.Kind, c.Since.UTC(), c.LastAt.UTC()}
}

type clinicianRequest struct {
	AccountID uuid.UUID `json:"account_id"`
}

// listClinicians lists who cares for a patient. There are few: it is one page.
func (a *API) listClinicians(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	found, err := a.Care.Clinicians(c.Request.Context(), id)
	if err != nil {
		return err
	}
	items := make([]clinicianAnswer, len(found))
	for i, clinician := range found {
		items[i] = newClinicianAnswer(clinician)
	}
	return writeJSON(c, http.StatusOK, page[clinicianAnswer]{Items: items})
}

func (a *API) assignClinician(c *gin.Context) error {
	var body clinicianRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	assigned, err := changeOnce(a, c, id, body, func(ctx context.Context) (service.Clinician, error) {
		return a.Care.Assign(ctx, id, body.AccountID)
	}, func(ctx context.Context, id uuid.UUID) (service.Clinician, error) {
		return a.assigned(ctx, id, body.AccountID)
	})
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusCreated, newClinicianAnswer(assigned))
}

// assigned returns the assignment of a clinician to a patient, or a NotFound error.
func (a *API) assigned(ctx context.Context, patientID, accountID uuid.UUID) (service.Clinician, error) {
	found, err := a.Care.Clinicians(ctx, patientID)
	if err != nil {
		return service.Clinician{}, err
	}
	for _, c := range found {
		if c.AccountID == accountID && c.Kind == models.CareAssigned {
			return c, nil
		}
	}
	return service.Clinician{}, apperr.New(apperr.NotFound, "There is no such resource.")
}

// unassignClinician takes the patient's ETag in If-Match.
func (a *API) unassignClinician(c *gin.Context) error {
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	accountID, err := pathID(c, "account_id")
	if err != nil {
		return err
	}
	if err := a.Care.Unassign(c.Request.Context(), id, accountID, condition.Matches); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
