package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/internal/schedule"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

// appointmentFilters are the filters of lists of appointments.
type appointmentFilters struct {
	rest.SinceParams
	web.PageParams
	period

	PractitionerID []uuid.UUID `query:"practitioner_id"`
	SeriesID       []uuid.UUID `query:"series_id"`
	Status         []string    `query:"status" values:"appointment status"`
	Sort           *string     `query:"sort" values:"order of appointments"`
}

// appointmentSearch is a list of appointments, of all patients or of one.
type appointmentSearch struct {
	appointmentFilters

	PatientID *uuid.UUID `query:"patient_id"`
}

// appointmentsOfPatient is a list of the appointments of the patient of the path.
type appointmentsOfPatient struct {
	rest.ByID
	appointmentFilters
}

// listAppointments returns appointments ordered by their starts.
func (a *API) listAppointments(ctx context.Context, in appointmentSearch, page service.Page,
) ([]*models.Appointment, bool, error) {
	q, err := a.appointmentQuery(in.appointmentFilters)
	if err != nil {
		return nil, false, err
	}
	q.PatientID = web.ValueOr(in.PatientID, uuid.Nil)
	return a.Appointments.Search(ctx, q, page)
}

func (a *API) listAppointmentsOfPatient(ctx context.Context, in appointmentsOfPatient, page service.Page,
) ([]*models.Appointment, bool, error) {
	q, err := a.appointmentQuery(in.appointmentFilters)
	if err != nil {
		return nil, false, err
	}
	return a.Appointments.OfPatient(ctx, in.ID, q, page)
}

func startOf(a *models.Appointment) time.Time { return a.StartsAt }

func (a *API) appointmentQuery(in appointmentFilters) (q service.AppointmentQuery, err error) {
	q.PractitionerID, q.SeriesID, q.Status = in.PractitionerID, in.SeriesID, in.Status
	q.From, q.To, err = in.span(a.zone)
	return q, err
}

// period is the parameters for a time: from and to, or a day, or the week (from Monday) of a day.
type period struct {
	From     *time.Time `query:"from"`
	To       *time.Time `query:"to"`
	Day      *time.Time `query:"day" format:"date"`
	Week     *time.Time `query:"week" format:"date" doc:"Any day of a week. Selects that week, from Monday to Sunday."`
	TimeZone *string    `query:"time_zone" max:"64" doc:"The IANA time zone of day and week. Default: the clinic's time zone." example:"America/New_York"`
}

// span returns the start and end of a period by the wall clock of its zone, or of the clinic if it names no zone. It
// returns an Invalid error.
func (p period) span(clinic *time.Location) (from, to time.Time, err error) {
	from, to = web.ValueOr(p.From, time.Time{}), web.ValueOr(p.To, time.Time{})
	zone, fields := p.check(clinic)
	first, days := p.Day, 1
	if p.Week != nil {
		monday := p.Week.AddDate(0, 0, -(int(p.Week.Weekday())+6)%7)
		first, days = &monday, 7
	}
	switch {
	case len(fields) > 0:
		return from, to, apperr.InvalidFields(fields...)
	case first == nil:
		return from, to, nil
	}
	from, _ = schedule.Moment(*first, 0, zone)
	to, _ = schedule.Moment(first.AddDate(0, 0, days), 0, zone)
	return from.UTC(), to.UTC(), nil
}

// check returns the zone of a period, and its faults.
func (p period) check(clinic *time.Location) (zone *time.Location, fields []apperr.Field) {
	whole := p.Day != nil || p.Week != nil
	for _, other := range []struct {
		name  string
		given bool
	}{
		{"week", p.Day != nil && p.Week != nil}, {"from", whole && p.From != nil}, {"to", whole && p.To != nil},
	} {
		if other.given {
			fields = append(fields, apperr.Field{
				Pointer: web.InQuery(other.name), Code: "unexpected", Detail: "Send only one of these: day, or week, or from and to.",
			})
		}
	}
	zone, err := schedule.Zone(web.ValueOr(p.TimeZone, clinic.String()))
	if err != nil {
		fields = append(fields, apperr.Field{
			Pointer: web.InQuery("time_zone"), Code: "time_zone",
			Detail: "Must be a time zone of the IANA database, such as America/New_York.",
		})
	}
	return zone, fields
}
