package service

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/phi"
	"novamind/internal/schedule"
	"novamind/models"
)

// maxAppointment is how long an appointment may last by the wall clock: one day, also on a day when clocks are set
// back.
const maxAppointment = 24 * time.Hour

// AppointmentInput is the input of a client for an appointment, with the member names of the API.
type AppointmentInput struct {
	phi.Private `json:"-"`

	PatientID      uuid.UUID `json:"patient_id"`
	PractitionerID uuid.UUID `json:"practitioner_id"`
	StartsAt       time.Time `json:"starts_at"`
	EndsAt         time.Time `json:"ends_at"`
	TimeZone       string    `json:"time_zone,omitempty" max:"64" doc:"The IANA time zone of the appointment. Default: the clinic's time zone." example:"America/New_York"`
	Status         string    `json:"status,omitempty" values:"new appointment status" doc:"Default: booked. A pending appointment is cancelled automatically after a while, unless it is booked before."`
	Type           string    `json:"type,omitempty" values:"appointment type" doc:"Default: individual."`
	Modality       string    `json:"modality,omitempty" values:"modality" doc:"Default: in_person."`
	Reason         string    `json:"reason,omitempty" max:"200"`
	VideoURL       string    `json:"video_url,omitempty" max:"200" doc:"An https address. Allowed only with the modality video." example:"https://video.example.org/1"`
	AllowOverlap   bool      `json:"allow_overlap,omitempty" doc:"Whether the appointment may overlap others."`
	OverlapReason  string    `json:"overlap_reason,omitempty" max:"200" doc:"The reason for the overlap. Required with allow_overlap."`
}

// inputOf returns the input that leaves an appointment unchanged.
func inputOf(a *models.Appointment) AppointmentInput {
	return AppointmentInput{
		PatientID: a.PatientID, PractitionerID: a.PractitionerID, StartsAt: a.StartsAt, EndsAt: a.EndsAt, TimeZone: a.TimeZone, Status: a.Status,
		Type: a.Type, Modality: a.Modality, Reason: a.Reason.Plain(), VideoURL: a.VideoURL.Plain(),
		AllowOverlap: a.AllowOverlap, OverlapReason: a.OverlapReason.Plain(),
	}
}

// withDefaults fills in the members that a client may leave out.
func (in AppointmentInput) withDefaults(zone string) AppointmentInput {
	for _, member := range []struct {
		text  *string
		value string
	}{
		{&in.TimeZone, zone}, {&in.Status, models.Booked}, {&in.Type, models.TypeIndividual}, {&in.Modality, "in_person"},
	} {
		if *member.text == "" {
			*member.text = member.value
		}
	}
	return in
}

// applyTo checks the input and writes it into a, except for the status. It returns an Invalid error that names every
// offending member; a then stays unchanged.
func (in AppointmentInput) applyTo(a *models.Appointment) error {
	var v validation
	v.reference("/patient_id", in.PatientID)
	v.reference("/practitioner_id", in.PractitionerID)
	v.interval(in.StartsAt, in.EndsAt, v.zone("/time_zone", in.TimeZone))
	v.oneOf("/type", in.Type, models.AppointmentTypes())
	v.oneOf("/modality", in.Modality, models.Modalities())
	v.optional("/reason", &in.Reason, maxOther)
	v.videoURL(&in)
	v.overlapReason(&in)
	if err := v.err(); err != nil {
		return err
	}
	a.PatientID, a.PractitionerID = in.PatientID, in.PractitionerID
	a.StartsAt, a.EndsAt, a.TimeZone = in.StartsAt, in.EndsAt, in.TimeZone
	a.Type, a.Modality, a.AllowOverlap = in.Type, in.Modality, in.AllowOverlap
	a.Reason, a.VideoURL, a.OverlapReason = optionalText(in.Reason), optionalText(in.VideoURL), optionalText(in.OverlapReason)
	return nil
}

// optionalText returns a sealed column of a text; NULL for an empty text.
func optionalText(text string) phi.Text {
	if text == "" {
		return phi.Text{}
	}
	return phi.Of(text)
}

func (v *validation) reference(pointer string, id uuid.UUID) {
	if id == uuid.Nil {
		v.add(pointer, "required", "Must not be missing.")
	}
}

// interval checks the times of an appointment. The length of a wall-clock day depends on the date.
func (v *validation) interval(start, end time.Time, zone *time.Location) {
	for _, end := range []struct {
		pointer string
		at      time.Time
	}{{"/starts_at", start}, {"/ends_at", end}} {
		switch {
		case end.at.IsZero():
			v.add(end.pointer, "required", "Must not be missing.")
		case !schedule.Plausible(end.at):
			v.add(end.pointer, "out_of_range", "Must be between the years 1900 and 2200.")
		}
	}
	switch length := end.Sub(start); {
	case start.IsZero() || end.IsZero():
	case length < time.Minute:
		v.add("/ends_at", "too_early", "Must be at least one minute after starts_at.")
	case zone != nil && schedule.Wall(end.In(zone)).Sub(schedule.Wall(start.In(zone))) > maxAppointment:
		v.add("/ends_at", "out_of_range", "Must be at most 24 hours after starts_at, by the wall clock.")
	}
}

// zone checks the name of a time zone.
func (v *validation) zone(pointer, name string) *time.Location {
	zone, err := schedule.Zone(name)
	if err != nil {
		v.add(pointer, "time_zone", "Must be a time zone of the IANA database, such as America/New_York.")
	}
	return zone
}

func (v *validation) oneOf(pointer, value string, known []string) {
	if !slices.Contains(known, value) {
		v.add(pointer, "unknown_value", "Must be one of: "+strings.Join(known, ", ")+".")
	}
}

func (v *validation) videoURL(in *AppointmentInput) {
	if !v.optional("/video_url", &in.VideoURL, maxOther) {
		return
	}
	link, err := url.Parse(in.VideoURL)
	switch {
	case in.Modality != "video":
		v.add("/video_url", "unexpected", "Send video_url only with the modality video.")
	case err != nil || link.Scheme != "https" || link.Host == "":
		v.add("/video_url", "url", "Must be an https address.")
	}
}

func (v *validation) overlapReason(in *AppointmentInput) {
	switch {
	case in.AllowOverlap:
		v.required("/overlap_reason", &in.OverlapReason, maxOther)
	case in.OverlapReason != "":
		v.add("/overlap_reason", "unexpected", "Send overlap_reason only with allow_overlap.")
	}
}

// Faults returns the rules that the input breaks as a new appointment.
func (in AppointmentInput) Faults(rules Rules) []apperr.Field {
	return fieldsOf(in.withDefaults(rules.TimeZone).begin(&models.Appointment{}, time.Time{}))
}

// begin is applyTo for a new appointment, including its state. A hold ends at expires.
func (in AppointmentInput) begin(a *models.Appointment, expires time.Time) error {
	v := validation{fieldsOf(in.applyTo(a))}
	if in.Status != models.Booked && in.Status != models.Pending {
		v.add("/status", "unknown_value", "Must be booked or pending for a new appointment.")
	}
	if a.Status = in.Status; a.Status == models.Pending {
		a.ExpiresAt = &expires
	}
	return v.err()
}
