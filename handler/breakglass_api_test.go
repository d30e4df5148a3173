package handler_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/service"
)

// Emergency access over HTTP works alike by id and by names. Its answers hold no names.
func TestBreakGlassOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		for i, body := range []string{
			`{"patient_id":"` + id + `","reason":"unconscious"}`,
			`{"first_name":"zoë ann","last_name":"GARCÍA-LÓPEZ","date_of_birth":"1980-02-03","reason":"unconscious"}`,
		} {
			c := s.as(s.person("clinician"+strings.Repeat("x", i)+"@example.org", service.RoleClinician).token)
			require.Empty(t, c.do("GET", "/api/v1/patients", "").items())
			r := c.do("POST", "/api/v1/break-glass", body)
			require.Equal(t, http.StatusCreated, r.status, r.text)
			require.Equal(t, []any{id}, r.at("patient_ids"))
			require.NotEmpty(t, r.at("expires_at"))
			require.Equal(t, http.StatusOK, c.do("GET", "/api/v1/patients/"+id, "").status)
			require.Len(t, c.do("GET", "/api/v1/patients", "").items(), 1)
			require.Len(t, c.do("GET", "/api/v1/break-glass", "").items(), 1)
			require.Equal(t, http.StatusNotFound, c.do("POST", "/api/v1/patients/"+id+"/clinicians", `{"account_id":"`+uuid.NewString()+`"}`).status)
		}
		require.NotContains(t, s.log.String(), "unconscious")
		require.NotContains(t, s.log.String(), "rcía")
	})
}

// Emergency access opens records, but never psychotherapy notes. Records written by emergency access stay, and bring
// the patient into nobody's care.
func TestBreakGlassOpensNoPsychotherapyNotes(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		them, me := s.person("them@example.org", service.RoleClinician), s.as(s.person("me@example.org", service.RoleClinician).token)
		other := s.belongings(them, s.person("third@example.org", service.RoleClinician))
		patient := "/api/v1/patients/" + other["patient"]
		require.Equal(t, http.StatusCreated, me.do("POST", "/api/v1/break-glass", `{"patient_id":"`+other["patient"]+`","reason":"unconscious"}`).status)
		require.Equal(t, http.StatusOK, me.do("GET", records+"/"+other["signed"], "").status)
		for _, list := range []string{records + "?limit=200", patient + "/medical-records?limit=200"} {
			found := me.do("GET", list, "").ids()
			require.Contains(t, found, other["signed"], list)
			require.NotContains(t, found, other["note"], list)
		}
		require.Empty(t, me.do("GET", patient+"/medical-records?kind=psychotherapy_note", "").items())
		for _, path := range []string{"", "/history"} {
			require.Equal(t, http.StatusNotFound, me.do("GET", records+"/"+other["note"]+path, "").status, path)
		}
		require.Equal(t, http.StatusNotFound, me.do("PATCH", records+"/"+other["note"], `{"content":"mine"}`, "If-Match: *").status)
		require.Equal(t, http.StatusNotFound, me.do("POST", records+"/"+other["note"]+"/sign", "", "If-Match: *").status)

		mine := me.record(other["patient"], `"kind":"progress_note","content":"Text"`)
		booked := me.do("POST", "/api/v1/appointments", visit(other["patient"], me.do("GET", "/api/v1/auth/me", "").at("id").(string), 48, ""))
		require.Equal(t, http.StatusCreated, booked.status, booked.text)
		require.NoError(t, s.db.Exec("UPDATE breakglass SET expires_at = created_at").Error)
		require.Equal(t, http.StatusNotFound, me.do("GET", patient, "").status)
		require.Equal(t, http.StatusNotFound, me.do("GET", records+"/"+other["signed"], "").status)
		require.Equal(t, http.StatusNotFound, me.do("GET", records+"/"+mine, "").status)
		require.Empty(t, me.do("GET", "/api/v1/patients", "").items())
		var unflagged int
		require.NoError(t, s.db.Raw(`SELECT count(*) FROM auditlog WHERE outcome = 'success' AND purpose IS NULL AND action <> 'login'
			AND user_id = (SELECT id FROM account WHERE email = 'me@example.org') AND entity_type IN ('medicalrecord', 'appointment')`).Scan(&unflagged).Error)
		require.Zero(t, unflagged, "all of it is flagged")
	})
}
