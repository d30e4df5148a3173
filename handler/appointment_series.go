package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
	"novamind/service"
)

type seriesAnswer struct {
	ID           uuid.UUID `json:"id"`
	CreatedAt    time.Time `json:"created_at"`
	PatientID    uuid.UUID `json:"patient_id"`
	Rule         string    `json:"rule"`
	TimeZone     string    `json:"time_zone"`
	Appointments []any     `json:"appointments"`
}

func newSeriesAnswer(s *service.Series) seriesAnswer {
	answer := seriesAnswer{
		ID: s.ID, CreatedAt: s.CreatedAt.UTC(), PatientID: s.PatientID, Rule: s.Rule, TimeZone: s.TimeZone, Appointments: appointmentItems(s.Appointments),
	}
	return answer
}

// appointmentItems returns appointments as they stand in a list.
func appointmentItems(rows []*models.Appointment) []any {
	items := make([]any, len(rows))
	for i, row := range rows {
		if row.Unreadable() {
			items[i] = unreadableAnswer{row.ID, true}
		} else {
			items[i] = newAppointmentAnswer(row)
		}
	}
	return items
}

type occurrenceAnswer struct {
	StartsAt  time.Time        `json:"starts_at"`
	EndsAt    time.Time        `json:"ends_at"`
	Conflicts []conflictAnswer `json:"conflicts"`
}

type conflictAnswer struct {
	Code     string     `json:"code"`
	StartsAt *time.Time `json:"starts_at"` // of what takes the time
	EndsAt   *time.Time `json:"ends_at"`
}

func newConflictAnswer(c service.Conflict) conflictAnswer {
	if c.StartsAt.IsZero() {
		return conflictAnswer{Code: c.Code}
	}
	return conflictAnswer{Code: c.Code, StartsAt: &c.StartsAt, EndsAt: &c.EndsAt}
}

func (a *API) previewSeries(c *gin.Context) error {
	var input service.SeriesInput
	if err := decodeBody(c, &input); err != nil {
		return err
	}
	occurrences, err := a.Appointments.PreviewSeries(c.Request.Context(), input)
	if err != nil {
		return err
	}
	items := make([]occurrenceAnswer, len(occurrences))
	for i, o := range occurrences {
		items[i] = occurrenceAnswer{o.StartsAt, o.EndsAt, []conflictAnswer{}}
		for _, conflict := range o.Conflicts {
			items[i].Conflicts = append(items[i].Conflicts, newConflictAnswer(conflict))
		}
	}
	return writeJSON(c, http.StatusOK, map[string]any{"items": items})
}

func (a *API) createSeries(c *gin.Context) error {
	var input service.SeriesInput
	if err := decodeBody(c, &input); err != nil {
		return err
	}
	once, err := idempotencyOf(c, input)
	if err != nil {
		return err
	}
	made, err := a.Appointments.BookSeries(c.Request.Context(), input, once)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/appointment-series/"+made.ID.String())
	setETag(c, made.Version())
	return writeJSON(c, http.StatusCreated, newSeriesAnswer(made))
}

func (a *API) getSeries(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	found, err := a.Appointments.GetSeries(c.Request.Context(), id)
	if err != nil || notModified(c, found.Version()) {
		return err
	}
	return writeJSON(c, http.StatusOK, newSeriesAnswer(found))
}
