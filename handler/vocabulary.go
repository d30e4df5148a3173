package handler

import (
	"novamind/models"
	"novamind/service"
)

// vocabularies are the values of members and parameters that take some words only. The tag values:"…" names one.
var vocabularies = map[string][]string{
	"care":  {models.CareRegistered, models.CareAssigned, models.CareAppointment, models.CareRecord},
	"role":  service.Roles(),
	"scope": service.APIKeyScopes(),
}
