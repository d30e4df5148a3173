package handler

import (
	"slices"

	"novamind/internal/rest"
)

// Operations is the table of operations: method, pattern, summary, access, permissions, action and errors of each.
// The rows of a noun are in the noun's file, with the types of their requests and answers.
func (a *API) Operations() []rest.Operation {
	return slices.Concat(
		a.systemOperations(), a.authOperations(), a.accountOperations(), a.patientOperations(),
		a.medicalRecordOperations(), a.consentOperations(), a.riskFlagOperations(),
		a.appointmentOperations(), a.auditOperations(),
	)
}
