package handler

import "novamind/models"

// vocabularies are the values of members and parameters that take some words only. The tag values:"…" names one.
var vocabularies = map[string][]string{
	"care": {models.CareRegistered, models.CareAssigned, models.CareAppointment, models.CareRecord},
}
