package handler

import (
	"slices"

	"novamind/internal/apperr"
	"novamind/service"
)

// Operations is the table of operations: method, pattern, summary, access, permissions, action and errors of each.
func (a *API) Operations() []Operation {
	return slices.Concat(
		a.systemOperations(), a.authOperations(), a.accountOperations(), a.patientOperations(), a.recordOperations(),
		a.appointmentOperations(), a.auditOperations(),
	)
}

// systemOperations are the pages for browsers and the health checks for monitors.
func (a *API) systemOperations() []Operation {
	return append(pageOperations(), []Operation{
		row("GET", "/healthz", "Check that the server is alive", Open, nil, get(healthz, same)),
		row("GET", "/readyz", "Check that the server is ready", Open, nil, get(a.readyz, same), apperr.Unavailable),
		row("GET", "/openapi.json", "Show the OpenAPI document", Open, nil, raw("application/json", a.openAPI)),
	}...)
}

// authOperations: the caller's own account and sessions.
func (a *API) authOperations() []Operation {
	const auth = "/api/v1/auth"
	return []Operation{
		row(
			"POST", auth+"/login", "Log in", Public, nil, a.login(),
			apperr.BadCredentials, apperr.TOTPNeeded,
		),
		row("POST", auth+"/logout", "Log out", FirstLogin, nil, remove(a.logout), apperr.NotFound),
		row("GET", auth+"/me", "Show your account", FirstLogin, nil, get(a.me, newAccountAnswer)),
		row(
			"POST", auth+"/password", "Change your password", FirstLogin, nil, remove(a.setPassword),
			apperr.BadCredentials,
		),
		row(
			"POST", auth+"/redeem", "Choose a password by link", Public, nil, remove(a.redeem),
			apperr.BadCredentials,
		),
		row(
			"POST", auth+"/totp", "Enrol a second factor", FirstLogin, nil, answer(200, a.enrolTOTP, same),
			apperr.BadCredentials, apperr.Duplicate,
		),
		row(
			"POST", auth+"/totp/confirm", "Confirm a second factor", FirstLogin, nil,
			answer(200, a.confirmTOTP, newRecoveryCodesAnswer),
			apperr.BadCredentials, apperr.Duplicate, apperr.NotFound,
		),
		row(
			"POST", auth+"/totp/disable", "Disable the second factor", FirstLogin, nil, remove(a.disableTOTP),
			apperr.BadCredentials, apperr.TOTPNeeded, apperr.NotFound,
		),
		row(
			"POST", auth+"/recovery-codes", "Renew the recovery codes", FirstLogin, nil,
			answer(200, a.renewRecoveryCodes, newRecoveryCodesAnswer),
			apperr.BadCredentials, apperr.TOTPNeeded, apperr.NotFound,
		),
		row(
			"GET", auth+"/sessions", "List your sessions", FirstLogin, nil,
			list(unfiltered(a.Auth.Sessions), newSessionAnswer),
		),
		row("DELETE", auth+"/sessions/:id", "End a session", FirstLogin, nil, remove(a.Auth.EndSession)),
	}
}

// accountOperations: the people and the machines that may log in.
func (a *API) accountOperations() []Operation {
	const accounts, keys = "/api/v1/accounts", "/api/v1/api-keys"
	return []Operation{
		row(
			"GET", accounts, "List accounts", Session, may(service.AccountRead),
			list(a.searchAccounts, newAccountAnswer),
		),
		row(
			"POST", accounts, "Add an account", Session, mayAgain(service.AccountCreate, service.AccountRead),
			post(201, accounts, a.createAccount, a.createdAccount, newAccountWithLink), apperr.Duplicate,
		),
		row(
			"GET", accounts+"/:id", "Show an account", Session, may(service.AccountRead),
			get(a.Accounts.Get, newAccountAnswer),
		),
		row(
			"PATCH", accounts+"/:id", "Change an account", Session, may(service.AccountUpdate),
			change[accountReplacement](a.Accounts.Change, newAccountAnswer), apperr.Duplicate, apperr.LastAdmin,
		),
		row(
			"POST", accounts+"/:id/reset", "Reset an account", Session,
			mayAgain(service.AccountUpdate, service.AccountRead),
			post(200, "", a.resetAccount, a.wasReset, newAccountWithLink),
		),
		row(
			"GET", "/api/v1/practitioners", "List practitioners", Session, may(service.PractitionerRead),
			list(unfiltered(a.Accounts.Practitioners), newPractitionerAnswer),
		),
		row(
			"GET", "/api/v1/practitioners/:id", "Show a practitioner", Session, may(service.PractitionerRead),
			get(a.Accounts.Practitioner, newPractitionerAnswer),
		),
		row(
			"GET", keys, "List API keys", Session, may(service.APIKeyRead),
			list(unfiltered(a.APIKeys.List), newAPIKeyAnswer),
		),
		row(
			"POST", keys, "Make an API key", Session, may(service.APIKeyCreate),
			issue(keys, a.APIKeys.Create, newAPIKeyWithSecret),
		),
		row(
			"GET", keys+"/:id", "Show an API key", Session, may(service.APIKeyRead),
			get(a.APIKeys.Get, newAPIKeyAnswer),
		),
		row("DELETE", keys+"/:id", "Revoke an API key", Session, may(service.APIKeyRevoke), remove(a.revokeAPIKey)),
	}
}

// patientOperations are the operations on patients, their care team, and emergency access.
func (a *API) patientOperations() []Operation {
	const patients = "/api/v1/patients"
	const patient = patients + "/:id"
	deleting := []Need{when(service.PatientDeactivate, "without purge"), when(service.PatientPurge, "with purge=true")}
	changing := change[patientReplacement](a.Patients.Change, newPatientAnswer)
	return []Operation{
		row(
			"GET", patients, "List patients", Session, may(service.PatientRead),
			list(a.searchPatients, newPatientAnswer),
		),
		row(
			"POST", patients, "Register a patient", Session, mayAgain(service.PatientCreate, service.PatientRead),
			create(patients, a.Patients.Register, a.Patients.Registered, newRegistrationAnswer),
			apperr.PossibleDuplicate,
		),
		row(
			"POST", patients+"/search", "Search patients", Session, may(service.PatientRead),
			list(a.searchPatients, newPatientAnswer),
		),
		row(
			"GET", patient, "Show a patient", Session, may(service.PatientRead),
			get(a.Patients.Get, newPatientAnswer),
		),
		row("PUT", patient, "Replace a patient", Session, may(service.PatientUpdate), changing),
		row("PATCH", patient, "Change a patient", Session, may(service.PatientUpdate), changing),
		row(
			"DELETE", patient, "Deactivate or purge a patient", Session, deleting,
			answer(204, a.removePatient, same), apperr.Conflict,
		),
		row(
			"POST", patient+"/merge", "Merge a patient", Session, mayAgain(service.PatientMerge, service.PatientRead),
			act(a.mergePatient, a.Patients.Get, newPatientAnswer), apperr.Conflict, apperr.Taken,
		),
		row(
			"POST", patient+"/unmerge", "Unmerge a patient", Session, mayAgain(service.PatientMerge, service.PatientRead),
			act(a.unmergePatient, a.Patients.Get, newPatientAnswer), apperr.Conflict,
		),
		row(
			"GET", patient+"/chart", "Show a chart", Session, may(service.MedicalRecordRead),
			get(a.Charts.Of, newChartAnswer),
		),
		row(
			"GET", patient+"/clinicians", "List the clinicians of a patient", Session, may(service.PatientRead),
			all(a.Care.Clinicians, newClinicianAnswer),
		),
		row(
			"POST", patient+"/clinicians", "Assign a clinician", Session, mayAgain(service.PatientAssign, service.PatientRead),
			post(201, "", a.assignClinician, a.assigned, newClinicianAnswer),
		),
		row(
			"DELETE", patient+"/clinicians/:account_id", "Unassign a clinician", Session, may(service.PatientAssign),
			remove(a.unassignClinician), apperr.Conflict,
		),
		row(
			"GET", "/api/v1/break-glass", "List emergency accesses", Session, may(service.BreakGlassOpen),
			all(a.activeEmergencies, newEmergencyAnswer),
		),
		row(
			"POST", "/api/v1/break-glass", "Open emergency access", Session, may(service.BreakGlassOpen),
			post(201, "", a.breakGlass, a.opened, same),
		),
	}
}

// recordOperations are the operations on medical records, consents, disclosures and risk flags.
func (a *API) recordOperations() []Operation {
	return slices.Concat(a.medicalRecordOperations(), a.consentOperations(), a.riskFlagOperations())
}

func (a *API) medicalRecordOperations() []Operation {
	const record = medicalRecords + "/:id"
	reading := may(service.MedicalRecordRead)
	amending := mayAgain(service.MedicalRecordAmend, service.MedicalRecordRead)
	changing := change[medicalRecordReplacement](a.MedicalRecords.Change, newMedicalRecordAnswer)
	again := a.MedicalRecords.Get
	return []Operation{
		row(
			"GET", "/api/v1/patients/:id/medical-records", "List the medical records of a patient", Session, reading,
			listBy(occurredAt, a.recordsOfPatient, newMedicalRecordAnswer),
		),
		row(
			"GET", medicalRecords, "List medical records", Session, reading,
			listBy(occurredAt, a.searchMedicalRecords, newMedicalRecordAnswer), apperr.NotFound,
		),
		row(
			"POST", medicalRecords, "Write a medical record", Session,
			mayAgain(service.MedicalRecordCreate, service.MedicalRecordRead),
			create(medicalRecords, a.writeMedicalRecord, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		row("GET", record, "Show a medical record", Session, reading, get(a.medicalRecord, same)),
		row(
			"PUT", record, "Replace a medical record", Session, may(service.MedicalRecordUpdate), changing,
			apperr.Conflict,
		),
		row(
			"PATCH", record, "Change a medical record", Session, may(service.MedicalRecordUpdate), changing,
			apperr.Conflict,
		),
		row(
			"POST", record+"/sign", "Sign a medical record", Session,
			mayAgain(service.MedicalRecordSign, service.MedicalRecordRead),
			act(a.signMedicalRecord, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		row(
			"POST", record+"/amendments", "Amend a medical record", Session, amending,
			create(medicalRecords, a.amendMedicalRecord, again, newMedicalRecordAnswer),
			apperr.Conflict, apperr.Duplicate, apperr.Stale,
		),
		row(
			"POST", record+"/entered-in-error", "Mark a medical record as entered in error", Session, amending,
			act(a.markMedicalRecordInError, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		row(
			"GET", record+"/history", "List the versions of a medical record", Session, reading,
			all(a.MedicalRecords.History, newMedicalRecordAnswer),
		),
	}
}

func (a *API) consentOperations() []Operation {
	const consents, disclosures = "/api/v1/patients/:id/consents", "/api/v1/patients/:id/disclosures"
	const consent = "/api/v1/consents"
	recording := mayAgain(service.ConsentCreate, service.ConsentRead)
	return []Operation{
		row(
			"GET", consents, "List the consents of a patient", Session, may(service.ConsentRead),
			list(ofPatient(a.Consents.Of), newConsentAnswer),
		),
		row(
			"POST", consents, "Record a consent", Session, recording,
			create(consent, a.grantConsent, a.Consents.Get, newConsentAnswer),
		),
		row(
			"DELETE", consents, "Revoke all consents of a patient", Session, may(service.ConsentCreate),
			remove(a.Consents.RevokeAll), apperr.Stale,
		),
		row(
			"GET", consent+"/:id", "Show a consent", Session, may(service.ConsentRead),
			get(a.Consents.Get, newConsentAnswer),
		),
		row(
			"POST", consent+"/:id/revocation", "Revoke a consent", Session, recording,
			act(a.revokeConsent, a.Consents.Get, newConsentAnswer), apperr.Conflict,
		),
		row(
			"GET", disclosures, "List the disclosures of a patient", Session, may(service.DisclosureRead),
			list(ofPatient(a.Consents.Disclosures), newDisclosureAnswer),
		),
		row(
			"POST", disclosures, "Record a disclosure", Session,
			mayAgain(service.DisclosureCreate, service.DisclosureRead),
			create("", a.disclose, a.Consents.Disclosure, newDisclosureAnswer), apperr.Conflict,
		),
	}
}

func (a *API) riskFlagOperations() []Operation {
	return []Operation{
		row(
			"GET", "/api/v1/patients/:id/risk-flags", "List the risk flags of a patient", Session,
			may(service.MedicalRecordRead), list(a.riskFlags, newRiskFlagAnswer),
		),
		row(
			"POST", "/api/v1/risk-flags/:id/reviews", "Review a risk flag", Session,
			mayAgain(service.MedicalRecordAmend, service.MedicalRecordRead),
			act(a.reviewRiskFlag, a.MedicalRecords.Flag, newRiskFlagAnswer), apperr.Conflict,
		),
	}
}

// auditOperations are the operations on audit events, their proofs and reviews.
func (a *API) auditOperations() []Operation {
	const patient = "/api/v1/patients/:id"
	const events = "/api/v1/audit-logs"
	const review = "/api/v1/audit-reviews/:week"
	opening := []Need{
		Need{Permission: service.AuditLogOpenDiff},
		when(service.PatientRead, "with the scope all, if the event changed demographics"),
	}
	return []Operation{
		row(
			"GET", patient+"/audit-logs", "List the audit events of a patient", Session, may(service.AuditLogRead),
			list(a.listPatientAuditLogs, newAuditLogAnswer),
		),
		row(
			"GET", patient+"/accounting", "Print an accounting of accesses", Session, may(service.AuditLogAccounting),
			raw("text/html", a.printAccounting),
		),
		row(
			"GET", events, "List audit events", Session, may(service.AuditLogRead),
			list(a.listAuditLogs, newAuditLogAnswer),
		),
		row("GET", events+"/checkpoint", "Show the newest checkpoint", Own, nil, get(a.checkpoint, same)),
		row(
			"GET", events+"/:id", "Show an audit event", Session, may(service.AuditLogRead),
			get(a.AuditLogs.Get, newAuditLogAnswer),
		),
		row("GET", events+"/:id/diff", "Open an audit diff", Session, opening, get(a.openDiff, same)),
		row(
			"GET", events+"/:id/proof", "Prove an audit event", Session, may(service.AuditLogRead),
			get(a.prove, same),
		),
		row(
			"GET", review, "Show an audit review", Session, may(service.ReviewRead),
			get(a.review, NewReviewAnswer),
		),
		row(
			"POST", review+"/sign-off", "Sign off an audit review", Session, may(service.ReviewSign),
			post(204, "", a.signOff, signedOff, same), apperr.Duplicate,
		),
	}
}

// appointmentOperations: appointments, and when practitioners can be booked.
func (a *API) appointmentOperations() []Operation {
	const appointments = "/api/v1/appointments"
	const appointment = appointments + "/:id"
	const series = "/api/v1/appointment-series"
	const practitioner = "/api/v1/practitioners/:id"
	booking := append(mayAgain(service.AppointmentCreate, service.AppointmentRead),
		when(service.AppointmentOverlap, "with allow_overlap"))
	updating := append(may(service.AppointmentUpdate), when(service.AppointmentOverlap, "with allow_overlap"))
	moving := append(mayAgain(service.AppointmentTransition, service.AppointmentRead),
		when(service.AppointmentOverlap, "for a late arrival with allow_overlap"))
	notFree := []apperr.Code{apperr.Taken, apperr.OutsideHours}
	changing := change[appointmentReplacement](a.changeAppointment, newAppointmentAnswer)
	notChanged := append([]apperr.Code{apperr.BadTransition}, notFree...)
	return []Operation{
		row(
			"GET", appointments, "List appointments", Session, may(service.AppointmentRead),
			listBy(startOf, a.listAppointments, newAppointmentAnswer), apperr.NotFound,
		),
		row(
			"POST", appointments, "Book an appointment", Session, booking,
			create(appointments, a.Appointments.Book, a.Appointments.Get, newAppointmentAnswer), notFree...,
		),
		row(
			"GET", appointment, "Show an appointment", Session, may(service.AppointmentRead),
			get(a.Appointments.Get, newAppointmentAnswer),
		),
		row("PUT", appointment, "Replace an appointment", Session, updating, changing, notChanged...),
		row("PATCH", appointment, "Change an appointment", Session, updating, changing, notChanged...),
		row(
			"POST", appointment+"/transitions", "Take an appointment to another state", Session, moving,
			act(a.transitionAppointment, a.Appointments.Get, newAppointmentAnswer), notChanged...,
		),
		row(
			"GET", "/api/v1/patients/:id/appointments", "List the appointments of a patient", Session,
			may(service.AppointmentRead), listBy(startOf, a.listAppointmentsOfPatient, newAppointmentAnswer),
		),
		row(
			"POST", series, "Book a series", Session, booking,
			create(series, a.Appointments.BookSeries, a.Appointments.GetSeries, newSeriesAnswer), notFree...,
		),
		row(
			"POST", series+"/preview", "Preview a series", Session, may(service.AppointmentCreate),
			all(a.Appointments.PreviewSeries, newOccurrenceAnswer), apperr.NotFound,
		),
		row(
			"GET", series+"/:id", "Show a series", Session, may(service.AppointmentRead),
			get(a.Appointments.GetSeries, newSeriesAnswer),
		),
		row(
			"GET", practitioner+"/availability", "Show the hours of a practitioner", Session,
			may(service.AvailabilityRead), get(a.Appointments.Availability, newAvailabilityAnswer),
		),
		row(
			"PUT", practitioner+"/availability", "Set the hours of a practitioner", Session,
			may(service.AvailabilityUpdate),
			change[availabilityReplacement](a.Appointments.SetAvailability, newAvailabilityAnswer),
		),
		row(
			"GET", practitioner+"/slots", "List the free slots of a practitioner", Session,
			may(service.AvailabilityRead), get(a.listSlots, newSlotsAnswer),
		),
	}
}
