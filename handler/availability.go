package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

type availabilityAnswer struct {
	rest.Settled `json:"-"`

	PractitionerID   uuid.UUID    `json:"practitioner_id"`
	PractitionerName *models.Name `json:"practitioner_name" example:"Grace Example"`
	Version          int64        `json:"version" doc:"0 if no hours are set: then the practitioner can be booked at any time."`
	service.AvailabilityInput
}

func newAvailabilityAnswer(a *models.Availability) availabilityAnswer {
	return availabilityAnswer{rest.Settled(a.NamedBefore(a.UpdatedAt)), a.PractitionerID, a.AccountName(&a.PractitionerID), a.Version, service.AvailabilityInput{
		TimeZone: a.TimeZone, Weekly: a.Weekly, Exceptions: a.Exceptions, TimeOff: a.TimeOff,
	}}
}

// availabilityReplacement is the whole availability as a client sends it back.
type availabilityReplacement struct {
	PractitionerID   *uuid.UUID   `json:"practitioner_id" set:"server"`
	PractitionerName *models.Name `json:"practitioner_name" set:"server"`
	Version          *int64       `json:"version" set:"server"`
	service.AvailabilityInput
}

func (r availabilityReplacement) Input() service.AvailabilityInput { return r.AvailabilityInput }

// slotRequest asks for free time of the practitioner of the path.
type slotRequest struct {
	rest.ByID
	period

	Minutes *int   `query:"minutes" doc:"The length of a slot in minutes, from 5 to 1440. Default: 60."`
	Type    string `query:"type" values:"appointment type"`
}

type slotsAnswer struct {
	TimeZone string       `json:"time_zone" doc:"The IANA time zone of the practitioner's hours." example:"America/New_York"`
	Items    []slotAnswer `json:"items"`
}

type slotAnswer struct {
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
}

// defaultSlot is the length of a slot if a request names none, in minutes.
const defaultSlot = 60

func (a *API) listSlots(ctx context.Context, in slotRequest) (service.Slots, error) {
	from, to, err := in.span(a.zone)
	if err != nil {
		return service.Slots{}, err
	}
	return a.Appointments.Slots(ctx, in.ID, service.SlotQuery{
		From: from, To: to, Minutes: web.ValueOr(in.Minutes, defaultSlot), Type: in.Type,
		TimeZone: web.ValueOr(in.TimeZone, ""),
	})
}

func newSlotsAnswer(s service.Slots) slotsAnswer {
	answer := slotsAnswer{s.TimeZone, make([]slotAnswer, len(s.Free))}
	for i, free := range s.Free {
		answer.Items[i] = slotAnswer{free.Start.UTC(), free.End.UTC()}
	}
	return answer
}
