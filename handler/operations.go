package handler

import (
	"slices"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/service"
)

// Operations is the table of operations: method, pattern, summary, access, permissions, action and errors of each.
func (a *API) Operations() []rest.Operation {
	return slices.Concat(
		a.systemOperations(), a.authOperations(), a.accountOperations(), a.patientOperations(), a.recordOperations(),
		a.appointmentOperations(), a.auditOperations(),
	)
}

// systemOperations are the pages for browsers and the health checks for monitors.
func (a *API) systemOperations() []rest.Operation {
	return append(pageOperations(), []rest.Operation{
		rest.Row("GET", "/healthz", "Check that the server is alive", web.Open, nil, rest.Get(healthz, rest.Same)),
		rest.Row("GET", "/readyz", "Check that the server is ready", web.Open, nil, rest.Get(a.readyz, rest.Same), apperr.Unavailable),
		rest.Row("GET", "/openapi.json", "Show the OpenAPI document", web.Open, nil, rest.Raw("application/json", a.openAPI)),
	}...)
}

// authOperations: the caller's own account and sessions.
func (a *API) authOperations() []rest.Operation {
	const auth = "/api/v1/auth"
	return []rest.Operation{
		rest.Row(
			"POST", auth+"/login", "Log in", web.Public, nil, a.login(),
			apperr.BadCredentials, apperr.TOTPNeeded,
		),
		rest.Row("POST", auth+"/logout", "Log out", web.FirstLogin, nil, rest.Remove(a.logout), apperr.NotFound),
		rest.Row("GET", auth+"/me", "Show your account", web.FirstLogin, nil, rest.Get(a.me, newAccountAnswer)),
		rest.Row(
			"POST", auth+"/password", "Change your password", web.FirstLogin, nil, rest.Remove(a.setPassword),
			apperr.BadCredentials,
		),
		rest.Row(
			"POST", auth+"/redeem", "Choose a password by link", web.Public, nil, rest.Remove(a.redeem),
			apperr.BadCredentials,
		),
		rest.Row(
			"POST", auth+"/totp", "Enrol a second factor", web.FirstLogin, nil, rest.Answer(200, a.enrolTOTP, rest.Same),
			apperr.BadCredentials, apperr.Duplicate,
		),
		rest.Row(
			"POST", auth+"/totp/confirm", "Confirm a second factor", web.FirstLogin, nil,
			rest.Answer(200, a.confirmTOTP, newRecoveryCodesAnswer),
			apperr.BadCredentials, apperr.Duplicate, apperr.NotFound,
		),
		rest.Row(
			"POST", auth+"/totp/disable", "Disable the second factor", web.FirstLogin, nil, rest.Remove(a.disableTOTP),
			apperr.BadCredentials, apperr.TOTPNeeded, apperr.NotFound,
		),
		rest.Row(
			"POST", auth+"/recovery-codes", "Renew the recovery codes", web.FirstLogin, nil,
			rest.Answer(200, a.renewRecoveryCodes, newRecoveryCodesAnswer),
			apperr.BadCredentials, apperr.TOTPNeeded, apperr.NotFound,
		),
		rest.Row(
			"GET", auth+"/sessions", "List your sessions", web.FirstLogin, nil,
			rest.List(rest.Unfiltered(a.Auth.Sessions), newSessionAnswer),
		),
		rest.Row("DELETE", auth+"/sessions/:id", "End a session", web.FirstLogin, nil, rest.Remove(a.Auth.EndSession)),
	}
}

// accountOperations: the people and the machines that may log in.
func (a *API) accountOperations() []rest.Operation {
	const accounts, keys = "/api/v1/accounts", "/api/v1/api-keys"
	return []rest.Operation{
		rest.Row(
			"GET", accounts, "List accounts", web.Session, rest.May(service.AccountRead),
			rest.List(a.searchAccounts, newAccountAnswer),
		),
		rest.Row(
			"POST", accounts, "Add an account", web.Session, rest.MayAgain(service.AccountCreate, service.AccountRead),
			rest.Post(201, accounts, a.createAccount, a.createdAccount, newAccountWithLink), apperr.Duplicate,
		),
		rest.Row(
			"GET", accounts+"/:id", "Show an account", web.Session, rest.May(service.AccountRead),
			rest.Get(a.Accounts.Get, newAccountAnswer),
		),
		rest.Row(
			"PATCH", accounts+"/:id", "Change an account", web.Session, rest.May(service.AccountUpdate),
			rest.Change[accountReplacement](a.Accounts.Change, newAccountAnswer), apperr.Duplicate, apperr.LastAdmin,
		),
		rest.Row(
			"POST", accounts+"/:id/reset", "Reset an account", web.Session,
			rest.MayAgain(service.AccountUpdate, service.AccountRead),
			rest.Post(200, "", a.resetAccount, a.wasReset, newAccountWithLink),
		),
		rest.Row(
			"GET", "/api/v1/practitioners", "List practitioners", web.Session, rest.May(service.PractitionerRead),
			rest.List(rest.Unfiltered(a.Accounts.Practitioners), newPractitionerAnswer),
		),
		rest.Row(
			"GET", "/api/v1/practitioners/:id", "Show a practitioner", web.Session, rest.May(service.PractitionerRead),
			rest.Get(a.Accounts.Practitioner, newPractitionerAnswer),
		),
		rest.Row(
			"GET", keys, "List API keys", web.Session, rest.May(service.APIKeyRead),
			rest.List(rest.Unfiltered(a.APIKeys.List), newAPIKeyAnswer),
		),
		rest.Row(
			"POST", keys, "Make an API key", web.Session, rest.May(service.APIKeyCreate),
			rest.Issue(keys, a.APIKeys.Create, newAPIKeyWithSecret),
		),
		rest.Row(
			"GET", keys+"/:id", "Show an API key", web.Session, rest.May(service.APIKeyRead),
			rest.Get(a.APIKeys.Get, newAPIKeyAnswer),
		),
		rest.Row("DELETE", keys+"/:id", "Revoke an API key", web.Session, rest.May(service.APIKeyRevoke), rest.Remove(a.revokeAPIKey)),
	}
}

// patientOperations are the operations on patients, their care team, and emergency access.
func (a *API) patientOperations() []rest.Operation {
	const patients = "/api/v1/patients"
	const patient = patients + "/:id"
	deleting := []rest.Need{rest.When(service.PatientDeactivate, "without purge"), rest.When(service.PatientPurge, "with purge=true")}
	changing := rest.Change[patientReplacement](a.Patients.Change, newPatientAnswer)
	return []rest.Operation{
		rest.Row(
			"GET", patients, "List patients", web.Session, rest.May(service.PatientRead),
			rest.List(a.searchPatients, newPatientAnswer),
		),
		rest.Row(
			"POST", patients, "Register a patient", web.Session, rest.MayAgain(service.PatientCreate, service.PatientRead),
			rest.Create(patients, a.Patients.Register, a.Patients.Registered, newRegistrationAnswer),
			apperr.PossibleDuplicate,
		),
		rest.Row(
			"POST", patients+"/search", "Search patients", web.Session, rest.May(service.PatientRead),
			rest.List(a.searchPatients, newPatientAnswer),
		),
		rest.Row(
			"GET", patient, "Show a patient", web.Session, rest.May(service.PatientRead),
			rest.Get(a.Patients.Get, newPatientAnswer),
		),
		rest.Row("PUT", patient, "Replace a patient", web.Session, rest.May(service.PatientUpdate), changing),
		rest.Row("PATCH", patient, "Change a patient", web.Session, rest.May(service.PatientUpdate), changing),
		rest.Row(
			"DELETE", patient, "Deactivate or purge a patient", web.Session, deleting,
			rest.Answer(204, a.removePatient, rest.Same), apperr.Conflict,
		),
		rest.Row(
			"POST", patient+"/merge", "Merge a patient", web.Session, rest.MayAgain(service.PatientMerge, service.PatientRead),
			rest.Act(a.mergePatient, a.Patients.Get, newPatientAnswer), apperr.Conflict, apperr.Taken,
		),
		rest.Row(
			"POST", patient+"/unmerge", "Unmerge a patient", web.Session, rest.MayAgain(service.PatientMerge, service.PatientRead),
			rest.Act(a.unmergePatient, a.Patients.Get, newPatientAnswer), apperr.Conflict,
		),
		rest.Row(
			"GET", patient+"/chart", "Show a chart", web.Session, rest.May(service.MedicalRecordRead),
			rest.Get(a.Charts.Of, newChartAnswer),
		),
		rest.Row(
			"GET", patient+"/clinicians", "List the clinicians of a patient", web.Session, rest.May(service.PatientRead),
			rest.All(a.Care.Clinicians, newClinicianAnswer),
		),
		rest.Row(
			"POST", patient+"/clinicians", "Assign a clinician", web.Session, rest.MayAgain(service.PatientAssign, service.PatientRead),
			rest.Post(201, "", a.assignClinician, a.assigned, newClinicianAnswer),
		),
		rest.Row(
			"DELETE", patient+"/clinicians/:account_id", "Unassign a clinician", web.Session, rest.May(service.PatientAssign),
			rest.Remove(a.unassignClinician), apperr.Conflict,
		),
		rest.Row(
			"GET", "/api/v1/break-glass", "List emergency accesses", web.Session, rest.May(service.BreakGlassOpen),
			rest.All(a.activeEmergencies, newEmergencyAnswer),
		),
		rest.Row(
			"POST", "/api/v1/break-glass", "Open emergency access", web.Session, rest.May(service.BreakGlassOpen),
			rest.Post(201, "", a.breakGlass, a.opened, rest.Same),
		),
	}
}

// recordOperations are the operations on medical records, consents, disclosures and risk flags.
func (a *API) recordOperations() []rest.Operation {
	return slices.Concat(a.medicalRecordOperations(), a.consentOperations(), a.riskFlagOperations())
}

func (a *API) medicalRecordOperations() []rest.Operation {
	const record = medicalRecords + "/:id"
	reading := rest.May(service.MedicalRecordRead)
	amending := rest.MayAgain(service.MedicalRecordAmend, service.MedicalRecordRead)
	changing := rest.Change[medicalRecordReplacement](a.MedicalRecords.Change, newMedicalRecordAnswer)
	again := a.MedicalRecords.Get
	return []rest.Operation{
		rest.Row(
			"GET", "/api/v1/patients/:id/medical-records", "List the medical records of a patient", web.Session, reading,
			rest.ListBy(occurredAt, a.recordsOfPatient, newMedicalRecordAnswer),
		),
		rest.Row(
			"GET", medicalRecords, "List medical records", web.Session, reading,
			rest.ListBy(occurredAt, a.searchMedicalRecords, newMedicalRecordAnswer), apperr.NotFound,
		),
		rest.Row(
			"POST", medicalRecords, "Write a medical record", web.Session,
			rest.MayAgain(service.MedicalRecordCreate, service.MedicalRecordRead),
			rest.Create(medicalRecords, a.writeMedicalRecord, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		rest.Row("GET", record, "Show a medical record", web.Session, reading, rest.Get(a.medicalRecord, rest.Same)),
		rest.Row(
			"PUT", record, "Replace a medical record", web.Session, rest.May(service.MedicalRecordUpdate), changing,
			apperr.Conflict,
		),
		rest.Row(
			"PATCH", record, "Change a medical record", web.Session, rest.May(service.MedicalRecordUpdate), changing,
			apperr.Conflict,
		),
		rest.Row(
			"POST", record+"/sign", "Sign a medical record", web.Session,
			rest.MayAgain(service.MedicalRecordSign, service.MedicalRecordRead),
			rest.Act(a.signMedicalRecord, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		rest.Row(
			"POST", record+"/amendments", "Amend a medical record", web.Session, amending,
			rest.Create(medicalRecords, a.amendMedicalRecord, again, newMedicalRecordAnswer),
			apperr.Conflict, apperr.Duplicate, apperr.Stale,
		),
		rest.Row(
			"POST", record+"/entered-in-error", "Mark a medical record as entered in error", web.Session, amending,
			rest.Act(a.markMedicalRecordInError, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		rest.Row(
			"GET", record+"/history", "List the versions of a medical record", web.Session, reading,
			rest.All(a.MedicalRecords.History, newMedicalRecordAnswer),
		),
	}
}

func (a *API) consentOperations() []rest.Operation {
	const consents, disclosures = "/api/v1/patients/:id/consents", "/api/v1/patients/:id/disclosures"
	const consent = "/api/v1/consents"
	recording := rest.MayAgain(service.ConsentCreate, service.ConsentRead)
	return []rest.Operation{
		rest.Row(
			"GET", consents, "List the consents of a patient", web.Session, rest.May(service.ConsentRead),
			rest.List(ofPatient(a.Consents.Of), newConsentAnswer),
		),
		rest.Row(
			"POST", consents, "Record a consent", web.Session, recording,
			rest.Create(consent, a.grantConsent, a.Consents.Get, newConsentAnswer),
		),
		rest.Row(
			"DELETE", consents, "Revoke all consents of a patient", web.Session, rest.May(service.ConsentCreate),
			rest.Remove(a.Consents.RevokeAll), apperr.Stale,
		),
		rest.Row(
			"GET", consent+"/:id", "Show a consent", web.Session, rest.May(service.ConsentRead),
			rest.Get(a.Consents.Get, newConsentAnswer),
		),
		rest.Row(
			"POST", consent+"/:id/revocation", "Revoke a consent", web.Session, recording,
			rest.Act(a.revokeConsent, a.Consents.Get, newConsentAnswer), apperr.Conflict,
		),
		rest.Row(
			"GET", disclosures, "List the disclosures of a patient", web.Session, rest.May(service.DisclosureRead),
			rest.List(ofPatient(a.Consents.Disclosures), newDisclosureAnswer),
		),
		rest.Row(
			"POST", disclosures, "Record a disclosure", web.Session,
			rest.MayAgain(service.DisclosureCreate, service.DisclosureRead),
			rest.Create("", a.disclose, a.Consents.Disclosure, newDisclosureAnswer), apperr.Conflict,
		),
	}
}

func (a *API) riskFlagOperations() []rest.Operation {
	return []rest.Operation{
		rest.Row(
			"GET", "/api/v1/patients/:id/risk-flags", "List the risk flags of a patient", web.Session,
			rest.May(service.MedicalRecordRead), rest.List(a.riskFlags, newRiskFlagAnswer),
		),
		rest.Row(
			"POST", "/api/v1/risk-flags/:id/reviews", "Review a risk flag", web.Session,
			rest.MayAgain(service.MedicalRecordAmend, service.MedicalRecordRead),
			rest.Act(a.reviewRiskFlag, a.MedicalRecords.Flag, newRiskFlagAnswer), apperr.Conflict,
		),
	}
}

// auditOperations are the operations on audit events, their proofs and reviews.
func (a *API) auditOperations() []rest.Operation {
	const patient = "/api/v1/patients/:id"
	const events = "/api/v1/audit-logs"
	const review = "/api/v1/audit-reviews/:week"
	opening := []rest.Need{
		{Permission: service.AuditLogOpenDiff},
		rest.When(service.PatientRead, "with the scope all, if the event changed demographics"),
	}
	return []rest.Operation{
		rest.Row(
			"GET", patient+"/audit-logs", "List the audit events of a patient", web.Session, rest.May(service.AuditLogRead),
			rest.List(a.listPatientAuditLogs, newAuditLogAnswer),
		),
		rest.Row(
			"GET", patient+"/accounting", "Print an accounting of accesses", web.Session, rest.May(service.AuditLogAccounting),
			rest.Raw("text/html", a.printAccounting),
		),
		rest.Row(
			"GET", events, "List audit events", web.Session, rest.May(service.AuditLogRead),
			rest.List(a.listAuditLogs, newAuditLogAnswer),
		),
		rest.Row("GET", events+"/checkpoint", "Show the newest checkpoint", web.Own, nil, rest.Get(a.checkpoint, rest.Same)),
		rest.Row(
			"GET", events+"/:id", "Show an audit event", web.Session, rest.May(service.AuditLogRead),
			rest.Get(a.AuditLogs.Get, newAuditLogAnswer),
		),
		rest.Row("GET", events+"/:id/diff", "Open an audit diff", web.Session, opening, rest.Get(a.openDiff, rest.Same)),
		rest.Row(
			"GET", events+"/:id/proof", "Prove an audit event", web.Session, rest.May(service.AuditLogRead),
			rest.Get(a.prove, rest.Same),
		),
		rest.Row(
			"GET", review, "Show an audit review", web.Session, rest.May(service.ReviewRead),
			rest.Get(a.review, NewReviewAnswer),
		),
		rest.Row(
			"POST", review+"/sign-off", "Sign off an audit review", web.Session, rest.May(service.ReviewSign),
			rest.Post(204, "", a.signOff, signedOff, rest.Same), apperr.Duplicate,
		),
	}
}

// appointmentOperations: appointments, and when practitioners can be booked.
func (a *API) appointmentOperations() []rest.Operation {
	const appointments = "/api/v1/appointments"
	const appointment = appointments + "/:id"
	const series = "/api/v1/appointment-series"
	const practitioner = "/api/v1/practitioners/:id"
	booking := append(rest.MayAgain(service.AppointmentCreate, service.AppointmentRead),
		rest.When(service.AppointmentOverlap, "with allow_overlap"))
	updating := append(rest.May(service.AppointmentUpdate), rest.When(service.AppointmentOverlap, "with allow_overlap"))
	moving := append(rest.MayAgain(service.AppointmentTransition, service.AppointmentRead),
		rest.When(service.AppointmentOverlap, "for a late arrival with allow_overlap"))
	notFree := []apperr.Code{apperr.Taken, apperr.OutsideHours}
	changing := rest.Change[appointmentReplacement](a.changeAppointment, newAppointmentAnswer)
	notChanged := append([]apperr.Code{apperr.BadTransition}, notFree...)
	return []rest.Operation{
		rest.Row(
			"GET", appointments, "List appointments", web.Session, rest.May(service.AppointmentRead),
			rest.ListBy(startOf, a.listAppointments, newAppointmentAnswer), apperr.NotFound,
		),
		rest.Row(
			"POST", appointments, "Book an appointment", web.Session, booking,
			rest.Create(appointments, a.Appointments.Book, a.Appointments.Get, newAppointmentAnswer), notFree...,
		),
		rest.Row(
			"GET", appointment, "Show an appointment", web.Session, rest.May(service.AppointmentRead),
			rest.Get(a.Appointments.Get, newAppointmentAnswer),
		),
		rest.Row("PUT", appointment, "Replace an appointment", web.Session, updating, changing, notChanged...),
		rest.Row("PATCH", appointment, "Change an appointment", web.Session, updating, changing, notChanged...),
		rest.Row(
			"POST", appointment+"/transitions", "Take an appointment to another state", web.Session, moving,
			rest.Act(a.transitionAppointment, a.Appointments.Get, newAppointmentAnswer), notChanged...,
		),
		rest.Row(
			"GET", "/api/v1/patients/:id/appointments", "List the appointments of a patient", web.Session,
			rest.May(service.AppointmentRead), rest.ListBy(startOf, a.listAppointmentsOfPatient, newAppointmentAnswer),
		),
		rest.Row(
			"POST", series, "Book a series", web.Session, booking,
			rest.Create(series, a.Appointments.BookSeries, a.Appointments.GetSeries, newSeriesAnswer), notFree...,
		),
		rest.Row(
			"POST", series+"/preview", "Preview a series", web.Session, rest.May(service.AppointmentCreate),
			rest.All(a.Appointments.PreviewSeries, newOccurrenceAnswer), apperr.NotFound,
		),
		rest.Row(
			"GET", series+"/:id", "Show a series", web.Session, rest.May(service.AppointmentRead),
			rest.Get(a.Appointments.GetSeries, newSeriesAnswer),
		),
		rest.Row(
			"GET", practitioner+"/availability", "Show the hours of a practitioner", web.Session,
			rest.May(service.AvailabilityRead), rest.Get(a.Appointments.Availability, newAvailabilityAnswer),
		),
		rest.Row(
			"PUT", practitioner+"/availability", "Set the hours of a practitioner", web.Session,
			rest.May(service.AvailabilityUpdate),
			rest.Change[availabilityReplacement](a.Appointments.SetAvailability, newAvailabilityAnswer),
		),
		rest.Row(
			"GET", practitioner+"/slots", "List the free slots of a practitioner", web.Session,
			rest.May(service.AvailabilityRead), rest.Get(a.listSlots, newSlotsAnswer),
		),
	}
}
