package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

// appointmentOperations are the operations on appointments, and on the hours when practitioners can be booked.
func (a *API) appointmentOperations() []rest.Operation {
	const appointments = "/api/v1/appointments"
	const appointment = appointments + "/:id"
	const series = "/api/v1/appointment-series"
	const practitioner = "/api/v1/practitioners/:id"
	booking := append(rest.MayAgain(service.AppointmentCreate, service.AppointmentRead),
		rest.When(service.AppointmentOverlap, "with allow_overlap"))
	updating := append(rest.May(service.AppointmentUpdate), rest.When(service.AppointmentOverlap, "with allow_overlap"))
	moving := append(rest.MayAgain(service.AppointmentTransition, service.AppointmentRead),
		rest.When(service.AppointmentOverlap, "for a late arrival with allow_overlap"))
	notFree := []apperr.Code{apperr.Taken, apperr.OutsideHours}
	changing := rest.Change[appointmentReplacement](a.changeAppointment, newAppointmentAnswer)
	notChanged := append([]apperr.Code{apperr.BadTransition}, notFree...)
	return []rest.Operation{
		rest.Row(
			"GET", appointments, "List appointments", web.Session, rest.May(service.AppointmentRead),
			rest.ListBy(startOf, a.listAppointments, newAppointmentAnswer), apperr.NotFound,
		),
		rest.Row(
			"POST", appointments, "Book an appointment", web.Session, booking,
			rest.Create(appointments, a.Appointments.Book, a.Appointments.Get, newAppointmentAnswer), notFree...,
		),
		rest.Row(
			"GET", appointment, "Show an appointment", web.Session, rest.May(service.AppointmentRead),
			rest.Get(a.Appointments.Get, newAppointmentAnswer),
		),
		rest.Row("PUT", appointment, "Replace an appointment", web.Session, updating, changing, notChanged...),
		rest.Row("PATCH", appointment, "Change an appointment", web.Session, updating, changing, notChanged...),
		rest.Row(
			"POST", appointment+"/transitions", "Take an appointment to another state", web.Session, moving,
			rest.Act(a.transitionAppointment, a.Appointments.Get, newAppointmentAnswer), notChanged...,
		),
		rest.Row(
			"GET", "/api/v1/patients/:id/appointments", "List the appointments of a patient", web.Session,
			rest.May(service.AppointmentRead), rest.ListBy(startOf, a.listAppointmentsOfPatient, newAppointmentAnswer),
		),
		rest.Row(
			"POST", series, "Book a series", web.Session, booking,
			rest.Create(series, a.Appointments.BookSeries, a.Appointments.GetSeries, newSeriesAnswer), notFree...,
		),
		rest.Row(
			"POST", series+"/preview", "Preview a series", web.Session, rest.May(service.AppointmentCreate),
			rest.All(a.Appointments.PreviewSeries, newOccurrenceAnswer), apperr.NotFound,
		),
		rest.Row(
			"GET", series+"/:id", "Show a series", web.Session, rest.May(service.AppointmentRead),
			rest.Get(a.Appointments.GetSeries, newSeriesAnswer),
		),
		rest.Row(
			"GET", practitioner+"/availability", "Show the hours of a practitioner", web.Session,
			rest.May(service.AvailabilityRead), rest.Get(a.Appointments.Availability, newAvailabilityAnswer),
		),
		rest.Row(
			"PUT", practitioner+"/availability", "Set the hours of a practitioner", web.Session,
			rest.May(service.AvailabilityUpdate),
			rest.Change[availabilityReplacement](a.Appointments.SetAvailability, newAvailabilityAnswer),
		),
		rest.Row(
			"GET", practitioner+"/slots", "List the free slots of a practitioner", web.Session,
			rest.May(service.AvailabilityRead), rest.Get(a.listSlots, newSlotsAnswer),
		),
	}
}

type appointmentAnswer struct {
	rest.Settled `json:"-"`

	ID             uuid.UUID  `json:"id"`
	Version        int64      `json:"version"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	PatientID      uuid.UUID  `json:"patient_id"`
	PractitionerID uuid.UUID  `json:"practitioner_id"`
	SeriesID       *uuid.UUID `json:"series_id" doc:"The series that the appointment was booked with. Null if it is not part of a series."`
	StartsAt       time.Time  `json:"starts_at"`
	EndsAt         time.Time  `json:"ends_at"`
	TimeZone       string     `json:"time_zone" doc:"The IANA time zone of the wall clock by which the appointment was booked." example:"America/New_York"`
	Status         string     `json:"status" values:"appointment status"`
	ExpiresAt      *time.Time `json:"expires_at" doc:"When a pending appointment is cancelled automatically, unless it is booked before. Otherwise null."`
	Type           string     `json:"type" values:"appointment type"`
	Modality       string     `json:"modality" values:"modality"`
	Reason         *string    `json:"reason"`
	VideoURL       *string    `json:"video_url"`
	AllowOverlap   bool       `json:"allow_overlap"`
	OverlapReason  *string    `json:"overlap_reason"`
	CancelReason   *string    `json:"cancel_reason"`

	PatientName      *models.Name `json:"patient_name" doc:"The patient's name. Null if the caller may not see the patient." example:"Ada Sample"`
	PractitionerName *models.Name `json:"practitioner_name" doc:"The practitioner's name, also if the account is disabled." example:"Grace Example"`
}

func newAppointmentAnswer(a *models.Appointment) appointmentAnswer {
	return appointmentAnswer{
		Settled: rest.Settled(a.NamedBefore(a.UpdatedAt)),
		ID:      a.ID, Version: a.Version, CreatedAt: a.CreatedAt.UTC(), UpdatedAt: a.UpdatedAt.UTC(),
		PatientID: a.PatientID, PractitionerID: a.PractitionerID, SeriesID: a.SeriesID,
		StartsAt: a.StartsAt.UTC(), EndsAt: a.EndsAt.UTC(), TimeZone: a.TimeZone,
		Status: a.Status, ExpiresAt: web.InUTC(a.ExpiresAt), Type: a.Type, Modality: a.Modality,
		Reason: a.Reason.Optional(), VideoURL: a.VideoURL.Optional(), AllowOverlap: a.AllowOverlap,
		OverlapReason: a.OverlapReason.Optional(), CancelReason: a.CancelReason.Optional(),
		PatientName: a.PatientName(a.PatientID), PractitionerName: a.AccountName(&a.PractitionerID),
	}
}

// appointmentReplacement is the whole appointment as a client sends it back.
type appointmentReplacement struct {
	rest.ServerSet

	PatientID    *uuid.UUID `json:"patient_id" required:"true" set:"server"`
	SeriesID     *uuid.UUID `json:"series_id" set:"server"`
	Status       *string    `json:"status" set:"server" values:"appointment status" doc:"The state. Only a transition changes it."`
	ExpiresAt    *time.Time `json:"expires_at" set:"server"`
	CancelReason *string    `json:"cancel_reason" set:"server"`

	PatientName      *models.Name `json:"patient_name" set:"server"`
	PractitionerName *models.Name `json:"practitioner_name" set:"server"`
	service.AppointmentInput
}

func (r appointmentReplacement) Input() service.AppointmentInput {
	in := r.AppointmentInput
	in.PatientID = web.ValueOr(r.PatientID, uuid.Nil)
	return in
}

// Faults returns the rules that the replacement breaks.
func (r appointmentReplacement) Faults(rules service.Rules) []apperr.Field {
	return r.Input().Faults(rules)
}

// appointmentChange names an appointment and the part of its series that a change covers.
type appointmentChange struct {
	rest.ByID

	Following bool `query:"following" doc:"If true, also change the later appointments of the series in the same way."`
}

func (a *API) changeAppointment(ctx context.Context, in appointmentChange, current service.Precondition,
	edit func(*models.Appointment) (service.AppointmentInput, error),
) (*models.Appointment, error) {
	return a.Appointments.Change(ctx, in.ID, current, extentOf(in.Following), edit)
}

func extentOf(following bool) service.Extent {
	if following {
		return service.Following
	}
	return service.OnlyThis
}

type transitionRequest struct {
	rest.OfVersion

	To        string `json:"to" values:"appointment status"`
	Reason    string `json:"reason,omitempty" max:"200" doc:"The reason for the transition. Required for cancelling." example:"The patient is ill"`
	Following *bool  `json:"following" doc:"If true, also cancel the later appointments of the series."`
}

func (r transitionRequest) extent() service.Extent { return extentOf(web.ValueOr(r.Following, false)) }

// Faults returns the rules that the transition breaks.
func (r transitionRequest) Faults(service.Rules) []apperr.Field {
	return service.TransitionFaults(r.To, r.Reason, r.extent())
}

func (a *API) transitionAppointment(ctx context.Context, in transitionRequest) (*models.Appointment, error) {
	return a.Appointments.Transition(ctx, in.ID, in.Current, in.To, in.Reason, in.extent())
}
