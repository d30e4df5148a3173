package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/service"
)

// breakGlassAnswer says whom an emergency opened: more than one where several patients have the names and the date of birth.
type breakGlassAnswer struct {
	PatientIDs []uuid.UUID `json:"patient_ids"`
	ExpiresAt  time.Time   `json:"expires_at"`
}

type emergencyAnswer struct {
	ID        uuid.UUID `json:"id"`
	PatientID uuid.UUID `json:"patient_id"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *API) breakGlass(c *gin.Context) error {
	var body service.BreakGlassInput
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	ids, expires, err := a.BreakGlass.Open(c.Request.Context(), body)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusCreated, breakGlassAnswer{ids, expires})
}

// listBreakGlass lists the caller's own emergency accesses that have not expired. There are few: it is one page.
func (a *API) listBreakGlass(c *gin.Context) error {
	active, err := a.BreakGlass.Active(c.Request.Context())
	if err != nil {
		return err
	}
	items := make([]emergencyAnswer, len(active))
	for i, b := range active {
		items[i] = emergencyAnswer{b.ID, b.PatientID, b.CreatedAt.UTC(), b.ExpiresAt.UTC()}
	}
	return writeJSON(c, http.StatusOK, page[emergencyAnswer]{Items: items})
}
