package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

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
	return clinicianAnswer{c.AccountID, c.Name, c.Kind, c.CreatedAt.UTC(), c.LastAt.UTC()}
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
	assigned, err := a.Care.Assign(c.Request.Context(), id, body.AccountID)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusCreated, newClinicianAnswer(assigned))
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
