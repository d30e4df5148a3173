package handler

import (
	"slices"

	"novamind/internal/apperr"
	"novamind/service"
)

// Operations is the table of operations: what this server answers, who may ask, and what is taken and answered.
func (a *API) Operations() []Operation {
	return slices.Concat(
		a.systemOperations(), a.authOperations(), a.accountOperations(), a.patientOperations(), legacy(a.legacyRoutes()),
	)
}

// systemOperations: what monitors poll.
func (a *API) systemOperations() []Operation {
	return []Operation{
		{"GET", "/healthz", "Check that the server is alive", Open, nil, get(healthz, same), nil},
		{"GET", "/readyz", "Check that the server is ready", Open, nil, get(a.readyz, same), fails(apperr.Unavailable)},
		{"GET", "/openapi.json", "Show the OpenAPI document", Open, nil, raw("application/json", a.openAPI), nil},
	}
}

// authOperations: the caller's own account and sessions.
func (a *API) authOperations() []Operation {
	const auth = "/api/v1/auth"
	return []Operation{
		{"POST", auth + "/login", "Log in", Public, nil, a.login(),
			fails(apperr.BadCredentials, apperr.TOTPNeeded)},
		{"POST", auth + "/logout", "Log out", FirstLogin, nil, remove(a.logout), fails(apperr.NotFound)},
		{"GET", auth + "/me", "Show your account", FirstLogin, nil, get(a.me, newAccountAnswer), nil},
		{"POST", auth + "/password", "Change your password", FirstLogin, nil, remove(a.setPassword),
			fails(apperr.BadCredentials)},
		{"POST", auth + "/redeem", "Choose a password by link", Public, nil, remove(a.redeem),
			fails(apperr.BadCredentials)},
		{"POST", auth + "/totp", "Enrol a second factor", FirstLogin, nil, answer(200, a.enrolTOTP, same),
			fails(apperr.BadCredentials, apperr.Duplicate)},
		{"POST", auth + "/totp/confirm", "Confirm a second factor", FirstLogin, nil,
			answer(200, a.confirmTOTP, newRecoveryCodesAnswer),
			fails(apperr.BadCredentials, apperr.Duplicate, apperr.NotFound)},
		{"POST", auth + "/totp/disable", "Disable the second factor", FirstLogin, nil, remove(a.disableTOTP),
			fails(apperr.BadCredentials, apperr.TOTPNeeded, apperr.NotFound)},
		{"POST", auth + "/recovery-codes", "Renew the recovery codes", FirstLogin, nil,
			answer(200, a.renewRecoveryCodes, newRecoveryCodesAnswer),
			fails(apperr.BadCredentials, apperr.TOTPNeeded, apperr.NotFound)},
		{"GET", auth + "/sessions", "List your sessions", FirstLogin, nil,
			list(unfiltered(a.Auth.Sessions), newSessionAnswer), nil},
		{"DELETE", auth + "/sessions/:id", "End a session", FirstLogin, nil, remove(a.Auth.EndSession), nil},
	}
}

// accountOperations: the people and the machines that may log in.
func (a *API) accountOperations() []Operation {
	const accounts, keys = "/api/v1/accounts", "/api/v1/api-keys"
	return []Operation{
		{"GET", accounts, "List accounts", Session, may(service.AccountRead),
			list(a.searchAccounts, newAccountAnswer), nil},
		{"POST", accounts, "Add an account", Session, mayAgain(service.AccountCreate, service.AccountRead),
			post(201, accounts, a.createAccount, a.createdAccount, newAccountWithLink), fails(apperr.Duplicate)},
		{"GET", accounts + "/:id", "Show an account", Session, may(service.AccountRead),
			get(a.Accounts.Get, newAccountAnswer), nil},
		{"PATCH", accounts + "/:id", "Change an account", Session, may(service.AccountUpdate),
			change[accountReplacement](a.Accounts.Change, newAccountAnswer), fails(apperr.Duplicate, apperr.LastAdmin)},
		{"POST", accounts + "/:id/reset", "Reset an account", Session,
			mayAgain(service.AccountUpdate, service.AccountRead),
			post(200, "", a.resetAccount, a.wasReset, newAccountWithLink), nil},
		{"GET", "/api/v1/practitioners", "List practitioners", Session, may(service.PractitionerRead),
			list(unfiltered(a.Accounts.Practitioners), newPractitionerAnswer), nil},
		{"GET", "/api/v1/practitioners/:id", "Show a practitioner", Session, may(service.PractitionerRead),
			get(a.Accounts.Practitioner, newPractitionerAnswer), nil},
		{"GET", keys, "List API keys", Session, may(service.APIKeyRead),
			list(unfiltered(a.APIKeys.List), newAPIKeyAnswer), nil},
		{"POST", keys, "Make an API key", Session, may(service.APIKeyCreate),
			issue(keys, a.APIKeys.Create, newAPIKeyWithSecret), nil},
		{"GET", keys + "/:id", "Show an API key", Session, may(service.APIKeyRead),
			get(a.APIKeys.Get, newAPIKeyAnswer), nil},
		{"DELETE", keys + "/:id", "Revoke an API key", Session, may(service.APIKeyRevoke), remove(a.revokeAPIKey), nil},
	}
}

// patientOperations: patients, who cares for them, and emergencies.
func (a *API) patientOperations() []Operation {
	const patients = "/api/v1/patients"
	const patient = patients + "/:id"
	deleting := []Need{{service.PatientDeactivate, "without purge"}, {service.PatientPurge, "with purge=true"}}
	changing := change[patientReplacement](a.Patients.Change, newPatientAnswer)
	return []Operation{
		{"GET", patients, "List patients", Session, may(service.PatientRead),
			list(a.searchPatients(inQuery), newPatientAnswer), nil},
		{"POST", patients, "Register a patient", Session, mayAgain(service.PatientCreate, service.PatientRead),
			create(patients, a.Patients.Register, a.Patients.Registered, newRegistrationAnswer),
			fails(apperr.PossibleDuplicate)},
		{"POST", patients + "/search", "Search patients", Session, may(service.PatientRead),
			list(a.searchPatients(inBody), newPatientAnswer), nil},
		{"GET", patient, "Show a patient", Session, may(service.PatientRead),
			get(a.Patients.Get, newPatientAnswer), nil},
		{"PUT", patient, "Replace a patient", Session, may(service.PatientUpdate), changing, nil},
		{"PATCH", patient, "Change a patient", Session, may(service.PatientUpdate), changing, nil},
		{"DELETE", patient, "Deactivate or purge a patient", Session, deleting,
			answer(204, a.removePatient, same), fails(apperr.Conflict)},
		{"POST", patient + "/merge", "Merge a patient", Session, mayAgain(service.PatientMerge, service.PatientRead),
			act(a.mergePatient, a.Patients.Get, newPatientAnswer), fails(apperr.Conflict, apperr.Taken)},
		{"POST", patient + "/unmerge", "Unmerge a patient", Session, mayAgain(service.PatientMerge, service.PatientRead),
			act(a.unmergePatient, a.Patients.Get, newPatientAnswer), fails(apperr.Conflict)},
		{"GET", patient + "/chart", "Show a chart", Session, may(service.MedicalRecordRead),
			get(a.Charts.Of, newChartAnswer), nil},
		{"GET", patient + "/clinicians", "List the clinicians of a patient", Session, may(service.PatientRead),
			all(a.Care.Clinicians, newClinicianAnswer), nil},
		{"POST", patient + "/clinicians", "Assign a clinician", Session, mayAgain(service.PatientAssign, service.PatientRead),
			post(201, "", a.assignClinician, a.assigned, newClinicianAnswer), nil},
		{"DELETE", patient + "/clinicians/:account_id", "Unassign a clinician", Session, may(service.PatientAssign),
			remove(a.unassignClinician), fails(apperr.Conflict)},
		{"GET", "/api/v1/break-glass", "List emergency accesses", Session, may(service.BreakGlassOpen),
			all(a.activeEmergencies, newEmergencyAnswer), nil},
		{"POST", "/api/v1/break-glass", "Open emergency access", Session, may(service.BreakGlassOpen),
			post(201, "", a.breakGlass, a.opened, same), nil},
	}
}
