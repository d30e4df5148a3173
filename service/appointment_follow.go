package service

import (
	"time"

	"novamind/internal/apperr"
	"novamind/internal/schedule"
	"novamind/models"
)

// alike returns the input for a, a later appointment of a series, when an earlier one changes from before to after:
// the same members change, and the others keep their values.
func alike(before, after, a *models.Appointment) (AppointmentInput, error) {
	from, to, in := inputOf(before), inputOf(after), inputOf(a)
	carry(&in.PractitionerID, from.PractitionerID, to.PractitionerID)
	carry(&in.Type, from.Type, to.Type)
	carry(&in.Modality, from.Modality, to.Modality)
	carry(&in.Reason, from.Reason, to.Reason)
	carry(&in.VideoURL, from.VideoURL, to.VideoURL)
	carry(&in.AllowOverlap, from.AllowOverlap, to.AllowOverlap)
	carry(&in.OverlapReason, from.OverlapReason, to.OverlapReason)
	if in.Modality != "video" {
		in.VideoURL = ""
	}
	if !in.AllowOverlap {
		in.OverlapReason = ""
	}
	return in, in.moveAlike(from, to)
}

// carry writes a change into the same member of another row.
func carry[T comparable](member *T, from, to T) {
	if from != to {
		*member = to
	}
}

// moveAlike moves in as from was moved to to: by the same number of days and hours of the wall clock. The length is a
// member like others.
func (in *AppointmentInput) moveAlike(from, to AppointmentInput) error {
	start, length := in.StartsAt, in.EndsAt.Sub(in.StartsAt)
	carry(&length, from.EndsAt.Sub(from.StartsAt), to.EndsAt.Sub(to.StartsAt))
	shift, err := shiftOf(from, to)
	if err != nil {
		return err
	}
	if shift != 0 || from.TimeZone != to.TimeZone {
		wall, err := in.wall()
		if err != nil {
			return err
		}
		carry(&in.TimeZone, from.TimeZone, to.TimeZone)
		zone, err := schedule.Zone(in.TimeZone)
		if err != nil {
			return err
		}
		var shown bool
		if start, shown = schedule.Resolve(wall.Add(shift), zone); !shown {
			return apperr.InvalidFields(apperr.Field{Pointer: "/starts_at", Code: "skipped_time", Detail: "The clocks skip this time on the day of a following appointment. Choose another time."})
		}
	}
	in.StartsAt, in.EndsAt = start.UTC(), start.Add(length).UTC()
	return nil
}

// shiftOf returns how much later an appointment starts than before, by the wall clock.
func shiftOf(from, to AppointmentInput) (time.Duration, error) {
	before, err := from.wall()
	if err != nil {
		return 0, err
	}
	after, err := to.wall()
	return after.Sub(before), err
}

// wall returns the start of the appointment by its wall clock.
func (in *AppointmentInput) wall() (time.Time, error) {
	zone, err := schedule.Zone(in.TimeZone)
	if err != nil {
		return time.Time{}, err
	}
	return schedule.Wall(in.StartsAt.In(zone)), nil
}
