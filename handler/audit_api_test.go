package handler_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/service"
)

// eventsOf returns the events of one request.
func (s *stack) eventsOf(requestID string) []map[string]any {
	s.t.Helper()
	var events []map[string]any
	for _, item := range s.do("GET", "/api/v1/audit-logs?request_id="+requestID, "").items() {
		event, _ := item.(map[string]any)
		events = append(events, event)
	}
	return events
}

// Every route leaves exactly one event. It names the patients and accounts that were seen or changed.
func TestEachRequestLeavesItsEvent(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id, other := s.register(ada), s.register(ada)
		path := "/api/v1/patients/" + id
		front := s.account("front@example.org", nil, "front_desk")
		for i, test := range []struct {
			token, method, path, body string
			action, entity, outcome   string
			subjects                  []any
			fields                    []any
		}{
			{s.token, "GET", path, "", "read", "patient", "success", []any{id}, nil},
			{s.token, "GET", "/api/v1/patients", "", "list", "patient", "success", []any{id, other}, nil},
			{s.token, "GET", "/api/v1/patients?limit=1", "", "list", "patient", "success", []any{id}, nil},
			{s.token, "GET", "/api/v1/patients?last_name=lopez", "", "search", "patient", "success", []any{id, other}, nil},
			{s.token, "POST", "/api/v1/patients/search", `{"q":"nobody"}`, "search", "patient", "success", nil, nil},
			{s.token, "PATCH", path, `{"first_name":"Changed"}`, "update", "patient", "success", []any{id}, []any{"first_name"}},
			{s.token, "DELETE", path, "", "deactivate", "patient", "success", []any{id}, []any{"active"}},
			{s.token, "DELETE", path + "?purge=true&reason=asked+for", "", "purge", "patient", "success", []any{id}, nil},
			{s.token, "GET", path, "", "read", "patient", "failure", nil, nil},
			{s.token, "PUT", path, ada, "update", "patient", "failure", nil, nil},
			{front, "GET", "/api/v1/audit-logs", "", "list", "auditlog", "denied", nil, nil},
			{front, "DELETE", "/api/v1/patients/" + other + "?purge=true&reason=x", "", "purge", "patient", "denied", nil, nil},
			{"", "POST", "/api/v1/auth/login", `{"email":"all@example.org","password":"wrong"}`, "login", "account", "failure", nil, nil},
			{"", "POST", "/api/v1/auth/login", `{"email":"nobody@example.org","password":"wrong"}`, "login", "account", "failure", nil, nil},
			{s.token, "GET", "/api/v1/audit-logs?limit=1", "", "list", "auditlog", "success", nil, nil},
		} {
			request := "request-" + string(rune('a'+i))
			r := s.as(test.token).do(test.method, test.path, test.body, "If-Match: *", "X-Request-Id: "+request)
			events := s.eventsOf(request)
			require.Len(t, events, 1, "%s %s: %s", test.method, test.path, r.text)
			require.Equal(t, test.action, events[0]["action"], test.path)
			require.Equal(t, test.entity, events[0]["entity_type"], test.path)
			require.Equal(t, test.outcome, events[0]["outcome"], test.path)
			require.ElementsMatch(t, test.subjects, events[0]["subjects"], test.path)
			changes, _ := events[0]["changes"].(map[string]any)
			require.ElementsMatch(t, test.fields, changes["fields"], test.path)
			require.Equal(t, "api", events[0]["origin"])
		}
	})
}

func TestTamperedRowOverREST(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		good, bad := s.register(ada), s.register(ada)
		require.NoError(t, s.db.Exec("UPDATE patient SET first_name = (SELECT first_name FROM patient WHERE id = ?) WHERE id = ?", good, bad).Error)
		r := s.do("GET", "/api/v1/patients/"+bad, "", "X-Request-Id: tampered")
		require.Equal(t, http.StatusInternalServerError, r.status)
		require.Equal(t, "phi.unreadable", r.at("code"))
		require.NotContains(t, r.text+s.log.String(), "García")
		require.Len(t, s.eventsOf("tampered"), 1)
		r = s.do("GET", "/api/v1/patients", "", "X-Request-Id: listed")
		require.Len(t, r.items(), 2)
		require.Contains(t, r.items(), map[string]any{"id": bad, "unreadable": true})
		require.Len(t, s.eventsOf("listed"), 2, "the list, and the finding")
		require.Equal(t, http.StatusInternalServerError, s.do("PATCH", "/api/v1/patients/"+bad, `{"last_name":"x"}`, "If-Match: *").status)
	})
}

func TestNothingHappensUnrecorded(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		dbtest.BreakAuditLog(t, s.db)
		for _, request := range [][3]string{
			{"GET", "/api/v1/patients/" + id, ""},
			{"GET", "/api/v1/patients", ""},
			{"POST", "/api/v1/patients", another(ada)},
			{"PATCH", "/api/v1/patients/" + id, `{"last_name":"x"}`},
			{"DELETE", "/api/v1/patients/" + id, ""},
			{"DELETE", "/api/v1/patients/" + id + "?purge=true&reason=x", ""},
			{"GET", "/api/v1/audit-logs", ""},
			{"POST", "/api/v1/auth/login", `{"email":"all@example.org","password":"` + password + `"}`},
		} {
			r := s.do(request[0], request[1], request[2], "If-Match: *")
			require.Equal(t, http.StatusServiceUnavailable, r.status, request)
			require.Equal(t, "audit.unavailable", r.at("code"))
			require.NotEmpty(t, r.header.Get("Retry-After"))
			require.NotContains(t, r.text, "García")
		}
		require.Equal(t, http.StatusServiceUnavailable, s.do("GET", "/readyz", "").status)
		require.Equal(t, int64(1), s.patients())
		var version int
		require.NoError(t, s.db.Raw("SELECT version FROM patient").Scan(&version).Error)
		require.Equal(t, 1, version)
	})
}

// A filter with an unknown value is refused, with the known values, and is not answered with an empty list.
func TestUnknownFiltersOfTheLogAreRefused(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		for _, path := range []string{"/api/v1/audit-logs", "/api/v1/patients/" + id + "/audit-logs"} {
			for name, values := range service.AuditFilters() {
				r := s.do("GET", path+"?"+name+"=Zcanary", "")
				require.Equal(t, http.StatusUnprocessableEntity, r.status, name)
				require.Contains(t, r.text, "unknown_value")
				require.Contains(t, r.text, values[0]+", ", "it names those that there are")
				require.NotContains(t, r.text, "Zcanary")
				require.Equal(t, http.StatusOK, s.do("GET", path+"?"+name+"="+values[0], "").status, name)
			}
			r := s.do("GET", path+"?from=2002-01-01T00:00:00Z&to=2001-01-01T00:00:00Z", "")
			require.Equal(t, http.StatusUnprocessableEntity, r.status)
		}
	})
}
