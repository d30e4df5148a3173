package handler

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// OpenAPI returns the OpenAPI 3.1 document of the table of operations, as JSON.
func OpenAPI() ([]byte, error) { return (&API{}).document() }

func (a *API) document() ([]byte, error) { return Document(description, a.Operations(), vocabularies) }

// openAPI answers the document.
func (a *API) openAPI(c *gin.Context, _ nothing) error {
	document, err := a.described()
	if err != nil {
		return err
	}
	writeBody(c, http.StatusOK, "application/json", document)
	return nil
}

const about = "The backend of a mental-health clinic. Nothing submitted is ever repeated in an error.\n\n" +
	"An address that is no route is answered with 404 and the code `route.not_found`, and a method that a route does " +
	"not have with 405 and `route.method_not_allowed`. Clients ignore members of an answer that they do not know: " +
	"later versions may add some. Requests take the members that are described, and no others."

var description = Description{
	Title: "NovaMind", Version: "1", About: about,
	Contact: "The maintainers of NovaMind", License: "Apache License 2.0", LicenseID: "Apache-2.0",
	Nouns: nouns,
}

var nouns = []Noun{
	{"system", "The pages for browsers, this document, and the state of the server."},
	{"auth", "Logging in and out, and the caller's own account."},
	{"accounts", "The people who may log in."},
	{"practitioners", "The accounts that have appointments, their hours and their free times."},
	{"api-keys", "The machines that may log in."},
	{"patients", "Patients, and lists of what belongs to one patient."},
	{"break-glass", "Emergency access to patients who are not in the caller's care."},
	{"appointments", "Appointments, from booking to the end."},
	{"appointment-series", "Appointments by a recurrence rule."},
	{"medical-records", "Medical records: drafts, signed records and amendments."},
	{"consents", "The consents of patients."},
	{"risk-flags", "Flags on patients who need attention."},
	{"audit-logs", "The audit log: events, their proofs, and the signed head."},
	{"audit-reviews", "The weekly reviews of the audit log."},
}
