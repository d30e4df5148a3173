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

// A request with several faults is told of all of them at once, whatever their kinds.
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
			"a new password":      {"POST", "/api/v1/auth/redeem", `{}`, []string{"/token required", "/password too_short"}},
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

// faulty is a body with several faults, and what is said of each.
type faulty struct {
	route, body string
	faults      []string
}

// aboutAccounts are bodies for every route of accounts, logins and API keys that takes one.
var aboutAccounts = []faulty{
	{"POST /api/v1/auth/login", `{}`, []string{"/email required", "/password required"}},
	{
		"POST /api/v1/auth/login", `{"email":null,"` + canary + `":"x"}`,
		[]string{"/email required", "/password required", " unknown_member"},
	},
	{"POST /api/v1/auth/redeem", `{}`, []string{"/token required", "/password too_short"}},
	{"POST /api/v1/auth/redeem", `{"password":"` + canary + `"}`, []string{"/token required", "/password too_short"}},
	{"POST /api/v1/auth/password", `{}`, []string{"/current_password required", "/new_password too_short"}},
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
	{"POST /api/v1/api-keys", `{}`, []string{"/name required", "/scopes required", "/expires_at out_of_range"}},
	{
		"POST /api/v1/api-keys", `{"name":7,"scopes":["` + canary + `"],"expires_at":"2190-01-01T00:00:00Z"}`,
		[]string{"/name wrong_type", "/scopes/0 unknown_scope", "/expires_at out_of_range"},
	},
}

// Every route of accounts, logins and API keys tells all faults of a body at once, and does nothing.
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

// routesWithBodies returns the routes under these paths that take a body, by the document, sorted.
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
