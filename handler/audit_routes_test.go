package handler_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

// withoutEvents are the routes that leave no event, each with its reason.
var withoutEvents = map[string]string{
	"GET /healthz":        "shows nothing of anybody",
	"GET /readyz":         "shows nothing of anybody",
	"GET /api/v1/auth/me": "shows callers their own account",
}

// samples are bodies and query strings with which a route does its work; ":id" is a patient's.
var samples = map[string]struct{ query, body string }{
	"POST /api/v1/auth/login":      {"", `{"email":"all@example.org","password":"` + password + `"}`},
	"POST /api/v1/auth/password":   {"", `{"current_password":"` + password + `","new_password":"another long passphrase"}`},
	"POST /api/v1/auth/logout":     {"", ""},
	"POST /api/v1/patients":        {"", ada},
	"POST /api/v1/patients/search": {"", `{"last_name":"lopez"}`},
	"PUT /api/v1/patients/:id":     {"", ada},
	"PATCH /api/v1/patients/:id":   {"", `{"first_name":"Changed"}`},
	"DELETE /api/v1/patients/:id":  {"?purge=true&reason=asked", ""},
}

// Every route that is not excused leaves an event for each request that it answers, and for each that it denies.
func TestEveryRouteLeavesAnEvent(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		nobody := s.account("nobody@example.org", nil) // without a role
		for i, route := range s.engine.Routes() {
			name := route.Method + " " + route.Path
			if _, excused := withoutEvents[name]; excused {
				continue
			}
			sample, known := samples[name]
			require.True(t, known || route.Method == http.MethodGet, "%s: say in samples how it is called", name)
			// An account of its own: some of them end sessions.
			everybody := s.account("walk"+strconv.Itoa(i)+"@example.org", nil, service.Roles()...)
			id := s.register(ada)
			path := strings.ReplaceAll(route.Path, ":id", id) + sample.query
			for who, token := range map[string]string{"all": everybody, "nobody": nobody} {
				if who == "nobody" && strings.HasPrefix(route.Path, "/api/v1/auth/") {
					continue // open to every account
				}
				request := "walk-" + string(rune('a'+i)) + who
				r := s.as(token).do(route.Method, path, sample.body, "If-Match: *", "X-Request-Id: "+request)
				var events int64
				require.NoError(t, s.db.Raw("SELECT count(*) FROM auditlog WHERE request_id = ?", request).Scan(&events).Error)
				require.Positive(t, events, "%s as %s: %d %s", name, who, r.status, r.text)
			}
		}
	})
}

// Callers whom nobody knows are counted by address, and named in one event.
func TestRefusedCallersAreRecorded(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		for range 5 {
			s.as("").do("GET", "/api/v1/patients/"+s.register(ada), "")
			s.as("wrong").do("GET", "/api/v1/patients", "")
		}
		require.NoError(t, s.refusals.Flush(t.Context()))
		var events []struct {
			Address, Details string
			EntityID         *string
		}
		require.NoError(t, s.db.Raw("SELECT address, details, entity_id FROM auditlog WHERE action = 'refuse'").Scan(&events).Error)
		require.Len(t, events, 1)
		require.Equal(t, "127.0.0.1", events[0].Address)
		require.Equal(t, "10 auth.required", events[0].Details)
		require.Nil(t, events[0].EntityID)
	})
}
