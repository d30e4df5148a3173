package handler_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/service"
)

// apiKey makes a key with these scopes, and returns its id and its secret.
func (s *stack) apiKey(scopes ...string) (id, key string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"name": "laboratory", "scopes": scopes, "expires_at": time.Now().Add(time.Hour).UTC()})
	require.NoError(s.t, err)
	r := s.do("POST", "/api/v1/api-keys", string(body))
	require.Equal(s.t, http.StatusCreated, r.status, r.text)
	return r.at("id").(string), r.at("key").(string)
}

// machine returns a caller with an API key that has every scope of machines.
func (s *stack) machine() caller {
	s.t.Helper()
	_, key := s.apiKey(service.APIKeyScopes()...)
	id, err := uuid.Parse(s.do("GET", "/api/v1/auth/me", "").at("id").(string))
	require.NoError(s.t, err)
	return caller{id, key}
}

// A key is shown once and stored as a hash. Its actions are recorded under its id, and are limited to its scopes.
func TestAPIKeys(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id, key := s.apiKey("patient.read", "patient.create", "patient.read")
		path := "/api/v1/api-keys/" + id
		r := s.do("GET", path, "")
		require.Equal(t, `"1"`, r.header.Get("ETag"))
		require.Equal(t, []any{"patient.create", "patient.read"}, r.at("scopes"))
		require.Nil(t, r.at("last_used_at"))
		require.NotContains(t, r.text+s.do("GET", "/api/v1/api-keys", "").text, key)
		var stored string
		require.NoError(t, s.db.Raw("SELECT key_hash FROM apikey WHERE id = ?", id).Scan(&stored).Error)
		require.NotContains(t, stored, key)
		require.NotContains(t, stored, strings.TrimPrefix(key, "nmk."))

		machine := s.as(key)
		r = machine.do("POST", "/api/v1/patients", ada, "X-Request-Id: by-key")
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Equal(t, http.StatusForbidden, machine.do("PATCH", "/api/v1/patients/"+r.at("id").(string), `{"first_name":"X"}`, "If-Match: *").status)
		require.Equal(t, http.StatusForbidden, machine.do("GET", "/api/v1/audit-logs", "").status)
		require.Equal(t, http.StatusUnauthorized, machine.do("GET", "/api/v1/auth/me", "").status)
		var recorded []struct{ APIKeyID, UserID, ActorRoles string }
		require.NoError(t, s.db.Raw("SELECT api_key_id, user_id, actor_roles FROM auditlog WHERE request_id = 'by-key'").Scan(&recorded).Error)
		require.NotEmpty(t, recorded)
		require.Equal(t, id, recorded[0].APIKeyID)
		require.JSONEq(t, `["integration"]`, recorded[0].ActorRoles)
		require.NotNil(t, s.do("GET", path, "").at("last_used_at"))
	})
}

// A key is refused after it was revoked, has expired, or its account was disabled.
func TestAPIKeysEnd(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		status := func(key string) int { return s.as(key).do("GET", "/api/v1/patients", "").status }
		id, revoked := s.apiKey("patient.read")
		require.Equal(t, http.StatusOK, status(revoked))
		require.Equal(t, http.StatusPreconditionRequired, s.do("DELETE", "/api/v1/api-keys/"+id, "").status)
		require.Equal(t, http.StatusPreconditionFailed, s.do("DELETE", "/api/v1/api-keys/"+id, "", `If-Match: "2"`).status)
		require.Equal(t, http.StatusNoContent, s.do("DELETE", "/api/v1/api-keys/"+id, "", `If-Match: "1"`).status)
		require.Equal(t, http.StatusUnauthorized, status(revoked))
		require.Equal(t, http.StatusNotFound, s.do("GET", "/api/v1/api-keys/"+id, "").status)

		id, expired := s.apiKey("patient.read")
		require.NoError(t, s.db.Exec("UPDATE apikey SET expires_at = ? WHERE id = ?", time.Now().Add(-time.Second).UTC(), id).Error)
		require.Equal(t, http.StatusUnauthorized, status(expired))

		admin := s.person("admin@example.org", service.RoleAdmin)
		_, theirs := s.as(admin.token).apiKey("patient.read")
		require.Equal(t, http.StatusOK, status(theirs))
		require.Equal(t, http.StatusOK, s.do("PATCH", "/api/v1/accounts/"+admin.id.String(), `{"disabled":true}`, "If-Match: *").status)
		require.Equal(t, http.StatusUnauthorized, status(theirs))
		for _, none := range []string{"nmk.", "nmk." + strings.Repeat("A", 43), strings.TrimPrefix(theirs, "nmk."), "nmk." + s.token} {
			require.Equal(t, http.StatusUnauthorized, status(none))
		}
	})
}

func TestAPIKeyInput(t *testing.T) {
	t.Parallel()
	s := newStack(t, anyDatabase(t))
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	for body, complaint := range map[string]string{
		`{"name":" ","scopes":["patient.read"],"expires_at":"` + at(time.Hour) + `"}`:                     "/name required",
		`{"name":"x","scopes":[],"expires_at":"` + at(time.Hour) + `"}`:                                   "/scopes required",
		`{"name":"x","scopes":["patient.read","patient.purge"],"expires_at":"` + at(time.Hour) + `"}`:     "/scopes/1 unknown_scope",
		`{"name":"x","scopes":["medicalrecord.read"],"expires_at":"` + at(time.Hour) + `"}`:               "/scopes/0 unknown_scope",
		`{"name":"x","scopes":["patient.read"],"expires_at":"` + at(-time.Hour) + `"}`:                    "/expires_at out_of_range",
		`{"name":"x","scopes":["patient.read"],"expires_at":"` + at(2*365*24*time.Hour) + `"}`:            "/expires_at out_of_range",
		`{"name":"x","scopes":["patient.read"]}`:                                                          "/expires_at required",
		`{"name":"x","scopes":["patient.read"],"expires_at":"` + at(time.Hour) + `","account_id":"mine"}`: " unknown_member",
	} {
		r := s.do("POST", "/api/v1/api-keys", body)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
		first, _ := r.body["errors"].([]any)[0].(map[string]any)
		require.Equal(t, complaint, first["pointer"].(string)+" "+first["code"].(string))
	}
}
