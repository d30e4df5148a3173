package handler_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/handler"
	"novamind/service"
)

// faults returns the pointers and codes of a problem.
func (r reply) faults() (out []string) {
	listed, _ := r.at("errors").([]any)
	for _, fault := range listed {
		members, _ := fault.(map[string]any)
		out = append(out, members["pointer"].(string)+" "+members["code"].(string))
	}
	return out
}

// A request with several faults gets all of them at once, also faults of different kinds.
func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		for name, test := range map[string]struct {
			method, path, body string
			want               []string
		}{
			"nothing there": {"POST", "/api/v1/patients", `{}`, []string{
				"/first_name required", "/last_name required", "/date_of_birth required", "/contact_info required",
			}},
			"all kinds": {"POST", "/api/v1/patients?" + canary + "=1", `{"` + canary + `":1,"first_name":7,"date_of_birth":"1980-02-30",
				"contact_info":{"email":"` + canary + `","phone":null,"` + canary + `":1},"address":{"street":"x","city":9},"allow_duplicate":true}`, []string{
				"? unknown_parameter", " unknown_member", "/first_name wrong_type", "/contact_info unknown_member",
				"/address/city wrong_type", "/last_name required", "/date_of_birth date", "/contact_info/email email",
				"/address/state required", "/address/zip_code required", "/duplicate_reason required",
			}},
			"replaced": {"PUT", "/api/v1/patients/" + id + "?x=1", `{"first_name":7,"date_of_birth":"1980-02-30","contact_info":{}}`, []string{
				"/first_name wrong_type", "/last_name required", "/date_of_birth date", "/contact_info required", "? unknown_parameter",
			}},
			"what the server sets": {"PUT", "/api/v1/patients/" + id, `{"version":9,"first_name":"","last_name":"x","date_of_birth":"1980-02-03",` +
				`"contact_info":{"phone":"(212) 555-0123"}}`, []string{"/version read_only", "/first_name required"}},
			"what the server sets, patched": {"PATCH", "/api/v1/patients/" + id, `{"version":9,"first_name":""}`, []string{
				"/version read_only", "/first_name required",
			}},
			"a member and a rule": {"POST", "/api/v1/patients/" + id + "/merge", `{"reason":""}`, []string{"/reason required", "/into_id required"}},
			"a new password":      {"POST", "/api/v1/auth/redeem", `{}`, []string{"/token required", "/password required"}},
			"parameters":          {"GET", "/api/v1/patients?limit=x&sort=y&fields=z&" + canary + "=1", "", []string{"? unknown_parameter", "?sort unknown_value", "?limit wrong_type", "?fields unknown_value"}},
			"a date alone":        {"GET", "/api/v1/patients?date_of_birth=1980-02-03", "", []string{"?date_of_birth name_required"}},
			"a date alone, sent":  {"POST", "/api/v1/patients/search", `{"date_of_birth":"1980-02-03"}`, []string{"/date_of_birth name_required"}},
			"purged for nothing":  {"DELETE", "/api/v1/patients/" + id + "?purge=true", "", []string{"?reason required"}},
		} {
			r := s.do(test.method, test.path, test.body, "If-Match: *")
			require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s: %s", name, r.text)
			require.ElementsMatch(t, test.want, r.faults(), "%s: %s", name, r.text)
			require.NotContains(t, r.text, canary, name)
		}
	})
}

// faulty is a body with several faults, and the expected faults.
type faulty struct {
	route, body string
	faults      []string
}

// aboutAccounts are bodies for every route of accounts, logins and API keys that takes a body.
var aboutAccounts = []faulty{
	{"POST /api/v1/auth/login", `{}`, []string{"/email required", "/password required"}},
	{
		"POST /api/v1/auth/login", `{"email":null,"` + canary + `":"x"}`,
		[]string{"/email required", "/password required", " unknown_member"},
	},
	{"POST /api/v1/auth/redeem", `{}`, []string{"/token required", "/password required"}},
	{"POST /api/v1/auth/redeem", `{"password":"` + canary + `"}`, []string{"/token required", "/password too_short"}},
	{"POST /api/v1/auth/password", `{}`, []string{"/current_password required", "/new_password required"}},
	{
		"POST /api/v1/auth/password", `{"new_password":"` + canary + `"}`,
		[]string{"/current_password required", "/new_password too_short"},
	},
	{
		"POST /api/v1/auth/password", `{"current_password":"` + canary + `","new_password":"` + canary + `"}`,
		[]string{"/new_password too_short", "/new_password unchanged"},
	},
	{"POST /api/v1/auth/totp", `{}`, []string{"/current_password required"}},
	{"POST /api/v1/auth/totp/confirm", `{}`, []string{"/totp required"}},
	{"POST /api/v1/auth/totp/disable", `{}`, []string{"/current_password required", "/totp required"}},
	{"POST /api/v1/auth/recovery-codes", `{}`, []string{"/current_password required", "/totp required"}},
	{"POST /api/v1/accounts", `{}`, []string{"/email required", "/name required", "/roles required"}},
	{
		"POST /api/v1/accounts", `{"email":"` + canary + `","name":" ","roles":["admin","` + canary + `"],"password":"short"}`,
		[]string{"/email email", "/name required", "/roles/1 unknown_role", "/password too_short"},
	},
	{
		"POST /api/v1/accounts", `{"id":1,"name":7,"roles":["` + canary + `"],"password":"short"}`,
		[]string{" unknown_member", "/name wrong_type", "/email required", "/roles/0 unknown_role", "/password too_short"},
	},
	{
		"PATCH /api/v1/accounts/:id",
		`{"id":"01890a5d-ac96-774b-bcce-b302099a8057","version":99,"must_change_password":true,"mfa":true,"email":"` + canary +
			`","name":"","roles":[]}`,
		[]string{
			"/id read_only", "/version read_only", "/must_change_password read_only", "/mfa read_only",
			"/email email", "/name required", "/roles required",
		},
	},
	{"PATCH /api/v1/accounts/:id", `{"name":"","roles":[]}`, []string{"/name required", "/roles required"}},
	{"POST /api/v1/accounts/:id/reset", `{"password":"` + canary + `"}`, []string{"/password too_short"}},
	{"POST /api/v1/accounts/:id/reset", `{"link":1,"password":"short"}`, []string{" unknown_member", "/password too_short"}},
	{"POST /api/v1/api-keys", `{}`, []string{"/name required", "/scopes required", "/expires_at required"}},
	{
		"POST /api/v1/api-keys", `{"name":7,"scopes":["` + canary + `"],"expires_at":"2190-01-01T00:00:00Z"}`,
		[]string{"/name wrong_type", "/scopes/0 unknown_scope", "/expires_at out_of_range"},
	},
}

// Every route of accounts, logins and API keys reports all faults of a body at once, and changes nothing.
func TestAllFaultsAboutAccountsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		me := s.person("me@example.org", service.Roles()...)
		tried := map[string]bool{}
		for _, f := range aboutAccounts {
			method, path, _ := strings.Cut(f.route, " ")
			if rest, ok := strings.CutPrefix(path, "/api/v1/accounts/:id"); ok {
				path = accountPath(rest)(s, me)
			}
			before := s.dump()
			r := s.as(me.token).do(method, path, f.body, "If-Match: *")
			require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s: %s", f.route, r.text)
			require.Equal(t, "request.invalid", r.at("code"), f.route)
			require.ElementsMatch(t, f.faults, r.faults(), "%s %s", f.route, f.body)
			require.NotContains(t, r.text, canary, f.route)
			require.Equal(t, before, s.dump(), f.route)
			tried[f.route] = true
		}
		takeBodies := routesWithBodies(t, "/api/v1/auth/", "/api/v1/accounts", "/api/v1/api-keys")
		require.Equal(t, takeBodies, slices.Sorted(maps.Keys(tried)))
	})
}

// aboutCare are bodies for every route of appointments, records, consents, disclosures, risk flags, emergencies and
// reviews whose body has rules. Each body breaks some of the rules, and has one member that does not fit.
var aboutCare = []faulty{
	{
		"POST /api/v1/appointments", `{"patient_id":7,` + backwards + `,"practitioner_id":"PATIENT","modality":"x"}`,
		[]string{"/patient_id wrong_type", "/ends_at too_early", "/modality unknown_value"},
	},
	{
		"POST /api/v1/appointments", `{"patient_id":"PATIENT",` + backwards + `,"practitioner_id":"PATIENT","status":"arrived"}`,
		[]string{"/ends_at too_early", "/status unknown_value"},
	},
	{
		"PUT /api/v1/appointments/APPOINTMENT", `{"practitioner_id":7,` + backwards + `,"modality":"x"}`,
		[]string{"/practitioner_id wrong_type", "/ends_at too_early", "/modality unknown_value", "/patient_id required"},
	},
	{
		"POST /api/v1/appointments/APPOINTMENT/transitions", `{"to":"x","reason":"` + strings.Repeat("x", 201) + `","following":7}`,
		[]string{"/to unknown_value", "/reason too_long", "/following wrong_type"},
	},
	{
		"POST /api/v1/appointment-series", `{"patient_id":"PATIENT","practitioner_id":7,` + backwards + `,"rule":"x"}`,
		[]string{"/practitioner_id wrong_type", "/ends_at too_early", "/rule rule"},
	},
	{
		"POST /api/v1/appointment-series/preview", `{"patient_id":"PATIENT","practitioner_id":7,` + backwards + `,"rule":"x"}`,
		[]string{"/practitioner_id wrong_type", "/ends_at too_early", "/rule rule"},
	},
	{
		"PUT /api/v1/practitioners/DOCTOR/availability",
		`{"time_zone":7,"weekly":[{"weekday":"monday","from":"9","to":"10:00"}],"exceptions":[{"date":"x","hours":[]}],"time_off":[]}`,
		[]string{"/time_zone wrong_type", "/weekly/0/from time_of_day", "/exceptions/0/date date"},
	},
	{
		"PUT /api/v1/practitioners/DOCTOR/availability",
		`{"time_zone":"x","weekly":[],"exceptions":[{"date":"x","hours":[]}],"time_off":[]}`,
		[]string{"/time_zone time_zone", "/exceptions/0/date date"},
	},
	{
		"POST /api/v1/medical-records", `{"kind":"x","sensitivity":"x","title":7}`,
		[]string{"/kind unknown_value", "/sensitivity unknown_value", "/title wrong_type", "/patient_id required"},
	},
	{
		"POST /api/v1/medical-records", `{"patient_id":"PATIENT","kind":7,"sensitivity":"psychotherapy","questionnaire":{"instrument":"x","answers":[]}}`,
		[]string{"/kind wrong_type", "/questionnaire/instrument unknown_value"},
	},
	{
		"PUT /api/v1/medical-records/DRAFT", `{"kind":"x","sensitivity":"x","title":7}`,
		[]string{"/kind unknown_value", "/sensitivity unknown_value", "/title wrong_type"},
	},
	{
		"POST /api/v1/medical-records/FINAL/amendments", `{"amendment_reason":"","occurred_at":"2199-01-01T00:00:00Z","title":7}`,
		[]string{"/amendment_reason required", "/occurred_at future_date", "/title wrong_type"},
	},
	{
		"POST /api/v1/medical-records/FINAL/amendments", `{"amendment_reason":"","occurred_at":"2199-01-01T00:00:00Z"}`,
		[]string{"/amendment_reason required", "/occurred_at future_date"},
	},
	{
		"POST /api/v1/medical-records/FINAL/entered-in-error", `{"reason":"","` + canary + `":1}`,
		[]string{"/reason required", " unknown_member"},
	},
	{
		"POST /api/v1/patients/PATIENT/consents", `{"kind":"x","purpose":"","expires_at":7}`,
		[]string{"/kind unknown_value", "/purpose required", "/expires_at wrong_type"},
	},
	{
		"POST /api/v1/patients/PATIENT/disclosures", `{"recipient":"","purpose":"","disclosed_at":7}`,
		[]string{"/recipient required", "/purpose required", "/disclosed_at wrong_type"},
	},
	{
		"POST /api/v1/risk-flags/FLAG/reviews", `{"finding":"","review_at":"2000-01-01T00:00:00Z","` + canary + `":1}`,
		[]string{"/finding required", "/review_at past_date", " unknown_member"},
	},
	{
		"POST /api/v1/break-glass", `{"first_name":"","last_name":"x","date_of_birth":7,"reason":""}`,
		[]string{"/first_name required", "/date_of_birth wrong_type", "/reason required"},
	},
	{
		"POST /api/v1/break-glass", `{"patient_id":7,"reason":""}`,
		[]string{"/patient_id wrong_type", "/reason required"},
	},
	{
		"POST /api/v1/audit-reviews/2001-W07/sign-off", `{"note":"` + strings.Repeat("x", 201) + `","` + canary + `":1}`,
		[]string{"/note too_long", " unknown_member"},
	},
	{
		"POST /api/v1/patients/PATIENT/merge", `{"into_id":7,"reason":""}`,
		[]string{"/into_id wrong_type", "/reason required"},
	},
	{
		"POST /api/v1/patients/PATIENT/unmerge", `{"reason":"","` + canary + `":1}`,
		[]string{"/reason required", " unknown_member"},
	},
}

const backwards = `"starts_at":"2035-03-05T09:00:00Z","ends_at":"2035-03-05T08:00:00Z"`

// Every route about care reports all faults of a body at once, of form and of rules, and changes nothing.
func TestAllFaultsAboutCareAreToldAtOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		doctor := s.named("Grace Example")
		patient := s.inCareOf(doctor.id, ada)
		record := s.record(patient, `"content":"x",`+phq9)
		s.sign(record)
		booked := s.made(visit(patient, doctor.id.String(), 0, ""))
		fixtures := strings.NewReplacer("PATIENT", patient, "DOCTOR", doctor.id.String(), "FINAL", record,
			"DRAFT", s.record(patient, `"kind":"intake"`), "FLAG", s.flags(patient, true)[0],
			"APPOINTMENT", booked[strings.LastIndex(booked, "/")+1:])
		patterns := strings.NewReplacer("practitioners/DOCTOR", "practitioners/:id", "2001-W07", ":week", "PATIENT", ":id",
			"FINAL", ":id", "DRAFT", ":id", "FLAG", ":id", "APPOINTMENT", ":id")
		tried := map[string]bool{}
		for _, f := range aboutCare {
			method, path, _ := strings.Cut(f.route, " ")
			before := s.dump()
			r := s.do(method, fixtures.Replace(path), fixtures.Replace(f.body), "If-Match: *")
			require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s: %s", f.route, r.text)
			require.ElementsMatch(t, f.faults, r.faults(), "%s %s", f.route, f.body)
			require.NotContains(t, r.text, canary, f.route)
			require.Equal(t, before, s.dump(), f.route)
			tried[patterns.Replace(f.route)] = true
		}
		takeBodies := slices.DeleteFunc(routesWithBodies(t, "/api/v1/appointment", "/api/v1/practitioners", "/api/v1/medical-records",
			"/api/v1/patients/{id}/", "/api/v1/consents", "/api/v1/risk-flags", "/api/v1/break-glass", "/api/v1/audit-reviews",
		), func(route string) bool {
			return strings.HasPrefix(route, "PATCH ") || // the rules depend on the row
				route == "POST /api/v1/patients/:id/clinicians" // its only rule asks the database
		})
		require.Equal(t, takeBodies, slices.Sorted(maps.Keys(tried)))
	})
}

// routesWithBodies returns the routes under these paths that take a body according to the document, sorted.
func routesWithBodies(t *testing.T, under ...string) []string {
	t.Helper()
	text, err := handler.OpenAPI()
	require.NoError(t, err)
	var routes []string
	for path, operations := range readDocument(t, string(text)).Paths {
		for method, op := range operations {
			about := slices.ContainsFunc(under, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
			if about && op.RequestBody != nil {
				routes = append(routes, strings.ToUpper(method)+" "+strings.NewReplacer("{", ":", "}", "").Replace(path))
			}
		}
	}
	return slices.Sorted(slices.Values(routes))
}
