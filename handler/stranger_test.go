package handler_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/service"
)

// theirs are the ids and cursors of another clinician's rows, by their names in an attempt.
type theirs map[string]string

// ofNobody returns ids of no rows in place of theirs.
func (o theirs) ofNobody() theirs {
	out := theirs{}
	for name, value := range o {
		if _, err := uuid.Parse(value); err == nil {
			value = uuid.NewString()
		}
		out[name] = value
	}
	return out
}

// attempt is a request by a clinician about another clinician's rows. ":patient" and other names stand for the
// other's rows. ":me" is the caller's account, and ":my…" are the caller's own rows.
type attempt struct {
	name, method, path, body, header string
	want                             int
}

// beta is a full set of data of the other clinician's patient.
const beta = `{"first_name":"Zcanary","last_name":"Zcanarysson","date_of_birth":"1971-01-07",` +
	`"contact_info":{"email":"zcanary@example.org","phone":"(212) 555-0177"}}`

// attempts are the requests of one clinician about another's patients. A request for one resource gets the same
// answer as if it did not exist.
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
	{"their cursor", "GET", "/patients?limit=200&cursor=:cursor", "", "", 200},
	{"their idempotency key, other body", "POST", "/patients", another(ada), "Idempotency-Key: theirs", 201},
	{"their emergencies", "GET", "/break-glass", "", "", 200},
	{"their account", "GET", "/accounts/:them", "", "", 403},
	{"their account, changed", "PATCH", "/accounts/:them", `{"disabled":true}`, "If-Match: *", 403},
	{"their password", "POST", "/accounts/:them/reset", `{}`, "", 403},
}

// clinicalAttempts are the same for appointments and records.
var clinicalAttempts = []attempt{
	{"appointment by id", "GET", "/appointments/:appointment", "", "", 404},
	{"appointment, a version that they may have", "GET", "/appointments/:appointment", "", `If-None-Match: "1"`, 404},
	{"appointment, changed", "PATCH", "/appointments/:appointment", `{"reason":"mine"}`, `If-Match: "1"`, 404},
	{"appointment, changed in a stale version", "PATCH", "/appointments/:appointment", `{"reason":"mine"}`, `If-Match: "99"`, 404},
	{"appointment, replaced", "PUT", "/appointments/:appointment", slot, "If-Match: *", 404},
	{"appointment, taken over", "PATCH", "/appointments/:appointment", `{"practitioner_id":":me"}`, "If-Match: *", 404},
	{"appointment, cancelled", "POST", "/appointments/:appointment/transitions", `{"to":"cancelled","reason":"mine"}`, "If-Match: *", 404},
	{"appointment, all following", "PATCH", "/appointments/:repeated?following=true", `{"reason":"mine"}`, "If-Match: *", 404},
	{"series by id", "GET", "/appointment-series/:series", "", "", 404},
	{"booking their patient", "POST", "/appointments", `{"patient_id":":patient","practitioner_id":":me",` + slotRest + `}`, "", 404},
	{"booking their patient, repeatable", "POST", "/appointments", `{"patient_id":":patient","practitioner_id":":me",` + slotRest + `}`, "Idempotency-Key: theirs", 404},
	{"booking their patient with them", "POST", "/appointments", `{"patient_id":":patient","practitioner_id":":them",` + slotRest + `}`, "", 404},
	{"booking a batch", "POST", "/appointment-series", `{"patient_id":":patient","practitioner_id":":me",` + slotRest + `,"rule":"FREQ=WEEKLY;COUNT=3"}`, "", 404},
	{"previewing a batch", "POST", "/appointment-series/preview", `{"patient_id":":patient","practitioner_id":":them",` + slotRest + `,"rule":"FREQ=WEEKLY;COUNT=3"}`, "", 404},
	{"moving one's own to their patient", "PATCH", "/appointments/:myappointment", `{"patient_id":":patient"}`, "If-Match: *", 422},
	{"nested: appointments", "GET", "/patients/:patient/appointments", "", "", 404},
	{"nested: appointments of a practitioner", "GET", "/patients/:patient/appointments?practitioner_id=:them", "", "", 404},
	{"appointments", "GET", "/appointments?limit=200", "", "", 200},
	{"appointments by practitioner", "GET", "/appointments?practitioner_id=:them", "", "", 200},
	{"appointments by series", "GET", "/appointments?series_id=:series", "", "", 404},
	{"appointments by patient", "GET", "/appointments?patient_id=:patient", "", "", 404},
	{"appointments by day", "GET", "/appointments?day=2035-03-05", "", "", 200},
	{"appointments by status and time", "GET", "/appointments?status=booked&from=2035-01-01T00:00:00Z&to=2036-01-01T00:00:00Z", "", "", 200},

	{"record by id", "GET", "/medical-records/:draft", "", "", 404},
	{"record by id, rendered", "GET", "/medical-records/:draft?render=html", "", "", 404},
	{"record, a version that they may have", "GET", "/medical-records/:draft", "", `If-None-Match: "1"`, 404},
	{"record, changed", "PATCH", "/medical-records/:draft", `{"content":"mine"}`, `If-Match: "1"`, 404},
	{"record, changed in a stale version", "PATCH", "/medical-records/:draft", `{"content":"mine"}`, `If-Match: "99"`, 404},
	{"record, replaced", "PUT", "/medical-records/:draft", `{"kind":"progress_note","title":"mine","content":"mine"}`, "If-Match: *", 404},
	{"record, signed", "POST", "/medical-records/:draft/sign", "", "If-Match: *", 404},
	{"record, amended", "POST", "/medical-records/:signed/amendments", `{"amendment_reason":"mine"}`, "", 404},
	{"record, marked wrong", "POST", "/medical-records/:signed/entered-in-error", `{"reason":"mine"}`, "If-Match: *", 404},
	{"record, its history", "GET", "/medical-records/:signed/history", "", "", 404},
	{"psychotherapy note", "GET", "/medical-records/:note", "", "", 404},
	{"writing about their patient", "POST", "/medical-records", `{"patient_id":":patient","kind":"intake","title":"mine"}`, "", 404},
	{"writing about their patient, repeatable", "POST", "/medical-records", `{"patient_id":":patient","kind":"intake","title":"mine"}`, "Idempotency-Key: theirs", 404},
	{"nested: records", "GET", "/patients/:patient/medical-records", "", "", 404},
	{"nested: records of one kind", "GET", "/patients/:patient/medical-records?kind=psychotherapy_note", "", "", 404},
	{"nested: consents", "GET", "/patients/:patient/consents", "", "", 404},
	{"nested: a consent given", "POST", "/patients/:patient/consents", `{"kind":"part2","purpose":"Treatment"}`, "", 404},
	{"nested: consents, revoked", "DELETE", "/patients/:patient/consents", "", "", 404},
	{"nested: disclosures", "GET", "/patients/:patient/disclosures", "", "", 404},
	{"nested: a disclosure noted", "POST", "/patients/:patient/disclosures", `{"recipient":"Me","purpose":"Treatment"}`, "", 404},
	{"nested: risk flags", "GET", "/patients/:patient/risk-flags", "", "", 404},
	{"consent by id", "GET", "/consents/:consent", "", "", 404},
	{"consent, revoked", "POST", "/consents/:consent/revocation", "", "If-Match: *", 404},
	{"risk flag, reviewed", "POST", "/risk-flags/:flag/reviews", `{"finding":"mine"}`, "If-Match: *", 404},
	{"records", "GET", "/medical-records?limit=200", "", "", 200},
	{"records by author", "GET", "/medical-records?author_id=:them", "", "", 200},
	{"records by kind", "GET", "/medical-records?kind=progress_note", "", "", 200},
	{"records by appointment", "GET", "/medical-records?appointment_id=:appointment", "", "", 404},
	{"records by patient", "GET", "/medical-records?patient_id=:patient", "", "", 404},
}

// slotRest is an appointment without its people.
const slotRest = `"starts_at":"2035-03-06T09:00:00Z","ends_at":"2035-03-06T10:00:00Z","time_zone":"UTC","type":"individual","modality":"video"`

// Two clinicians have patients of their own. Whatever one requests about the other's patients, nothing is shown or
// changed, and the log has the attempt.
func TestStrangersGetNothing(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		them, me := s.person("them@example.org", service.RoleClinician), s.person("me@example.org", service.RoleClinician)
		other := s.belongings(them, me)
		require.Equal(t, 201, s.as(them.token).do("POST", "/api/v1/break-glass",
			`{"patient_id":"`+s.inCareOf(me.id, ada)+`","reason":"unconscious"}`).status)
		theirRows := s.rowsOf(other["patient"])
		nobody := other.ofNobody()
		all := slices.Concat(attempts, clinicalAttempts)
		for i, a := range all {
			request := "attempt-" + strconv.Itoa(i)
			r := s.try(a, me, them, other, request)
			require.Equal(t, a.want, r.status, "%s: %s", a.name, r.text)
			require.NotContains(t, strings.ToLower(r.text), "zcanary", a.name)
			require.NotContains(t, r.text, other["patient"], a.name)
			require.Nil(t, r.at("next_cursor"), a.name)
			s.requireRecorded(request, a, me, other["patient"])
			require.Equal(t, theirRows, s.rowsOf(other["patient"]), a.name)
			// The same answer as for a missing row, apart from parts that differ between any two answers.
			if a.want == http.StatusNotFound {
				absent := s.try(a, me, them, nobody, request+"-absent")
				for _, answer := range []reply{absent, r} {
					delete(answer.body, "request_id")
					for _, name := range []string{"X-Request-Id", "Date", "Content-Length"} {
						answer.header.Del(name)
					}
				}
				require.Equal(t, absent.status, r.status, a.name)
				require.Equal(t, absent.body, r.body, a.name)
				require.Equal(t, absent.header, r.header, a.name)
			}
		}
		t.Logf("%d attempts", len(all))
	})
}

// belongings makes a patient of them with every kind of row, and an appointment of mine.
func (s *stack) belongings(them, me caller) theirs {
	s.t.Helper()
	one := s.as(them.token)
	patient := s.inCareOf(them.id, beta)
	require.Equal(s.t, http.StatusCreated, one.do("POST", "/api/v1/patients", strings.Replace(beta, "-01-07", "-01-08", 1), "Idempotency-Key: theirs").status)
	made := func(r reply) string {
		s.t.Helper()
		require.Equal(s.t, http.StatusCreated, r.status, r.text)
		return r.at("id").(string)
	}
	series := made(s.do("POST", "/api/v1/appointment-series", visit(patient, them.id.String(), 24, `,"reason":"zcanary","rule":"FREQ=WEEKLY;COUNT=2"`)))
	o := theirs{
		"patient":     patient,
		"cursor":      one.do("GET", "/api/v1/patients?limit=1", "").at("next_cursor").(string),
		"appointment": made(s.do("POST", "/api/v1/appointments", visit(patient, them.id.String(), 0, `,"reason":"zcanary"`))),
		"series":      series,
		"repeated":    s.do("GET", "/api/v1/appointments?series_id="+series, "").ids()[0],
		"draft":       one.record(patient, `"kind":"progress_note","content":"Zcanary"`),
		"signed":      one.record(patient, `"kind":"progress_note","content":"Zcanary"`),
		"note":        one.record(patient, `"kind":"psychotherapy_note","sensitivity":"psychotherapy","content":"Zcanary"`),
		"consent":     made(one.do("POST", "/api/v1/patients/"+patient+"/consents", `{"kind":"part2","purpose":"Treatment"}`)),

		"myappointment": s.booked(me, "/api/v1/appointments", "").at("id").(string),
	}
	one.record(patient, phq9)
	o["flag"] = one.do("GET", "/api/v1/patients/"+patient+"/risk-flags", "").ids()[0]
	one.sign(o["signed"])
	return o
}

func (s *stack) try(a attempt, me, them caller, other theirs, request string) reply {
	s.t.Helper()
	names := []string{":PATIENT", strings.ToUpper(other["patient"]), ":them", them.id.String()}
	for name, value := range other {
		names = append(names, ":"+name, value)
	}
	fill := strings.NewReplacer(append(names, ":me", me.id.String())...)
	headers := []string{"X-Request-Id: " + request}
	if a.header != "" {
		headers = append(headers, strings.Split(a.header, "; ")...)
	}
	return s.as(me.token).do(a.method, "/api/v1"+fill.Replace(a.path), fill.Replace(a.body), headers...)
}

// requireRecorded requires the event of an attempt: a denial, or a list that showed none of their patients.
func (s *stack) requireRecorded(request string, a attempt, me caller, patient string) {
	s.t.Helper()
	var events []struct{ Outcome string }
	require.NoError(s.t, s.db.Raw("SELECT outcome FROM auditlog WHERE request_id = ? AND user_id = ?", request, me.id).Scan(&events).Error)
	require.NotEmpty(s.t, events, "%s leaves no event", a.name)
	if a.want == http.StatusForbidden || a.want == http.StatusNotFound {
		require.Equal(s.t, "denied", events[0].Outcome, a.name)
	}
	if strings.Contains(a.path, "?patient_id=") || strings.Contains(a.path, "?series_id=") || strings.Contains(a.path, "?appointment_id=") {
		var named int64
		require.NoError(s.t, s.db.Raw("SELECT count(*) FROM auditsubject WHERE entity_id = ? AND event_id IN (SELECT id FROM auditlog WHERE request_id = ?)",
			patient, request).Scan(&named).Error)
		require.EqualValues(s.t, 1, named, "the denial of %s names the patient", a.name)
	}
	var shown int64
	require.NoError(s.t, s.db.Raw("SELECT count(*) FROM auditsubject WHERE entity_id = ? AND event_id IN (SELECT id FROM auditlog WHERE request_id = ? AND outcome <> 'denied')",
		patient, request).Scan(&shown).Error)
	require.Zero(s.t, shown, "%s opened the row", a.name)
}

// rowsOf returns every row that contains data of a patient.
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
