package handler

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/models"
	"novamind/service"
)

// breakGlassAnswer lists the patients of an emergency access. Several patients can have the same names and date of
// birth.
type breakGlassAnswer struct {
	PatientIDs []uuid.UUID `json:"patient_ids"`
	ExpiresAt  time.Time   `json:"expires_at"`
}

type emergencyAnswer struct {
	ID          uuid.UUID    `json:"id"`
	PatientID   uuid.UUID    `json:"patient_id"`
	PatientName *models.Name `json:"patient_name" example:"Ada Sample"`
	CreatedAt   time.Time    `json:"created_at"`
	ExpiresAt   time.Time    `json:"expires_at"`
}

func newEmergencyAnswer(b *models.BreakGlass) emergencyAnswer {
	return emergencyAnswer{b.ID, b.PatientID, b.PatientName(b.PatientID), b.CreatedAt.UTC(), b.ExpiresAt.UTC()}
}

func (a *API) breakGlass(ctx context.Context, in service.BreakGlassInput) (breakGlassAnswer, error) {
	ids, expires, err := a.BreakGlass.Open(ctx, in)
	return breakGlassAnswer{ids, expires}, err
}

// opened returns all patients that were opened with one emergency access, or a NotFound error if it has expired.
func (a *API) opened(ctx context.Context, _ service.BreakGlassInput, id uuid.UUID) (breakGlassAnswer, error) {
	active, err := a.BreakGlass.Active(ctx)
	if err != nil {
		return breakGlassAnswer{}, err
	}
	i := slices.IndexFunc(active, func(b *models.BreakGlass) bool { return b.ID == id })
	if i < 0 {
		return breakGlassAnswer{}, apperr.New(apperr.NotFound, "The emergency access has expired. Open a new one.")
	}
	answer := breakGlassAnswer{ExpiresAt: active[i].ExpiresAt.UTC()}
	for _, b := range slices.Backward(active) { // in the order of opening
		if b.ExpiresAt.Equal(active[i].ExpiresAt) {
			answer.PatientIDs = append(answer.PatientIDs, b.PatientID)
		}
	}
	return answer, nil
}

// activeEmergencies returns the caller's own emergency accesses that have not expired.
func (a *API) activeEmergencies(ctx context.Context, _ rest.Nothing) ([]*models.BreakGlass, error) {
	return a.BreakGlass.Active(ctx)
}
