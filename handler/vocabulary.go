package handler

import (
	"novamind/internal/rest"
	"novamind/internal/schedule"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

// vocabularies are the values of members and parameters that take only certain words. The tag values:"…" names a
// vocabulary.
var vocabularies = web.Vocabularies{
	"appointment status":     models.AppointmentStates(),
	"appointment type":       models.AppointmentTypes(),
	"audit action":           service.AuditFilters()["action"],
	"audit entity_type":      service.AuditFilters()["entity_type"],
	"audit origin":           service.AuditFilters()["origin"],
	"audit outcome":          service.AuditFilters()["outcome"],
	"care":                   {models.CareRegistered, models.CareAssigned, models.CareAppointment, models.CareRecord},
	"conflict":               {service.PractitionerTaken, service.PatientTaken, service.OutsideHours},
	"consent kind":           {models.ConsentPart2},
	"modality":               models.Modalities(),
	"new appointment status": {models.Booked, models.Pending},
	"new series status":      {models.Booked},
	"order of appointments":  {"starts_at", rest.ByUpdate},
	"order of patients":      {"id", rest.ByUpdate},
	"order of records":       {"occurred_at", rest.ByUpdate},
	"questionnaire":          {models.PHQ9, models.GAD7},
	"record kind":            models.RecordKinds(),
	"record status":          {models.RecordDraft, models.RecordFinal, models.RecordAmended, models.RecordInError},
	"rendering":              {renderHTML},
	"review section": {
		service.ReviewBreakGlass, service.ReviewDenials, service.ReviewDirectSQL, service.ReviewExports,
		service.ReviewOutOfHours, service.ReviewOwnRecord,
	},
	"role":        service.Roles(),
	"scope":       service.APIKeyScopes(),
	"sensitivity": models.Sensitivities(),
	"weekday":     schedule.Weekdays(),
}
