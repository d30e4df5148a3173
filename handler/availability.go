package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/schedule"
	"novamind/models"
	"novamind/service"
)

type availabilityAnswer struct {
	PractitionerID uuid.UUID `json:"practitioner_id"`
	Version        int64     `json:"version"` // 0: none is configured
	service.AvailabilityInput
}

func newAvailabilityAnswer(a *models.Availability) availabilityAnswer {
	return availabilityAnswer{
		PractitionerID: a.PractitionerID, Version: a.Version,
		AvailabilityInput: service.AvailabilityInput{TimeZone: a.TimeZone, Weekly: a.Weekly, Exceptions: a.Exceptions, TimeOff: a.TimeOff},
	}
}

// availabilityReplacement is the whole of an availability as a client sends it back.
type availabilityReplacement struct {
	PractitionerID *uuid.UUID `json:"practitioner_id"`
	Version        *int64     `json:"version"`
	service.AvailabilityInput
}

func (r availabilityReplacement) against(a *models.Availability) (service.AvailabilityInput, error) {
	return r.AvailabilityInput, readOnly(
		unchanged("/practitioner_id", r.PractitionerID, a.PractitionerID), unchanged("/version", r.Version, a.Version),
	)
}

func (a *API) getAvailability(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	found, err := a.Appointments.Availability(c.Request.Context(), id)
	if err != nil || notModified(c, found.Version) {
		return err
	}
	return writeAvailability(c, found)
}

func (a *API) replaceAvailability(c *gin.Context) error {
	var body availabilityReplacement
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	changed, err := a.Appointments.SetAvailability(c.Request.Context(), id, condition.Matches, body.against)
	if err != nil {
		return err
	}
	return writeAvailability(c, changed)
}

func writeAvailability(c *gin.Context, a *models.Availability) error {
	setETag(c, a.Version)
	return writeJSON(c, http.StatusOK, newAvailabilityAnswer(a))
}

type slotAnswer struct {
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
}

// defaultSlot is how long a slot is where a request does not say, in minutes.
const defaultSlot = 60

func (a *API) listSlots(c *gin.Context) error {
	q, err := readQuery(c, "from", "to", "day", "week", "minutes", "type", "time_zone")
	if err != nil {
		return err
	}
	query := service.SlotQuery{
		Minutes: valueOr(q.Int("minutes"), defaultSlot),
		Type:    valueOr(q.OneOf("type", models.AppointmentTypes()), ""), TimeZone: valueOr(q.Text("time_zone", 64), ""),
	}
	query.From, query.To = a.period(q)
	if err := q.Err(); err != nil {
		return err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	slots, zone, err := a.Appointments.Slots(c.Request.Context(), id, query)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, map[string]any{"time_zone": zone, "items": slotItems(slots)})
}

func slotItems(slots []schedule.Interval) []slotAnswer {
	items := make([]slotAnswer, len(slots))
	for i, s := range slots {
		items[i] = slotAnswer{s.Start.UTC(), s.End.UTC()}
	}
	return items
}
