package handler_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

// withoutEvents are the routes that leave no event, each with its reason.
var withoutEvents = map[string]string{
	"GET /":                          "shows nothing of anybody",
	"GET /docs":                      "shows nothing of anybody",
	"GET /docs/docs.js":              "shows nothing of anybody",
	"GET /docs/swagger-ui-bundle.js": "shows nothing of anybody",
	"GET /docs/swagger-ui.css":       "shows nothing of anybody",

	"GET /healthz":        "shows nothing of anybody",
	"GET /readyz":         "shows nothing of anybody",
	"GET /openapi.json":   "shows nothing of anybody",
	"GET /api/v1/auth/me": "shows callers their own account",

	"GET /api/v1/audit-logs/checkpoint": "shows a size and a hash, signed",
}

// Every route outside of withoutEvents leaves an event for each request that it answers, and for each that it denies.
func TestEveryRouteLeavesAnEvent(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		nobody := s.person("nobody@example.org") // without any role
		n := 0
		for line, rule := range matrix {
			method, path := routeOf(line)
			if _, excused := withoutEvents[line]; excused {
				continue
			}
			n++
			// A separate account, because some of the requests end sessions.
			everybody := s.person("walk"+strconv.Itoa(n)+"@example.org", service.Roles()...)
			for who, c := range map[string]caller{"all": everybody, "nobody": nobody} {
				if who == "nobody" && rule.who == firstTime {
					continue // open to every account, and may end its session
				}
				if rule.path != nil {
					path = rule.path(s, c)
				}
				request := "walk-" + strconv.Itoa(n) + who
				r := s.as(c.token).do(method, path, rule.body, "If-Match: *", "X-Request-Id: "+request)
				if who == "all" && r.status == http.StatusUnprocessableEntity {
					continue // a request that breaks a rule before it touches data is not an access
				}
				var events int64
				require.NoError(t, s.db.Raw("SELECT count(*) FROM auditlog WHERE request_id = ?", request).Scan(&events).Error)
				require.Positive(t, events, "%s as %s: %d %s", line, who, r.status, r.text)
			}
		}
	})
}

// Unknown callers are counted by address, and recorded as one event.
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
