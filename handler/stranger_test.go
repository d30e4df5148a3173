package handler_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/service"
)

// theirs is what belongs to another clinician.
type theirs struct {
	patient string
	cursor  string // of their list of patients
}

// attempt is one by a clinician at what is another's. ":patient" and ":cursor" stand for what is theirs, ":me" for the caller's account; "…?" is
// replaced by nothing but tells attempts apart.
type attempt struct {
	name, method, path, body, header string
	want                             int
}

// beta is all that can be said of the patient, who is another clinician's.
const beta = `{"first_name":"Zcanary","last_name":"Zcanarysson","date_of_birth":"1971-01-07",` +
	`"contact_info":{"email":"zcanary@example.org","phone":"(212) 555-0177"}}`

// attempts are what one clinician tries at another's patients. Those that ask for one resource get what they would get if there were none.
var attempts = []attempt{
	{"id in the path", "GET", "/patients/:patient", "", "", 404},
	{"id in the path, in capitals", "GET", "/patients/:PATIENT", "", "", 404},
	{"a version that they may have", "GET", "/patients/:patient", "", `If-None-Match: "1"`, 404},
	{"any version", "GET", "/patients/:patient", "", "If-None-Match: *", 404},
	{"replace", "PUT", "/patients/:patient", ada, `If-Match: "1"`, 404},
	{"replace, any version", "PUT", "/patients/:patient", ada, "If-Match: *", 404},
	{"replace, a version that is not theirs", "PUT", "/patients/:patient", ada, `If-Match: "99"`, 404},
	{"replace, with their id in the body", "PUT", "/patients/:patient", `{"id":":patient",` + ada[1:], "If-Match: *", 404},
	{"change", "PATCH", "/patients/:patient", `{"first_name":"Changed"}`, `If-Match: "1"`, 404},
	{"change nothing", "PATCH", "/patients/:patient", `{}`, `If-Match: "1"`, 404},
	{"change, a version that is not theirs", "PATCH", "/patients/:patient", `{"first_name":"Changed"}`, `If-Match: "99"`, 404},
	{"change, as merge patch", "PATCH", "/patients/:patient", `{"first_name":"Changed"}`, "If-Match: *; Content-Type: application/merge-patch+json", 404},
	{"deactivate", "DELETE", "/patients/:patient", "", `If-Match: "1"`, 404},
	{"deactivate, a version that is not theirs", "DELETE", "/patients/:patient", "", `If-Match: "99"`, 404},
	{"deactivate by a change", "PATCH", "/patients/:patient", `{"active":false}`, "If-Match: *", 404},
	{"purge", "DELETE", "/patients/:patient?purge=true&reason=mine", "", "If-Match: *", 403},
	{"nested: who cares for them", "GET", "/patients/:patient/clinicians", "", "", 404},
	{"nested: assign oneself", "POST", "/patients/:patient/clinicians", `{"account_id":":me"}`, "", 404},
	{"nested: assign another", "POST", "/patients/:patient/clinicians", `{"account_id":":them"}`, "", 404},
	{"nested: unassign the other", "DELETE", "/patients/:patient/clinicians/:them", "", "If-Match: *", 404},
	{"nested: unassign oneself", "DELETE", "/patients/:patient/clinicians/:me", "", "If-Match: *", 404},
	{"the log, by filter", "GET", "/audit-logs?subject=:patient", "", "", 403},
	{"the log, by another filter", "GET", "/audit-logs?entity_id=:patient", "", "", 403},
	{"list", "GET", "/patients", "", "", 200},
	{"list, the longest", "GET", "/patients?limit=200", "", "", 200},
	{"list of the active", "GET", "/patients?active=true", "", "", 200},
	{"filter: e-mail", "GET", "/patients?email=zcanary@example.org", "", "", 200},
	{"filter: phone", "GET", "/patients?phone=2125550177", "", "", 200},
	{"filter: last name", "GET", "/patients?last_name=Zcanarysson", "", "", 200},
	{"filter: name and birth", "GET", "/patients?first_name=Zcanary&date_of_birth=1971-01-07", "", "", 200},
	{"filter: beginnings", "GET", "/patients?q=zcan", "", "", 200},
	{"filter in the body: e-mail", "POST", "/patients/search", `{"email":"zcanary@example.org"}`, "", 200},
	{"filter in the body: phone", "POST", "/patients/search", `{"phone":"2125550177"}`, "", 200},
	{"filter in the body: names", "POST", "/patients/search", `{"first_name":"Zcanary","last_name":"Zcanarysson"}`, "", 200},
	{"filter in the body: beginnings", "POST", "/patients/search", `{"q":"zcanary 1971-01-07"}`, "", 200},
	{"their cursor", "GET", "/patients?limit=1&cursor=:cursor", "", "", 200},
	{"their idempotency key, other body", "POST", "/patients", another(ada), "Idempotency-Key: theirs", 201},
	{"their emergencies", "GET", "/break-glass", "", "", 200},
	{"their account", "GET", "/accounts/:them", "", "", 403},
	{"their account, changed", "PATCH", "/accounts/:them", `{"disabled":true}`, "If-Match: *", 403},
	{"their password", "POST", "/accounts/:them/reset", `{}`, "", 403},
}

// Two clinicians with patients of their own: whatever one tries at the other's, nothing is shown, nothing changes, and the log has it.
func TestStrangersGetNothing(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		them, me := s.person("them@example.org", service.RoleClinician), s.person("me@example.org", service.RoleClinician)
		other := theirs{patient: s.inCareOf(them.id, beta)}
		require.Equal(t, 201, s.as(them.token).do("POST", "/api/v1/patients", another(beta), "Idempotency-Key: theirs").status)
		other.cursor = s.as(them.token).do("GET", "/api/v1/patients?limit=1", "").at("next_cursor").(string)
		require.Equal(t, 201, s.as(them.token).do("POST", "/api/v1/break-glass",
			`{"patient_id":"`+s.inCareOf(me.id, ada)+`","reason":"unconscious"}`).status)
		theirRows := s.rowsOf(other.patient)
		nobody := theirs{patient: uuid.NewString(), cursor: other.cursor}
		for _, a := range attempts {
			request := "attempt-" + strings.ReplaceAll(a.name, " ", "-")
			request = strings.Map(func(r rune) rune {
				if strings.ContainsRune(":,", r) {
					return -1
				}
				return r
			}, request)
			r := s.try(a, me, them, other, request)
			require.Equal(t, a.want, r.status, "%s: %s", a.name, r.text)
			require.NotContains(t, strings.ToLower(r.text), "zcanary", a.name)
			require.NotContains(t, r.text, other.patient, a.name)
			require.Nil(t, r.at("next_cursor"), a.name)
			s.requireRecorded(request, a, me, other.patient)
			require.Equal(t, theirRows, s.rowsOf(other.patient), a.name)

			if a.want == http.StatusNotFound { // the same as where there is nothing, but for what differs between any two answers
				absent := s.try(a, me, them, nobody, request+"-absent")
				require.Equal(t, absent.status, r.status, a.name)
				for _, answer := range []reply{absent, r} {
					delete(answer.body, "request_id")
					for _, name := range []string{"X-Request-Id", "Date", "Content-Length"} {
						answer.header.Del(name)
					}
				}
				require.Equal(t, absent.body, r.body, a.name)
				require.Equal(t, absent.header, r.header, a.name)
			}
		}
		t.Logf("%d attempts", len(attempts))
	})
}

func (s *stack) try(a attempt, me, them caller, other theirs, request string) reply {
	s.t.Helper()
	fill := strings.NewReplacer(":patient", other.patient, ":PATIENT", strings.ToUpper(other.patient), ":cursor", other.cursor,
		":me", me.id.String(), ":them", them.id.String())
	headers := []string{"X-Request-Id: " + request}
	if a.header != "" {
		headers = append(headers, strings.Split(a.header, "; ")...)
	}
	return s.as(me.token).do(a.method, "/api/v1"+fill.Replace(a.path), fill.Replace(a.body), headers...)
}

// requireRecorded looks for the event of an attempt: a denial, or a list that showed nobody of theirs.
func (s *stack) requireRecorded(request string, a attempt, me caller, patient string) {
	s.t.Helper()
	var events []struct{ Outcome string }
	require.NoError(s.t, s.db.Raw("SELECT outcome FROM auditlog WHERE request_id = ? AND user_id = ?", request, me.id).Scan(&events).Error)
	require.NotEmpty(s.t, events, "%s leaves no event", a.name)
	if a.want >= http.StatusBadRequest {
		require.Equal(s.t, "denied", events[0].Outcome, a.name)
	}
	var shown int64
	require.NoError(s.t, s.db.Raw("SELECT count(*) FROM auditsubject WHERE entity_id = ? AND event_id IN (SELECT id FROM auditlog WHERE request_id = ? AND outcome <> 'denied')",
		patient, request).Scan(&shown).Error)
	require.Zero(s.t, shown, "%s opened the row", a.name)
}

// rowsOf returns every row that says something of a patient.
func (s *stack) rowsOf(patient string) map[string][]map[string]any {
	s.t.Helper()
	out := map[string][]map[string]any{}
	for table, rows := range s.dump() {
		for _, row := range rows {
			text, err := json.Marshal(row)
			require.NoError(s.t, err)
			if strings.Contains(string(text), patient) {
				out[table] = append(out[table], row)
			}
		}
	}
	return out
}
