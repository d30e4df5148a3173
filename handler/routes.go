package handler

import "slices"

// legacyRoutes are the routes that are no rows of the table of operations yet.
func (a *API) legacyRoutes() []Route {
	return slices.Concat(a.recordRoutes(), a.appointmentRoutes(), a.auditRoutes())
}

// recordRoutes: what is written about patients.
func (a *API) recordRoutes() []Route {
	return []Route{
		{"GET", "/api/v1/patients/:id/medical-records", Session, a.listPatientMedicalRecords},
		{"GET", "/api/v1/patients/:id/consents", Session, a.listConsents},
		{"POST", "/api/v1/patients/:id/consents", Session, noQuery(a.createConsent)},
		{"DELETE", "/api/v1/patients/:id/consents", Session, noQuery(a.revokeConsents)},
		{"GET", "/api/v1/patients/:id/disclosures", Session, a.listDisclosures},
		{"POST", "/api/v1/patients/:id/disclosures", Session, noQuery(a.createDisclosure)},
		{"GET", "/api/v1/patients/:id/risk-flags", Session, a.listRiskFlags},
		{"GET", "/api/v1/medical-records", Session, a.listMedicalRecords},
		{"POST", "/api/v1/medical-records", Session, noQuery(a.createMedicalRecord)},
		{"GET", "/api/v1/medical-records/:id", Session, a.getMedicalRecord},
		{"PUT", "/api/v1/medical-records/:id", Session, noQuery(a.replaceMedicalRecord)},
		{"PATCH", "/api/v1/medical-records/:id", Session, noQuery(a.patchMedicalRecord)},
		{"POST", "/api/v1/medical-records/:id/sign", Session, noQuery(a.signMedicalRecord)},
		{"POST", "/api/v1/medical-records/:id/amendments", Session, noQuery(a.amendMedicalRecord)},
		{"POST", "/api/v1/medical-records/:id/entered-in-error", Session, noQuery(a.markMedicalRecordInError)},
		{"GET", "/api/v1/medical-records/:id/history", Session, noQuery(a.medicalRecordHistory)},
		{"GET", "/api/v1/consents/:id", Session, noQuery(a.getConsent)},
		{"POST", "/api/v1/consents/:id/revocation", Session, noQuery(a.revokeConsent)},
		{"POST", "/api/v1/risk-flags/:id/reviews", Session, noQuery(a.reviewRiskFlag)},
	}
}

// appointmentRoutes: appointments, and when there may be some.
func (a *API) appointmentRoutes() []Route {
	return []Route{
		{"GET", "/api/v1/patients/:id/appointments", Session, a.listAppointmentsOfPatient},
		{"GET", "/api/v1/appointments", Session, a.listAppointments},
		{"POST", "/api/v1/appointments", Session, noQuery(a.createAppointment)},
		{"GET", "/api/v1/appointments/:id", Session, noQuery(a.getAppointment)},
		{"PUT", "/api/v1/appointments/:id", Session, a.replaceAppointment},
		{"PATCH", "/api/v1/appointments/:id", Session, a.patchAppointment},
		{"POST", "/api/v1/appointments/:id/transitions", Session, noQuery(a.transitionAppointment)},
		{"POST", "/api/v1/appointment-series", Session, noQuery(a.createSeries)},
		{"POST", "/api/v1/appointment-series/preview", Session, noQuery(a.previewSeries)},
		{"GET", "/api/v1/appointment-series/:id", Session, noQuery(a.getSeries)},
		{"GET", "/api/v1/practitioners/:id/availability", Session, noQuery(a.getAvailability)},
		{"PUT", "/api/v1/practitioners/:id/availability", Session, noQuery(a.replaceAvailability)},
		{"GET", "/api/v1/practitioners/:id/slots", Session, a.listSlots},
	}
}

// auditRoutes: who did what.
func (a *API) auditRoutes() []Route {
	return []Route{
		{"GET", "/api/v1/patients/:id/audit-logs", Session, a.listPatientAuditLogs},
		{"GET", "/api/v1/patients/:id/accounting", Session, a.printAccounting},
		{"GET", "/api/v1/audit-logs", Session, a.listAuditLogs},
		{"GET", "/api/v1/audit-logs/checkpoint", Session, noQuery(a.getCheckpoint)},
		{"GET", "/api/v1/audit-logs/:id", Session, noQuery(a.getAuditLog)},
		{"GET", "/api/v1/audit-logs/:id/diff", Session, noQuery(a.getAuditLogDiff)},
		{"GET", "/api/v1/audit-logs/:id/proof", Session, noQuery(a.getAuditLogProof)},
		{"GET", "/api/v1/audit-reviews/:week", Session, noQuery(a.getReview)},
		{"POST", "/api/v1/audit-reviews/:week/sign-off", Session, noQuery(a.signOffReview)},
	}
}
