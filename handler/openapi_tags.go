package handler

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"novamind/internal/rest"
	"novamind/internal/web"
)

// OpenAPI returns the OpenAPI 3.1 document of the table of operations, as JSON.
func OpenAPI() ([]byte, error) { return (&API{}).document() }

func (a *API) document() ([]byte, error) {
	return rest.Document(description, a.Operations(), vocabularies)
}

// openAPI answers with the document.
func (a *API) openAPI(c *gin.Context, _ rest.Nothing) error {
	document, err := a.described()
	if err != nil {
		return err
	}
	web.WriteBody(c, http.StatusOK, "application/json", document)
	return nil
}

const about = "The backend of a mental-health clinic. Errors never repeat submitted data.\n\n" +
	"An unknown path is answered with 404 and the code `route.not_found`. A method that the path does not support is " +
	"answered with 405 and `route.method_not_allowed`. Clients must ignore unknown members of an answer, because later " +
	"versions may add members. Requests must have only the members described here.\n\n" +
	"Every request may have the header `X-Request-Id` with an id of its own, which the answer and the log repeat. A " +
	"request with a login may have `X-Purpose-Of-Use` with the purpose of the access for the audit log: a code of HL7 v3 " +
	"PurposeOfUse, such as `TREAT`."

var description = rest.Description{
	Title: "NovaMind", Version: "1", About: about,
	Contact: "The maintainers of NovaMind", License: "Apache License 2.0", LicenseID: "Apache-2.0",
	Nouns: nouns,
}

// nouns are the tags of the document.
var nouns = [][2]string{
	{"system", "Web pages, this document, and the health of the server."},
	{"auth", "Login, logout, and the caller's own account."},
	{"accounts", "The accounts of staff."},
	{"practitioners", "The accounts of clinicians, with their hours and free slots."},
	{"api-keys", "The API keys of other programs."},
	{"patients", "Patients, and lists of the data of one patient."},
	{"break-glass", "Emergency access to patients outside of the caller's care."},
	{"appointments", "Appointments: booking, changes and transitions."},
	{"appointment-series", "Series of appointments, booked by a recurrence rule."},
	{"medical-records", "Medical records: drafts, signed records and amendments."},
	{"consents", "The consents of patients to the disclosure of their records."},
	{"risk-flags", "Flags on patients in need of attention."},
	{"audit-logs", "The audit log: events, their proofs, and the signed checkpoint."},
	{"audit-reviews", "The weekly reviews of the audit log."},
}
