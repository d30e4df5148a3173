package handler

import (
	"novamind/models"
	"novamind/service"
)

// vocabularies are the values of members and parameters that take some words only. The tag values:"…" names one.
var vocabularies = map[string][]string{
	"audit action":      service.AuditFilters()["action"],
	"audit entity_type": service.AuditFilters()["entity_type"],
	"audit origin":      service.AuditFilters()["origin"],
	"audit outcome":     service.AuditFilters()["outcome"],
	"care":              {models.CareRegistered, models.CareAssigned, models.CareAppointment, models.CareRecord},
	"consent kind":      {models.ConsentPart2},
	"questionnaire":     {models.PHQ9, models.GAD7},
	"record kind":       models.RecordKinds(),
	"record status":     {models.RecordDraft, models.RecordFinal, models.RecordAmended, models.RecordInError},
	"rendering":         {renderHTML},
	"review section": {
		service.ReviewBreakGlass, service.ReviewDenials, service.ReviewDirectSQL, service.ReviewExports,
		service.ReviewOutOfHours, service.ReviewOwnRecord,
	},
	"sensitivity": models.Sensitivities(),
}
