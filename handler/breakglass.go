package handler

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/models"
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
	opened, err := changeOnce(a, c, uuid.Nil, body, func(ctx context.Context) (breakGlassAnswer, error) {
		ids, expires, err := a.BreakGlass.Open(ctx, body)
		return breakGlassAnswer{ids, expires}, err
	}, a.opened)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusCreated, opened)
}

// opened returns what was opened together with an emergency access, or a NotFound error where it has expired.
func (a *API) opened(ctx context.Context, id uuid.UUID) (breakGlassAnswer, error) {
	active, err := a.BreakGlass.Active(ctx)
	if err != nil {
		return breakGlassAnswer{}, err
	}
	i := slices.IndexFunc(active, func(b *models.BreakGlass) bool { return b.ID == id })
	if i < 0 {
		return breakGlassAnswer{}, apperr.New(apperr.NotFound, "The emergency access has expired.")
	}
	answer := breakGlassAnswer{ExpiresAt: active[i].ExpiresAt.UTC()}
	for _, b := range slices.Backward(active) { // in the order in which they were opened
		if b.ExpiresAt.Equal(active[i].ExpiresAt) {
			answer.PatientIDs = append(answer.PatientIDs, b.PatientID)
		}
	}
	return answer, nil
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
