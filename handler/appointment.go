package handler

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
	"novamind/service"
)

type appointmentAnswer struct {
	ID             uuid.UUID  `json:"id"`
	Version        int64      `json:"version"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	PatientID      uuid.UUID  `json:"patient_id"`
	PractitionerID uuid.UUID  `json:"practitioner_id"`
	SeriesID       *uuid.UUID `json:"series_id"`
	StartsAt       time.Time  `json:"starts_at"`
	EndsAt         time.Time  `json:"ends_at"`
	TimeZone       string     `json:"time_zone"`
	Status         string     `json:"status"`
	ExpiresAt      *time.Time `json:"expires_at"`
	Type           string     `json:"type"`
	Modality       string     `json:"modality"`
	Reason         *string    `json:"reason"`
	VideoURL       *string    `json:"video_url"`
	AllowOverlap   bool       `json:"allow_overlap"`
	OverlapReason  *string    `json:"overlap_reason"`
	CancelReason   *string    `json:"cancel_reason"`
}

func newAppointmentAnswer(a *models.Appointment) appointmentAnswer {
	answer := appointmentAnswer{
		ID: a.ID, Version: a.Version, CreatedAt: a.CreatedAt.UTC(), UpdatedAt: a.UpdatedAt.UTC(),
		PatientID: a.PatientID, PractitionerID: a.PractitionerID, SeriesID: a.SeriesID,
		StartsAt: a.StartsAt.UTC(), EndsAt: a.EndsAt.UTC(), TimeZone: a.TimeZone, Status: a.Status, Type: a.Type, Modality: a.Modality,
		Reason: a.Reason.Optional(), VideoURL: a.VideoURL.Optional(), AllowOverlap: a.AllowOverlap,
		OverlapReason: a.OverlapReason.Optional(), CancelReason: a.CancelReason.Optional(),
	}
	if a.ExpiresAt != nil {
		expires := a.ExpiresAt.UTC()
		answer.ExpiresAt = &expires
	}
	return answer
}

// appointmentReplacement is the whole of an appointment as a client sends it back. Members that it can't change may be there, unchanged.
type appointmentReplacement struct {
	ID           *uuid.UUID `json:"id"`
	Version      *int64     `json:"version"`
	CreatedAt    *time.Time `json:"created_at"`
	UpdatedAt    *time.Time `json:"updated_at"`
	SeriesID     *uuid.UUID `json:"series_id"`
	ExpiresAt    *time.Time `json:"expires_at"`
	CancelReason *string    `json:"cancel_reason"`
	service.AppointmentInput
}

func newAppointmentReplacement(a *models.Appointment) appointmentReplacement {
	n := newAppointmentAnswer(a)
	return appointmentReplacement{
		&n.ID, &n.Version, &n.CreatedAt, &n.UpdatedAt, n.SeriesID, n.ExpiresAt, n.CancelReason,
		service.AppointmentInput{
			PatientID: n.PatientID, PractitionerID: n.PractitionerID, StartsAt: n.StartsAt, EndsAt: n.EndsAt, TimeZone: n.TimeZone,
			Status: n.Status, Type: n.Type, Modality: n.Modality, Reason: valueOr(n.Reason, ""), VideoURL: valueOr(n.VideoURL, ""),
			AllowOverlap: n.AllowOverlap, OverlapReason: valueOr(n.OverlapReason, ""),
		},
	}
}

// against returns the input, or an Invalid error where it would change what only a transition changes, or nothing does.
func (r appointmentReplacement) against(a *models.Appointment) (service.AppointmentInput, error) {
	created, updated, expires := inUTC(r.CreatedAt), inUTC(r.UpdatedAt), inUTC(r.ExpiresAt)
	return r.AppointmentInput, readOnly(
		unchanged("/id", r.ID, a.ID), unchanged("/version", r.Version, a.Version),
		unchanged("/created_at", created, a.CreatedAt.UTC()), unchanged("/updated_at", updated, a.UpdatedAt.UTC()),
		unchanged("/series_id", r.SeriesID, valueOr(a.SeriesID, uuid.Nil)), unchanged("/cancel_reason", r.CancelReason, a.CancelReason.Plain()),
		unchanged("/expires_at", expires, valueOr(inUTC(a.ExpiresAt), time.Time{})),
		unchanged("/status", given(r.Status), a.Status), unchanged("/patient_id", given(r.PatientID), a.PatientID),
	)
}

// given returns a member that is absent where it is zero.
func given[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

func (a *API) createAppointment(c *gin.Context) error {
	var input service.AppointmentInput
	if err := decodeBody(c, &input); err != nil {
		return err
	}
	once, err := idempotencyOf(c, input)
	if err != nil {
		return err
	}
	made, err := a.Appointments.Book(c.Request.Context(), input, once)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/appointments/"+made.ID.String())
	return writeAppointment(c, http.StatusCreated, made)
}

func (a *API) getAppointment(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	found, err := a.Appointments.Get(c.Request.Context(), id)
	if err != nil || notModified(c, found.Version) {
		return err
	}
	return writeAppointment(c, http.StatusOK, found)
}

func (a *API) replaceAppointment(c *gin.Context) error {
	var body appointmentReplacement
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	return a.changeAppointment(c, body.against)
}

func (a *API) patchAppointment(c *gin.Context) error {
	patch, err := readMergePatch[appointmentReplacement](c)
	if err != nil {
		return err
	}
	return a.changeAppointment(c, func(found *models.Appointment) (service.AppointmentInput, error) {
		patched, err := patch.Apply(newAppointmentReplacement(found))
		if err != nil {
			return service.AppointmentInput{}, err
		}
		return patched.against(found)
	})
}

// changeAppointment changes one appointment, and, with following=true, those that follow in its series.
func (a *API) changeAppointment(c *gin.Context, edit func(*models.Appointment) (service.AppointmentInput, error)) error {
	q, err := readQuery(c, "following")
	if err != nil {
		return err
	}
	following := q.Bool("following")
	if err := q.Err(); err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	changed, err := a.Appointments.Change(c.Request.Context(), id, condition.Matches, extentOf(following), edit)
	if err != nil {
		return err
	}
	return writeAppointment(c, http.StatusOK, changed)
}

func extentOf(following *bool) service.Extent {
	if valueOr(following, false) {
		return service.Following
	}
	return service.OnlyThis
}

type transitionRequest struct {
	To        string `json:"to"`
	Reason    string `json:"reason,omitempty"`
	Following *bool  `json:"following"`
}

func (a *API) transitionAppointment(c *gin.Context) error {
	var body transitionRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	moved, err := changeOnce(a, c, id, body, func(ctx context.Context) (*models.Appointment, error) {
		return a.Appointments.Transition(ctx, id, condition.Matches, body.To, body.Reason, extentOf(body.Following))
	}, a.Appointments.Get)
	if err != nil {
		return err
	}
	return writeAppointment(c, http.StatusOK, moved)
}

func writeAppointment(c *gin.Context, status int, a *models.Appointment) error {
	setETag(c, a.Version)
	return writeJSON(c, status, newAppointmentAnswer(a))
}
