package handler_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

// A body that the document forbids is refused, and changes nothing.
func TestBodiesThatTheDocumentForbidsAreRefused(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		doctor := s.named("Grace Example")
		patient := s.inCareOf(doctor.id, ada)
		hours := "/api/v1/practitioners/" + doctor.id.String() + "/availability"
		booking := func(patient, more string) string {
			return visit(patient, doctor.id.String(), 0, more)
		}
		for name, test := range map[string]struct {
			method, path, body string
			want               []string
		}{
			"lists that are absent": {"PUT", hours, `{"time_zone":"UTC"}`, []string{
				"/weekly required", "/exceptions required", "/time_off required",
			}},
			"nothing":          {"PUT", hours, `{}`, []string{"/time_zone required", "/weekly required", "/exceptions required", "/time_off required"}},
			"a UUID in braces": {"POST", "/api/v1/appointments", booking("{"+patient+"}", ""), []string{"/patient_id invalid_format"}},
			"a UUID as URN":    {"POST", "/api/v1/appointments", booking("urn:uuid:"+patient, ""), []string{"/patient_id invalid_format"}},
			"a UUID without dashes": {
				"POST", "/api/v1/appointments", booking(strings.ReplaceAll(patient, "-", ""), ""), []string{"/patient_id invalid_format"},
			},
			"empty words": {"POST", "/api/v1/appointments", booking(patient, `,"type":"","modality":"","status":""`), []string{
				"/type unknown_value", "/modality unknown_value", "/status unknown_value",
			}},
			"texts too long": {
				"POST", "/api/v1/appointments", booking(patient, `,"reason":"`+strings.Repeat("x", 201)+`","type":"nope"`),
				[]string{"/reason too_long", "/type unknown_value"},
			},
			"a page too long": {"POST", "/api/v1/patients/search", `{"limit":201,"first_name":5,"date_of_birth":"x"}`, []string{
				"/limit out_of_range", "/first_name wrong_type", "/date_of_birth date",
			}},
			"a member that goes with a faulty one": {
				"POST", "/api/v1/appointments", booking(patient, `,"modality":"Video","video_url":"https://video.example.org/1"`),
				[]string{"/modality unknown_value"},
			},
			"a pending series": {
				"POST", "/api/v1/appointment-series", booking(patient, `,"rule":"FREQ=DAILY;COUNT=2","status":"pending"`),
				[]string{"/status unknown_value"},
			},
			"an empty filter": {"POST", "/api/v1/patients/search", `{"email":"","sort":"nope"}`, []string{"/email empty", "/sort unknown_value"}},
		} {
			before := s.dump()
			r := s.do(test.method, test.path, test.body, "If-Match: *")
			require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s: %s", name, r.text)
			require.ElementsMatch(t, test.want, r.faults(), "%s: %s", name, r.text)
			require.Equal(t, before, s.dump(), name)
		}
	})
}

// The faults of a list's page, order and filters are reported together.
func TestAllFaultsOfAListAreToldAtOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t, anyDatabase(t))
	for address, want := range map[string][]string{
		"/api/v1/appointments?limit=0&status=nope&sort=id":                    {"?limit out_of_range", "?status unknown_value", "?sort unknown_value"},
		"/api/v1/appointments?limit=0&cursor=x&fields=y":                      {"?limit out_of_range", "?fields unknown_value"},
		"/api/v1/patients?limit=0&sort=id&updated_since=2026-01-01T00:00:00Z": {"?limit out_of_range", "?sort unexpected"},
		"/api/v1/patients?limit=0&date_of_birth=x&sort=nope":                  {"?sort unknown_value", "?limit out_of_range"},
		"/api/v1/patients?limit=0&date_of_birth=x":                            {"?limit out_of_range", "?date_of_birth date"},
		"/api/v1/patients?updated_since=2026-01-01T00:00:00%2B24:00":          {"?updated_since wrong_type"},
	} {
		r := s.do("GET", address, "")
		require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
		require.ElementsMatch(t, want, r.faults(), address)
	}
}

// denials returns the number of events of refused requests.
func (s *stack) denials() (n int64) {
	s.t.Helper()
	require.NoError(s.t, s.db.Raw("SELECT count(*) FROM auditlog WHERE outcome = 'denied'").Scan(&n).Error)
	return n
}

// A caller without the permission gets the denial even if the request has faults too. The denial is recorded.
func TestThePermissionComesBeforeTheFaults(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		desk := s.person("desk@example.org", service.RoleFrontDesk)
		for _, request := range [][]string{
			{"POST", "/api/v1/medical-records", `{}`},
			{"POST", "/api/v1/medical-records", `{"` + canary + `":`},
			{"GET", "/api/v1/medical-records?limit=0&nope=1", ""},
			{"GET", "/api/v1/medical-records/none", ""},
			{"PATCH", "/api/v1/medical-records/01890a5d-ac96-774b-bcce-b302099a8057", `{"title":7}`},
			{"POST", "/api/v1/accounts", `{}`},
			{"DELETE", "/api/v1/api-keys/x?y=z", ""},
		} {
			before := s.denials()
			r := s.as(desk.token).do(request[0], request[1], request[2])
			require.Equal(t, http.StatusForbidden, r.status, "%s: %s", request, r.text)
			require.Empty(t, r.faults())
			require.Equal(t, before+1, s.denials(), request)
		}
		r := s.as(desk.token).do("POST", "/api/v1/patients", `{}`)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, "the front desk may register patients")
	})
}
