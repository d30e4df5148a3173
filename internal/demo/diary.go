package demo

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/schedule"
	"novamind/models"
	"novamind/service"
)

const (
	firstDay, lastDay = -7, 13 // days from today
	panel             = 7      // patients of each clinician
)

// at returns an hour of a day, by the clinic's wall clock.
func (c *clinic) at(day, hour int) time.Time {
	return time.Date(c.now.Year(), c.now.Month(), c.now.Day()+day, hour, 0, 0, 0, c.now.Location())
}

// workdays returns the days from firstDay to lastDay on which the clinic is open: 5 before today, 10 from today on.
func (c *clinic) workdays() (days []int) {
	for day := firstDay; day <= lastDay; day++ {
		if weekday := c.at(day, 0).Weekday(); weekday != time.Saturday && weekday != time.Sunday {
			days = append(days, day)
		}
	}
	return days
}

// patientOf returns a patient of a clinician.
func (c *clinic) patientOf(clinician, n int) uuid.UUID {
	return c.patients[clinicians*(n%panel)+clinician]
}

// weekly returns the patient who comes every week, to the first clinician.
func (c *clinic) weekly() uuid.UUID { return c.patients[clinicians*panel] }

// setHours lets every clinician be booked on weekdays from 9 to 17.
func (c *clinic) setHours(ctx context.Context) error {
	hours := service.AvailabilityInput{TimeZone: c.now.Location().String()}
	for _, day := range schedule.Weekdays()[:5] {
		open := schedule.Hours{From: "09:00", To: "17:00"}
		hours.Weekly = append(hours.Weekly, schedule.WeeklyHours{Weekday: day, Hours: open})
	}
	input := func(*models.Availability) (service.AvailabilityInput, error) { return hours, nil } //nolint:unparam // the type of SetAvailability's parameter
	for _, clinician := range c.team[:clinicians] {
		if _, err := as(ctx, c.frontDesk(), func(ctx context.Context) (*models.Availability, error) {
			return c.appointments.SetAvailability(ctx, clinician.ID, anyVersion, input)
		}); err != nil {
			return err
		}
	}
	return nil
}

// input returns an appointment of 50 minutes.
func (c *clinic) input(clinician int, patient uuid.UUID, start time.Time) service.AppointmentInput {
	types := [clinicians]string{
		models.TypeIndividual, models.TypeAssessment, models.TypeIndividual, models.TypeMedication,
	}
	return service.AppointmentInput{
		PatientID: patient, PractitionerID: c.team[clinician].ID, Type: types[clinician],
		StartsAt: start, EndsAt: start.Add(50 * time.Minute),
	}
}

// book makes an appointment.
func (c *clinic) book(ctx context.Context, in service.AppointmentInput) (*models.Appointment, error) {
	return as(ctx, c.frontDesk(), func(ctx context.Context) (*models.Appointment, error) {
		return c.appointments.Book(ctx, in)
	})
}

// fillDiary gives every clinician two appointments a day. Of those before today, one was cancelled, one patient did
// not come, and the others took place and have a progress note.
func (c *clinic) fillDiary(ctx context.Context) error {
	ends := []string{models.Cancelled, models.NoShow}
	for visit, day := range c.workdays() {
		for clinician := range clinicians {
			for half, hour := range []int{9, 13} {
				in := c.input(clinician, c.patientOf(clinician, 2*visit+half), c.at(day, hour+clinician))
				in.Modality = models.Modalities()[(visit+half)%3]
				a, err := c.book(ctx, in)
				if err != nil {
					return err
				}
				if day >= 0 {
					continue
				}
				ends = append(ends, models.Fulfilled)
				if err := c.close(ctx, clinician, a, ends[0]); err != nil {
					return err
				}
				ends = ends[1:]
			}
		}
	}
	return nil
}

// close ends an appointment that is over. If it took place, the clinician signs a progress note about it.
func (c *clinic) close(ctx context.Context, clinician int, a *models.Appointment, state string) error {
	if err := c.end(ctx, a.ID, state); err != nil || state != models.Fulfilled {
		return err
	}
	return c.write(ctx, clinician, a.PatientID, models.RecordFinal, service.RecordInput{
		Kind: models.KindProgressNote, AppointmentID: &a.ID, OccurredAt: &a.EndsAt,
		Title: "Progress note", Content: "Came on time. We went through the plan and the week since.",
	}, "")
}

// end takes an appointment to its last state.
func (c *clinic) end(ctx context.Context, id uuid.UUID, state string) error {
	reason := ""
	if state == models.Cancelled {
		reason = "The patient called: away on a journey."
	}
	_, err := as(ctx, c.frontDesk(), func(ctx context.Context) (*models.Appointment, error) {
		return c.appointments.Transition(ctx, id, anyVersion, state, reason, service.OnlyThis)
	})
	return err
}

// course returns the answers to the PHQ-9 at each past appointment of the weekly series. Item 9, thoughts of
// self-harm, is above 0 in the last one.
func course() [][]int {
	return [][]int{
		{3, 3, 2, 2, 2, 2, 2, 1, 0},
		{2, 3, 2, 2, 2, 2, 1, 1, 0},
		{2, 2, 2, 1, 2, 1, 1, 1, 0},
		{1, 2, 1, 1, 1, 1, 1, 0, 0},
		{2, 2, 2, 2, 1, 2, 1, 1, 1},
	}
}

// treatWeekly books a weekly series that began some weeks ago, and writes the PHQ-9 of each appointment so far. The
// last one raises a risk flag.
func (c *clinic) treatWeekly(ctx context.Context) error {
	start := c.at(c.workdays()[0]-7*(len(course())-1), 11)
	in := service.SeriesInput{AppointmentInput: c.input(0, c.weekly(), start), Rule: "FREQ=WEEKLY;COUNT=7"}
	in.Reason = "Depression: cognitive behavioral therapy"
	series, err := as(ctx, c.frontDesk(), func(ctx context.Context) (*service.Series, error) {
		return c.appointments.BookSeries(ctx, in)
	})
	if err != nil {
		return err
	}
	for i, answers := range course() {
		a := series.Appointments[i]
		if err := c.end(ctx, a.ID, models.Fulfilled); err != nil {
			return err
		}
		if err := c.write(ctx, 0, c.weekly(), models.RecordFinal, service.RecordInput{
			Kind: models.KindAssessment, Title: "PHQ-9", AppointmentID: &a.ID, OccurredAt: &a.EndsAt,
			Questionnaire: &service.QuestionnaireInput{Instrument: models.PHQ9, Answers: answers},
		}, ""); err != nil {
			return err
		}
	}
	return nil
}
