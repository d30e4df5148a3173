package handler_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// Names stand beside the ids of people in every answer, also of disabled accounts. They cause no further event.
func TestNamesStandBesideAllIDsOfPeople(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		const name, author = "Zoë Ann García-López", "Grace Example"
		doctor := s.named(author)
		me := s.do("GET", "/api/v1/auth/me", "")
		patient, mine := s.inCareOf(doctor.id, ada), s.as(doctor.token)
		of := "/api/v1/patients/" + patient
		record := mine.record(patient, `"content":"x",`+phq9)
		mine.sign(record)
		flag := mine.flags(patient, true)[0]
		consent := "/api/v1/consents/" + mine.consent(patient, `,"recipient_id":"`+me.at("id").(string)+`"`)
		disclosed := mine.do("POST", of+"/disclosures", `{"recipient":"Example Hospital","purpose":"Referral"}`)
		require.Equal(t, http.StatusCreated, disclosed.status, disclosed.text)
		key, _ := s.apiKey("patient.read")
		gone := s.do("PATCH", "/api/v1/accounts/"+doctor.id.String(), `{"disabled":true}`, "If-Match: *")
		require.Equal(t, http.StatusOK, gone.status, gone.text)

		for path, want := range map[string]struct {
			at    []string
			names map[string]any
		}{
			records + "/" + record:              {nil, map[string]any{"patient_name": name, "author_name": author, "signed_by_name": author}},
			records + "/" + record + "/history": {[]string{"items"}, map[string]any{"patient_name": name, "author_name": author}},
			records:                             {[]string{"items"}, map[string]any{"patient_name": name, "signed_by_name": author}},
			of + "/medical-records":             {[]string{"items"}, map[string]any{"patient_name": name, "author_name": author}},
			of + "/chart":                       {[]string{"latest_records"}, map[string]any{"patient_name": name, "author_name": author}},
			of + "/chart?":                      {[]string{"risk_flags"}, map[string]any{"patient_name": name, "raised_by_name": author, "resolved_by_name": nil}},
			of + "/risk-flags":                  {[]string{"items"}, map[string]any{"patient_name": name, "raised_by_name": author}},
			of + "/consents":                    {[]string{"items"}, map[string]any{"patient_name": name, "recipient_name": me.at("name"), "recorded_by_name": author}},
			consent:                             {nil, map[string]any{"patient_name": name, "recorded_by_name": author}},
			of + "/disclosures":                 {[]string{"items"}, map[string]any{"patient_name": name, "disclosed_by_name": author, "recipient_name": nil}},
			"/api/v1/api-keys/" + key:           {nil, map[string]any{"account_name": me.at("name")}},
			"/api/v1/practitioners/" + doctor.id.String() + "/availability": {nil, map[string]any{"practitioner_name": author}},
		} {
			request := uuid.NewString()
			r := s.do("GET", path, "", "X-Request-Id: "+request)
			require.Equal(t, http.StatusOK, r.status, "%s: %s", path, r.text)
			shown := r.body
			if want.at != nil {
				shown = r.at(want.at...).([]any)[0].(map[string]any)
			}
			for member, value := range want.names {
				require.Contains(t, shown, member, path)
				require.Equal(t, value, shown[member], "%s: %s", path, member)
			}
			events := s.eventsOf(request)
			require.Len(t, events, 1, path)
			if want.names["patient_name"] != nil {
				require.Contains(t, s.subjectsOf(request), patient, path)
			}
		}
		for _, body := range []string{`{"finding":"Safe","review_at":"2199-01-01T00:00:00Z"}`, `{"finding":"Safe"}`} {
			request := uuid.NewString()
			r := s.do("POST", "/api/v1/risk-flags/"+flag+"/reviews", body, "If-Match: *", "X-Request-Id: "+request)
			require.Equal(t, http.StatusOK, r.status, r.text)
			require.Equal(t, name, r.at("patient_name"))
			require.Len(t, s.eventsOf(request), 1)
		}
		require.Equal(t, me.at("name"), s.do("GET", of+"/risk-flags", "").items()[0].(map[string]any)["resolved_by_name"])

		stranger := s.as(s.named("Alan Example").token)
		r := stranger.do("POST", "/api/v1/break-glass", `{"patient_id":"`+patient+`","reason":"unconscious"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		r = stranger.do("GET", "/api/v1/break-glass", "", "X-Request-Id: emergencies")
		require.Equal(t, name, r.items()[0].(map[string]any)["patient_name"], r.text)
		require.Equal(t, []string{"BTG"}, s.purposesOf("emergencies"), "the name is seen by emergency access")
		require.Equal(t, []string{patient}, s.subjectsOf("emergencies"))
	})
}

// subjectsOf returns the patients that the events of a request name.
func (s *stack) subjectsOf(request string) (ids []string) {
	s.t.Helper()
	require.NoError(s.t, s.db.Raw("SELECT entity_id FROM auditsubject WHERE entity_type = 'patient' AND event_id IN "+
		"(SELECT id FROM auditlog WHERE request_id = ?)", request).Scan(&ids).Error)
	return ids
}

// A name can change while the version of a row that shows it stays the same. After a rename, the answer is sent whole,
// even if the client has the present version.
func TestRenamedPeopleAreShownAtOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		doctor := s.named("Grace Example")
		patient := s.inCareOf(doctor.id, ada)
		series := s.do("POST", "/api/v1/appointment-series", visit(patient, doctor.id.String(), 0, `,"rule":"FREQ=WEEKLY;COUNT=2"`))
		require.Equal(t, http.StatusCreated, series.status, series.text)
		paths := []string{
			s.made(visit(patient, doctor.id.String(), 1, "")), records + "/" + s.as(doctor.token).record(patient, `"kind":"intake"`),
			"/api/v1/practitioners/" + doctor.id.String() + "/availability", series.header.Get("Location"),
		}
		tags := map[string]string{}
		s = s.as(doctor.token)
		for _, path := range paths {
			tags[path] = s.do("GET", path, "").header.Get("ETag")
			if !strings.HasSuffix(path, "/availability") { // no hours are set, so nothing tells when they were
				require.Equal(t, http.StatusNotModified, s.do("GET", path, "", "If-None-Match: "+tags[path]).status, path)
			}
		}
		admin := s.as(s.login("all@example.org"))
		r := admin.do("PATCH", "/api/v1/accounts/"+doctor.id.String(), `{"name":"Grace Renamed"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		r = admin.do("PATCH", "/api/v1/patients/"+patient, `{"last_name":"Renamed"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		for _, path := range paths {
			r := s.do("GET", path, "", "If-None-Match: "+tags[path])
			require.Equal(t, http.StatusOK, r.status, path)
			require.Equal(t, tags[path], r.header.Get("ETag"), "it goes into If-Match: %s", path)
			require.Contains(t, r.text, `"Grace Renamed"`, path)
			require.Equal(t, strings.Contains(r.text, `"patient_name"`), strings.Contains(r.text, `"Zoë Ann Renamed"`), path)
			if r.at("id") != nil && r.at("appointments") == nil {
				require.Equal(t, http.StatusOK, s.do("PUT", path, r.text, "If-Match: "+tags[path]).status, path)
			}
		}
	})
}

// A pointer is a member (/to), a parameter (?to), or the name of a header or a setting.
func TestPointersHaveOneForm(t *testing.T) {
	t.Parallel()
	literal := regexp.MustCompile(`(?:\bv\.[a-z]\w*\(|Pointer: )"([^"]*)"`)
	found := 0
	for _, folder := range []string{".", "../service"} {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, match := range literal.FindAllStringSubmatch(string(source), -1) {
				found++
				require.Regexp(t, `^([/?]|If-Match$|NOVAMIND_)`, match[1], name)
			}
		}
	}
	require.Greater(t, found, 50)
}
