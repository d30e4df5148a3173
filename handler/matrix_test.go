package handler_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// The callers of a route, besides lists of roles.
const (
	anyone      = "anyone"     // without login
	everybody   = "everybody"  // with any login or API key, whatever its roles
	firstTime   = "first time" // with any login of a person, also before the first password was changed
	nobodyAlone = "several"    // no single role is enough
)

// rule states the callers that may call a route, and the outcome of their call. Every route needs a rule, so adding a
// route means adding a line.
type rule struct {
	who  string // anyone, everybody, firstTime, or roles separated by spaces, one of which is enough
	want int    // the status for permitted callers
	// path makes the rows that a call needs, and returns the path and query for a caller. If it is nil, the path is
	// the pattern.
	path func(s *stack, c caller) string
	body string
}

const (
	clinicAccess = service.RoleClinician + " " + service.RoleFrontDesk
	withMachines = clinicAccess + " " + service.RoleIntegration
	everyRole    = service.RoleAdmin + " " + clinicAccess + " " + service.RoleAuditor
)

// patientPath returns the path of a patient in the caller's care.
func patientPath(rest string) func(*stack, caller) string {
	return func(s *stack, c caller) string { return "/api/v1/patients/" + s.inCareOf(c.id, ada) + rest }
}

// accountPath returns the path of another account.
func accountPath(rest string) func(*stack, caller) string {
	return func(s *stack, _ caller) string {
		return "/api/v1/accounts/" + s.person(uuid.NewString()+"@example.org", service.RoleFrontDesk).id.String() + rest
	}
}

// eventPath returns the path of an event on a patient.
func eventPath(rest string) func(*stack, caller) string {
	return func(s *stack, _ caller) string {
		var id string
		require.NoError(s.t, s.db.Raw("SELECT id FROM auditlog WHERE action = 'create' AND entity_id = ?", s.register(ada)).Scan(&id).Error)
		return "/api/v1/audit-logs/" + id + rest
	}
}

// weekPath returns the path of the review of a week that is not signed off yet.
func weekPath(rest string) func(*stack, caller) string {
	return func(*stack, caller) string {
		return fmt.Sprintf("/api/v1/audit-reviews/%d-W%02d", 1900+rand.IntN(100), 1+rand.IntN(52)) + rest
	}
}

// keyPath returns the path of an API key.
func keyPath(s *stack, _ caller) string {
	id, _ := s.apiKey("patient.read")
	return "/api/v1/api-keys/" + id
}

// matrix has the expectations of TestRolesOnRoutes.
var matrix = map[string]rule{
	"GET /":                          {who: anyone, want: 200},
	"GET /docs":                      {who: anyone, want: 200},
	"GET /docs/docs.js":              {who: anyone, want: 200},
	"GET /docs/swagger-ui-bundle.js": {who: anyone, want: 200},
	"GET /docs/swagger-ui.css":       {who: anyone, want: 200},

	"GET /healthz": {who: anyone, want: 200},
	"GET /readyz": {who: anyone, want: 200, path: func(s *stack, _ caller) string {
		require.NoError(s.t, repository.NewSequencer(s.store).Drain(s.t.Context())) // serve runs one in the background
		return "/readyz"
	}},
	"GET /openapi.json": {who: anyone, want: 200},

	"POST /api/v1/auth/login":    {who: anyone, want: 200, body: `{"email":"all@example.org","password":"` + password + `"}`},
	"POST /api/v1/auth/redeem":   {who: anyone, want: 401, body: `{"token":"unknown","password":"another long passphrase"}`},
	"POST /api/v1/auth/logout":   {who: firstTime, want: 204},
	"GET /api/v1/auth/me":        {who: firstTime, want: 200},
	"POST /api/v1/auth/password": {who: firstTime, want: 401, body: `{"current_password":"wrong password","new_password":"another passphrase"}`},

	"POST /api/v1/auth/totp":           {who: firstTime, want: 401, body: `{"current_password":"wrong password"}`},
	"POST /api/v1/auth/totp/confirm":   {who: firstTime, want: 404, body: `{"totp":"123456"}`},
	"POST /api/v1/auth/totp/disable":   {who: firstTime, want: 401, body: `{"current_password":"wrong password","totp":"123456"}`},
	"POST /api/v1/auth/recovery-codes": {who: firstTime, want: 401, body: `{"current_password":"wrong password","totp":"123456"}`},
	"GET /api/v1/auth/sessions":        {who: firstTime, want: 200},
	"DELETE /api/v1/auth/sessions/:id": {who: firstTime, want: 404, path: func(*stack, caller) string {
		return "/api/v1/auth/sessions/01890a5d-ac96-774b-bcce-b302099a8057"
	}},

	"GET /api/v1/accounts":            {who: service.RoleAdmin, want: 200},
	"POST /api/v1/accounts":           {who: service.RoleAdmin, want: 422, body: `{"email":"new@example.org","name":"New","roles":["nobody"]}`},
	"GET /api/v1/accounts/:id":        {who: service.RoleAdmin, want: 200, path: accountPath("")},
	"PATCH /api/v1/accounts/:id":      {who: service.RoleAdmin, want: 200, path: accountPath(""), body: `{"name":"Changed"}`},
	"POST /api/v1/accounts/:id/reset": {who: service.RoleAdmin, want: 200, path: accountPath("/reset"), body: `{}`},
	"GET /api/v1/practitioners":       {who: everyRole + " " + service.RoleIntegration, want: 200},
	"GET /api/v1/practitioners/:id":   {who: everyRole + " " + service.RoleIntegration, want: 200, path: practitionerPath("")},

	"GET /api/v1/api-keys":        {who: service.RoleAdmin, want: 200},
	"POST /api/v1/api-keys":       {who: service.RoleAdmin, want: 422, body: `{"name":"x","scopes":["account.read"],"expires_at":"2000-01-01T00:00:00Z"}`},
	"GET /api/v1/api-keys/:id":    {who: service.RoleAdmin, want: 200, path: keyPath},
	"DELETE /api/v1/api-keys/:id": {who: service.RoleAdmin, want: 204, path: keyPath},

	"GET /api/v1/patients":                {who: withMachines, want: 200},
	"POST /api/v1/patients":               {who: withMachines, want: 201, body: another(ada)},
	"POST /api/v1/patients/search":        {who: withMachines, want: 200, body: `{}`},
	"GET /api/v1/patients/:id":            {who: withMachines, want: 200, path: patientPath("")},
	"PUT /api/v1/patients/:id":            {who: withMachines, want: 200, path: patientPath(""), body: ada},
	"PATCH /api/v1/patients/:id":          {who: withMachines, want: 200, path: patientPath(""), body: `{"first_name":"Changed"}`},
	"DELETE /api/v1/patients/:id":         {who: clinicAccess, want: 204, path: patientPath("")},
	"DELETE /api/v1/patients/:id?purge":   {who: service.RoleAdmin, want: 204, path: patientPath("?purge=true&reason=asked")},
	"GET /api/v1/patients/:id/clinicians": {who: withMachines, want: 200, path: patientPath("/clinicians")},
	"POST /api/v1/patients/:id/clinicians": {
		who: clinicAccess, want: 422, path: patientPath("/clinicians"), body: `{"account_id":"01890a5d-ac96-774b-bcce-b302099a8057"}`,
	},
	"DELETE /api/v1/patients/:id/clinicians/:account_id": {who: clinicAccess, want: 204, path: func(s *stack, c caller) string {
		return "/api/v1/patients/" + s.inCareOf(c.id, ada) + "/clinicians/" + c.id.String()
	}},

	"GET /api/v1/patients/:id/chart": {who: service.RoleClinician, want: 200, path: patientPath("/chart")},
	"POST /api/v1/patients/:id/merge": {
		who: service.RoleFrontDesk, want: 422, path: patientPath("/merge"), body: `{"into_id":"01890a5d-ac96-774b-bcce-b302099a8057","reason":"The same person"}`,
	},
	"POST /api/v1/patients/:id/unmerge":        {who: service.RoleFrontDesk, want: 409, path: patientPath("/unmerge"), body: `{"reason":"Not the same person"}`},
	"GET /api/v1/patients/:id/medical-records": {who: service.RoleClinician, want: 200, path: patientPath("/medical-records")},
	"GET /api/v1/patients/:id/consents":        {who: service.RoleClinician, want: 200, path: patientPath("/consents")},
	"DELETE /api/v1/patients/:id/consents":     {who: service.RoleClinician, want: 204, path: patientPath("/consents")},
	"POST /api/v1/patients/:id/consents": {
		who: service.RoleClinician, want: 201, path: patientPath("/consents"), body: `{"kind":"part2","purpose":"Treatment"}`,
	},
	"GET /api/v1/patients/:id/disclosures": {who: service.RoleClinician, want: 200, path: patientPath("/disclosures")},
	"POST /api/v1/patients/:id/disclosures": {
		who: service.RoleClinician, want: 201, path: patientPath("/disclosures"), body: `{"recipient":"Example Hospital","purpose":"Treatment"}`,
	},
	"GET /api/v1/patients/:id/risk-flags": {who: service.RoleClinician, want: 200, path: patientPath("/risk-flags")},

	"GET /api/v1/medical-records": {who: service.RoleClinician, want: 200},
	"POST /api/v1/medical-records": {
		who: service.RoleClinician, want: 404, body: `{"patient_id":"01890a5d-ac96-774b-bcce-b302099a8057","kind":"intake","title":"Visit"}`,
	},
	"GET /api/v1/medical-records/:id":       {who: service.RoleClinician, want: 200, path: recordPath("")},
	"PUT /api/v1/medical-records/:id":       {who: service.RoleClinician, want: 200, path: recordPath(""), body: `{"kind":"intake","title":"Visit","content":"Other"}`},
	"PATCH /api/v1/medical-records/:id":     {who: service.RoleClinician, want: 200, path: recordPath(""), body: `{"content":"Other"}`},
	"POST /api/v1/medical-records/:id/sign": {who: service.RoleClinician, want: 200, path: recordPath("/sign")},
	"POST /api/v1/medical-records/:id/amendments": {
		who: service.RoleClinician, want: 201, path: signedRecordPath("/amendments"), body: `{"amendment_reason":"A word was missing"}`,
	},
	"POST /api/v1/medical-records/:id/entered-in-error": {
		who: service.RoleClinician, want: 200, path: signedRecordPath("/entered-in-error"), body: `{"reason":"Of somebody else"}`,
	},
	"GET /api/v1/medical-records/:id/history": {who: service.RoleClinician, want: 200, path: recordPath("/history")},
	"GET /api/v1/consents/:id":                {who: service.RoleClinician, want: 200, path: consentPath("")},
	"POST /api/v1/consents/:id/revocation":    {who: service.RoleClinician, want: 200, path: consentPath("/revocation")},
	"POST /api/v1/risk-flags/:id/reviews":     {who: service.RoleClinician, want: 200, path: riskFlagPath("/reviews"), body: `{"finding":"Safe"}`},

	"GET /api/v1/break-glass":  {who: service.RoleClinician, want: 200},
	"POST /api/v1/break-glass": {who: service.RoleClinician, want: 404, body: `{"patient_id":"01890a5d-ac96-774b-bcce-b302099a8057","reason":"unconscious"}`},

	"GET /api/v1/patients/:id/audit-logs": {who: service.RoleAuditor, want: 200, path: patientPath("/audit-logs")},
	"GET /api/v1/patients/:id/accounting": {who: service.RoleAuditor, want: 200, path: patientPath("/accounting")},
	"GET /api/v1/audit-logs":              {who: service.RoleAuditor, want: 200},
	"GET /api/v1/audit-logs/checkpoint":   {who: everybody, want: 200},
	"GET /api/v1/audit-logs/:id":          {who: service.RoleAuditor, want: 200, path: eventPath("")},
	// For an auditor that also has a role that sees patients.
	"GET /api/v1/audit-logs/:id/diff":  {who: nobodyAlone, want: 200, path: eventPath("/diff")},
	"GET /api/v1/audit-logs/:id/proof": {who: service.RoleAuditor, want: 200, path: eventPath("/proof")},
	"GET /api/v1/audit-reviews/:week":  {who: service.RoleAuditor, want: 200, path: weekPath("")},
	"POST /api/v1/audit-reviews/:week/sign-off": {
		who: service.RoleAuditor, want: 204, path: weekPath("/sign-off"), body: `{"note":"looked at"}`,
	},
	"GET /api/v1/patients/:id/appointments": {who: withMachines, want: 200, path: patientPath("/appointments")},
	"GET /api/v1/appointments":              {who: withMachines, want: 200},
	"POST /api/v1/appointments":             {who: withMachines, want: 404, body: slot},
	"GET /api/v1/appointments/:id":          {who: withMachines, want: 200, path: appointmentPath("")},
	// Of another patient.
	"PUT /api/v1/appointments/:id":               {who: withMachines, want: 422, path: appointmentPath(""), body: slot},
	"PATCH /api/v1/appointments/:id":             {who: withMachines, want: 200, path: appointmentPath(""), body: `{"reason":"changed"}`},
	"POST /api/v1/appointments/:id/transitions":  {who: withMachines, want: 200, path: appointmentPath("/transitions"), body: `{"to":"cancelled","reason":"ill"}`},
	"POST /api/v1/appointment-series":            {who: withMachines, want: 404, body: slotEachWeek},
	"POST /api/v1/appointment-series/preview":    {who: withMachines, want: 404, body: slotEachWeek},
	"GET /api/v1/appointment-series/:id":         {who: withMachines, want: 200, path: seriesPath},
	"GET /api/v1/practitioners/:id/availability": {who: withMachines, want: 200, path: practitionerPath("/availability")},
	"PUT /api/v1/practitioners/:id/availability": {
		who: service.RoleFrontDesk, want: 200, path: practitionerPath("/availability"), body: `{"time_zone":"UTC","weekly":[],"exceptions":[],"time_off":[]}`,
	},
	"PUT /api/v1/practitioners/:id/availability?own": {
		who: clinicAccess, want: 200, path: ownHours, body: `{"time_zone":"UTC","weekly":[],"exceptions":[],"time_off":[]}`,
	},
	"GET /api/v1/practitioners/:id/slots": {who: withMachines, want: 200, path: practitionerPath("/slots?day=2035-03-05")},
}

// routeOf returns the method and the pattern of a line of the matrix. The part after a question mark distinguishes
// lines of the same route.
func routeOf(line string) (method, pattern string) {
	route, _, _ := strings.Cut(line, "?")
	method, pattern, _ = strings.Cut(route, " ")
	return method, pattern
}

// A new route without an expectation fails here.
func TestEveryRouteHasAnExpectation(t *testing.T) {
	t.Parallel()
	stated := map[string]bool{}
	for line := range matrix {
		method, pattern := routeOf(line)
		stated[method+" "+pattern] = true
	}
	served := map[string]bool{}
	for _, route := range newStack(t, anyDatabase(t)).engine.Routes() {
		served[route.Method+" "+route.Path] = true
		require.True(t, stated[route.Method+" "+route.Path], "%s %s: say in matrix who may call it", route.Method, route.Path)
	}
	for route := range stated {
		require.True(t, served[route], "%s is not served", route)
	}
}

// ends reports whether a line of the matrix ends the session that calls it.
func ends(line string) bool { return line == "POST /api/v1/auth/logout" }

// callers returns one caller for each single role, one without a role, and one with an unchanged first password.
func (s *stack) callers(round string) map[string]caller {
	s.t.Helper()
	made := map[string]caller{}
	for _, role := range service.Roles() {
		made[role] = s.person(role+round+"@example.org", role)
	}
	made["nobody"] = s.person("nobody" + round + "@example.org")
	newcomer := func(a *models.Account) { a.MustChangePassword = true }
	made["first login"] = caller{uuid.New(), s.account("first"+round+"@example.org", newcomer, service.Roles()...)}
	return made
}

// strangers are invalid tokens, each made in its own way.
func (s *stack) strangers() map[string]string {
	s.t.Helper()
	everything := service.Roles()
	expired := s.person("expired@example.org", everything...)
	require.NoError(s.t, s.db.Exec("UPDATE session SET expires_at = created_at WHERE account_id = ?", expired.id).Error)
	require.Eventually(s.t, func() bool {
		return s.as(expired.token).do("GET", "/api/v1/auth/me", "").status == http.StatusUnauthorized
	}, time.Minute, time.Millisecond, "a change by SQL reaches the server soon")
	revoked := s.account("revoked@example.org", nil, everything...)
	require.Equal(s.t, http.StatusNoContent, s.as(revoked).do("POST", "/api/v1/auth/logout", "").status)
	disabled := s.person("disabled@example.org", everything...)
	r := s.do("PATCH", "/api/v1/accounts/"+disabled.id.String(), `{"disabled":true}`, "If-Match: *")
	require.Equal(s.t, http.StatusOK, r.status, r.text)
	return map[string]string{
		"none": "", "expired": expired.token, "revoked": revoked, "disabled": disabled.token,
		"foreign": newStack(s.t, anyDatabase(s.t)).token, "altered": "x" + s.token,
	}
}

// Every route is called with every single role, without a role, and with every kind of invalid token.
func TestRolesOnRoutes(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		strangers, callers := s.strangers(), s.callers("")
		machine := s.machine()
		tried := 0
		for line, rule := range matrix {
			method, pattern := routeOf(line)
			pathOf := func(c caller) string {
				if rule.path == nil {
					return pattern
				}
				return rule.path(s, c)
			}
			try := func(who string, c caller, path string, want int) {
				t.Helper()
				r := s.as(c.token).do(method, path, rule.body, "If-Match: *")
				require.Equal(t, want, r.status, "%s as %s: %s", line, who, r.text)
				if want == http.StatusForbidden || want == http.StatusUnauthorized {
					require.NotContains(t, r.text, "García")
				}
				tried++
			}
			for role, c := range callers {
				want := http.StatusForbidden
				switch {
				case rule.who == anyone || rule.who == firstTime:
					want = rule.want
				case role == "first login":
				case rule.who == everybody || slices.Contains(strings.Fields(rule.who), role):
					want = rule.want
				}
				try(role, c, pathOf(c), want)
			}
			if ends(line) {
				callers = s.callers("-" + strconv.Itoa(tried))
			}
			want := http.StatusForbidden
			switch {
			case rule.who == anyone || rule.who == everybody || slices.Contains(strings.Fields(rule.who), service.RoleIntegration):
				want = rule.want
			case rule.who == firstTime: // the route is about a person
				want = http.StatusUnauthorized
			}
			try("machine", machine, pathOf(machine), want)
			theirs := pathOf(caller{id: uuid.New()}) // the id of a stranger does not matter
			for who, token := range strangers {
				want := http.StatusUnauthorized
				if rule.who == anyone {
					want = rule.want
				}
				try(who, caller{token: token}, theirs, want)
			}
		}
		t.Logf("%d calls on %d lines of the matrix", tried, len(matrix))
	})
}

// serverSet are members that no client sets, in any write.
var serverSet = []string{
	"id", "version", "created_at", "updated_at", "roles", "role", "scopes", "account_id", "user_id", "actor", "author_id", "author", "signed_by",
	"signed_at", "password_hash", "must_change_password", "mfa", "disabled", "email_verified", "admin", "patient", "patient_id", "practitioner_id",
	"origin", "expires_at", "patient_name", "practitioner_name", "told_at", "purpose", "outcome", "unreadable", "__proto__",
}

// settable are the members of serverSet that some routes do accept, because they are the subject of the route.
var settable = map[string][]string{
	"POST /api/v1/accounts":                 {"roles", "disabled"},
	"POST /api/v1/api-keys":                 {"scopes", "expires_at"},
	"PATCH /api/v1/accounts/:id":            {"roles", "disabled"},
	"POST /api/v1/patients/:id/clinicians":  {"account_id"},
	"POST /api/v1/break-glass":              {"patient_id"},
	"POST /api/v1/medical-records":          {"patient_id"},
	"POST /api/v1/patients/:id/consents":    {"purpose", "expires_at"},
	"POST /api/v1/patients/:id/disclosures": {"purpose"},
	"POST /api/v1/appointments":             {"patient_id", "practitioner_id"},
	// Refused unless unchanged.
	"PUT /api/v1/appointments/:id":            {"id", "version", "patient_id", "practitioner_id"},
	"PATCH /api/v1/appointments/:id":          {"practitioner_id"},
	"POST /api/v1/appointment-series":         {"patient_id", "practitioner_id"},
	"POST /api/v1/appointment-series/preview": {"patient_id", "practitioner_id"},
}

// Members that a client may never set are refused in every write, and nothing is written.
func TestServerSetMembersAreRefused(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		me := s.person("me@example.org", service.Roles()...)
		tried := 0
		for line, rule := range matrix {
			if rule.body == "" {
				continue
			}
			method, path := routeOf(line)
			if rule.path != nil {
				path = rule.path(s, me)
			}
			before := s.dump()
			for _, member := range serverSet {
				if slices.Contains(settable[line], member) {
					continue
				}
				for _, value := range []string{`"01890a5d-ac96-774b-bcce-b302099a8057"`, `7`, `["admin"]`} {
					body := `{"` + member + `":` + value + strings.TrimSuffix(","+strings.TrimPrefix(rule.body, "{"), ",}")
					if !strings.HasSuffix(body, "}") {
						body += "}"
					}
					r := s.as(me.token).do(method, path, body, "If-Match: *")
					require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s with %s: %s", line, member, r.text)
					tried++
				}
			}
			require.Equal(t, before, s.dump(), line)
		}
		t.Logf("%d writes refused", tried)
	})
}
