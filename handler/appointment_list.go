package handler

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/schedule"
	"novamind/models"
	"novamind/service"
)

// listAppointments lists appointments in the order of their starts: those that have a moment from one time to another, or on a day, or in a week.
func (a *API) listAppointments(c *gin.Context) error {
	return a.answerAppointments(c, a.Appointments.Search, "patient_id")
}

func (a *API) listAppointmentsOfPatient(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	return a.answerAppointments(c, func(ctx context.Context, q service.AppointmentQuery, page service.Page) ([]*models.Appointment, bool, error) {
		return a.Appointments.OfPatient(ctx, id, q, page)
	})
}

func (a *API) answerAppointments(c *gin.Context,
	search func(context.Context, service.AppointmentQuery, service.Page) ([]*models.Appointment, bool, error), filters ...string,
) error {
	q, err := readQuery(c, append(filters, "practitioner_id", "series_id", "status", "from", "to", "day", "week", "time_zone", "limit", "cursor")...)
	if err != nil {
		return err
	}
	query := service.AppointmentQuery{
		PractitionerID: valueOr(q.UUID("practitioner_id"), uuid.Nil), PatientID: valueOr(q.UUID("patient_id"), uuid.Nil),
		SeriesID: valueOr(q.UUID("series_id"), uuid.Nil), Status: valueOr(q.OneOf("status", models.AppointmentStates()), ""),
	}
	query.From, query.To = a.period(q)
	params := q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	span, err := a.cursors.span(c, params, query)
	if err != nil {
		return err
	}
	found, more, err := search(c.Request.Context(), query, pageOf(span))
	if err != nil {
		return err
	}
	var last *position
	if more {
		row := found[len(found)-1]
		last = &position{ID: row.ID, Time: row.StartsAt}
	}
	return writePage(c, span, appointmentItems(found), last)
}

// period reads from and to, or a day, or the week from Monday that a day is in, by the wall clock of a zone.
func (a *API) period(q *query) (from, to time.Time) {
	from, to = valueOr(q.Time("from"), time.Time{}), valueOr(q.Time("to"), time.Time{})
	day, week, zone := q.Date("day"), q.Date("week"), a.zoneOf(q)
	for _, other := range []struct {
		name  string
		given bool
	}{
		{"week", day != nil && week != nil},
		{"from", (day != nil || week != nil) && !from.IsZero()},
		{"to", (day != nil || week != nil) && !to.IsZero()},
	} {
		if other.given {
			q.add(other.name, "unexpected", "Only one of day, week, and from and to goes.")
		}
	}
	first, days := day, 1
	if week != nil {
		monday := week.AddDate(0, 0, -(int(week.Weekday())+6)%7)
		first, days = &monday, 7
	}
	if first == nil || zone == nil {
		return from, to
	}
	from, _ = schedule.Moment(*first, 0, zone)
	to, _ = schedule.Moment(first.AddDate(0, 0, days), 0, zone)
	return from.UTC(), to.UTC()
}

// zoneOf reads time_zone; the clinic's where it is absent, and nil where it is none.
func (a *API) zoneOf(q *query) *time.Location {
	zone, err := schedule.Zone(valueOr(q.Text("time_zone", 64), a.zone.String()))
	if err != nil {
		q.add("time_zone", "time_zone", "Must be a time zone of the IANA database, such as America/New_York.")
		return nil
	}
	return zone
}
