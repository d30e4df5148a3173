package handler_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/service"
)

// The life of an account over HTTP follows the contract's members and conventions.
func TestAccountsOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		admin := s.as(s.person("admin@example.org", service.RoleAdmin).token)
		r := admin.do("POST", "/api/v1/accounts", `{"email":"New@Example.org","name":"New","roles":["front_desk","clinician"]}`, "Idempotency-Key: once")
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Equal(t, `"1"`, r.header.Get("ETag"))
		require.Equal(t, "no-store", r.header.Get("Cache-Control"))
		id, token := r.at("id").(string), r.at("link", "token").(string)
		require.Equal(t, "/api/v1/accounts/"+id, r.header.Get("Location"))
		for member, want := range map[string]any{
			"email": "new@example.org", "name": "New", "roles": []any{"clinician", "front_desk"}, "disabled": false, "mfa": false, "version": 1.0,
		} {
			require.Equal(t, want, r.at(member), member)
		}
		require.NotContains(t, r.text, "password_hash")
		again := admin.do("POST", "/api/v1/accounts", `{"email":"New@Example.org","name":"New","roles":["front_desk","clinician"]}`, "Idempotency-Key: once")
		require.Equal(t, id, again.at("id"))
		require.Nil(t, again.at("link"), "a link is shown once")
		other := admin.do("POST", "/api/v1/accounts", `{"email":"x@example.org","name":"X","roles":["clinician"]}`, "Idempotency-Key: once")
		require.Equal(t, "idempotency.key_reused", other.at("code"))
		require.Equal(t, http.StatusConflict, admin.do("POST", "/api/v1/accounts", `{"email":"new@example.org","name":"Twin","roles":["admin"]}`).status)

		visitor := s.as("")
		require.Equal(t, http.StatusUnauthorized, visitor.do("POST", "/api/v1/auth/redeem", `{"token":"`+token+`x","password":"`+password+`"}`).status)
		require.Equal(t, http.StatusNoContent, visitor.do("POST", "/api/v1/auth/redeem", `{"token":"`+token+`","password":"`+password+`"}`).status)
		person := s.as(s.login("new@example.org"))

		path := "/api/v1/accounts/" + id
		read := admin.do("GET", path, "")
		require.Equal(t, http.StatusNotModified, admin.do("GET", path, "", "If-None-Match: "+read.header.Get("ETag")).status)
		require.Equal(t, http.StatusPreconditionRequired, admin.do("PATCH", path, `{"name":"Newer"}`).status)
		require.Equal(t, http.StatusPreconditionFailed, admin.do("PATCH", path, `{"name":"Newer"}`, `If-Match: "1"`).status)
		r = admin.do("PATCH", path, `{"name":"Newer","id":"`+id+`"}`, "If-Match: "+read.header.Get("ETag"), "Content-Type: application/merge-patch+json")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, "Newer", r.at("name"))
		for _, bad := range []string{
			`{"disabled":null}`, `{"roles":null}`, `{"roles":[]}`, `{"email":null}`, `{"name":""}`, `{"mfa":true}`, `{"must_change_password":true}`,
			`{"password":"another long passphrase"}`, `{"version":7}`, `{"roles":["system"]}`, `{"roles":["integration"]}`,
		} {
			r := admin.do("PATCH", path, bad, "If-Match: *")
			require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s: %s", bad, r.text)
		}
		require.Equal(t, http.StatusOK, person.do("GET", "/api/v1/patients", "").status)
		require.Equal(t, http.StatusOK, admin.do("PATCH", path, `{"roles":["auditor"]}`, "If-Match: *").status)
		require.Equal(t, http.StatusForbidden, person.do("GET", "/api/v1/patients", "").status, "at once")
		require.Equal(t, http.StatusOK, admin.do("PATCH", path, `{"disabled":true}`, "If-Match: *").status)
		require.Equal(t, http.StatusUnauthorized, person.do("GET", "/api/v1/auth/me", "").status, "at once")

		list := admin.do("GET", "/api/v1/accounts?role=auditor&disabled=true&limit=1", "")
		require.Len(t, list.items(), 1, list.text)
		require.Contains(t, list.text, id)
		require.Equal(t, http.StatusUnprocessableEntity, admin.do("GET", "/api/v1/accounts?role=nobody", "").status)
		require.Equal(t, http.StatusUnprocessableEntity, admin.do("GET", "/api/v1/accounts?password_hash=x", "").status)
		require.Equal(t, http.StatusNotFound, admin.do("GET", "/api/v1/accounts/"+uuid.NewString(), "").status)
	})
}

// Over HTTP too, no admin can add a role to their own account, and the last admin remains.
func TestAdminsCannotHelpThemselves(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		all := s.do("GET", "/api/v1/auth/me", "").at("id").(string)
		r := s.do("PATCH", "/api/v1/accounts/"+all, `{"disabled":true}`, "If-Match: *")
		require.Equal(t, "account.last_admin", r.at("code"), r.text)
		require.Equal(t, http.StatusConflict, r.status)
		admin := s.person("admin@example.org", service.RoleAdmin)
		r = s.as(admin.token).do("PATCH", "/api/v1/accounts/"+admin.id.String(), `{"roles":["admin","clinician"]}`, "If-Match: *")
		require.Equal(t, http.StatusForbidden, r.status, r.text)
		require.Equal(t, http.StatusOK, s.do("PATCH", "/api/v1/accounts/"+all, `{"roles":["clinician"]}`, "If-Match: *").status)
		r = s.as(admin.token).do("PATCH", "/api/v1/accounts/"+admin.id.String(), `{"disabled":true}`, "If-Match: *")
		require.Equal(t, "account.last_admin", r.at("code"), r.text)
	})
}

// Callers that may book, and auditors, can read the name of any account, also of a disabled one. They read nothing
// else of it.
func TestNamesOfAccountsOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		gone := s.person("gone@example.org", service.RoleFrontDesk)
		r := s.do("PATCH", "/api/v1/accounts/"+gone.id.String(), `{"name":"Gone Sample","disabled":true}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		path := "/api/v1/practitioners/" + gone.id.String()
		for _, role := range []string{service.RoleFrontDesk, service.RoleAuditor} {
			caller := s.as(s.person(role+"@example.org", role).token)
			read := caller.do("GET", path, "", "X-Request-Id: name-for-"+role)
			require.Equal(t, http.StatusOK, read.status, read.text)
			require.Equal(t, map[string]any{"id": gone.id.String(), "name": "Gone Sample"}, read.body)
			require.Equal(t, r.header.Get("ETag"), read.header.Get("ETag"))
			again := caller.do("GET", path, "", "If-None-Match: "+read.header.Get("ETag"))
			require.Equal(t, http.StatusNotModified, again.status)
			var recorded []string
			require.NoError(t, s.db.Raw("SELECT action FROM auditlog WHERE request_id = ? AND entity_id = ?",
				"name-for-"+role, gone.id).Scan(&recorded).Error)
			require.Equal(t, []string{"read"}, recorded)
			require.Equal(t, http.StatusNotFound, caller.do("GET", "/api/v1/practitioners/"+uuid.NewString(), "").status)
		}
	})
}

// Assigning shows a patient to a clinician, and unassigning hides them.
func TestAssignmentsOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		desk := s.as(s.person("desk@example.org", service.RoleFrontDesk).token)
		clinician := s.person("clinician@example.org", service.RoleClinician)
		id := desk.register(ada)
		path := "/api/v1/patients/" + id
		sees := func() int { return s.as(clinician.token).do("GET", path, "").status }
		require.Equal(t, http.StatusNotFound, sees())
		practitioners := desk.do("GET", "/api/v1/practitioners", "")
		require.Contains(t, practitioners.text, clinician.id.String())
		require.NotContains(t, practitioners.text, "example.org", "id and name, no more")
		body := `{"account_id":"` + clinician.id.String() + `"}`
		for range 2 {
			r := desk.do("POST", path+"/clinicians", body)
			require.Equal(t, http.StatusCreated, r.status, r.text)
			require.Equal(t, "assigned", r.at("kind"))
		}
		require.Equal(t, http.StatusOK, sees())
		require.Len(t, s.as(clinician.token).do("GET", path+"/clinicians", "").items(), 1)
		for _, nobody := range []string{uuid.NewString(), s.person("auditor@example.org", service.RoleAuditor).id.String()} {
			r := desk.do("POST", path+"/clinicians", `{"account_id":"`+nobody+`"}`)
			require.Equal(t, http.StatusUnprocessableEntity, r.status)
			require.Contains(t, r.text, "not_clinician")
		}
		end := path + "/clinicians/" + clinician.id.String()
		require.Equal(t, http.StatusPreconditionRequired, desk.do("DELETE", end, "").status)
		require.Equal(t, http.StatusPreconditionFailed, desk.do("DELETE", end, "", `If-Match: "7"`).status)
		require.Equal(t, http.StatusNoContent, desk.do("DELETE", end, "", `If-Match: "1"`).status)
		require.Equal(t, http.StatusNotFound, sees())
		require.Equal(t, http.StatusConflict, desk.do("DELETE", end, "", "If-Match: *").status)
	})
}
