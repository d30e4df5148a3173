package handler_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

// reach sends every request that could show a record.
func (s *stack) reach(patient, record string) map[string]reply {
	s.t.Helper()
	out := map[string]reply{}
	for _, path := range []string{
		records + "/" + record, records + "/" + record + "?render=html", records + "/" + record + "/history",
		records, records + "?kind=psychotherapy_note", records + "?status=final", records + "?patient_id=" + patient,
		"/api/v1/patients/" + patient, "/api/v1/patients/" + patient + "/medical-records", "/api/v1/patients/" + patient + "/medical-records?kind=psychotherapy_note",
		"/api/v1/patients/" + patient + "/disclosures", "/api/v1/patients/" + patient + "/risk-flags", "/api/v1/patients/" + patient + "/consents",
		"/api/v1/patients/" + patient + "/chart", "/api/v1/patients/" + patient + "/appointments", "/api/v1/patients", "/api/v1/appointments",
	} {
		out[path] = s.do("GET", path, "")
	}
	for path, body := range map[string]string{
		"/sign": "", "/amendments": `{"amendment_reason":"x"}`, "/entered-in-error": `{"reason":"x"}`,
	} {
		out["POST "+path] = s.do("POST", records+"/"+record+path, body, "If-Match: *")
	}
	out["PATCH"] = s.do("PATCH", records+"/"+record, `{"content":"x"}`, "If-Match: *")
	out["POST disclosures"] = s.do("POST", "/api/v1/patients/"+patient+"/disclosures", `{"record_id":"`+record+`","recipient":"x","purpose":"x"}`)
	return out
}

// Only its author sees a psychotherapy note. For everybody else, whatever their role, it does not exist.
func TestPsychotherapyNotesAreTheirAuthorsAlone(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		colleague, _ := s.clinician("colleague@example.org", patient)
		require.NoError(t, s.db.Exec("UPDATE carerelationship SET kind = 'assigned' WHERE account_id = (SELECT id FROM account WHERE email = 'colleague@example.org')").Error)
		note := s.as(author).record(patient, `"kind":"psychotherapy_note","content":"`+canary+` content"`)
		s.as(author).sign(note)

		others := map[string]string{"colleague": colleague, "everything": s.token}
		for _, role := range []string{service.RoleAdmin, service.RoleFrontDesk, service.RoleAuditor} {
			others[role] = s.account(role+"@example.org", nil, role)
		}
		emergency := s.person("emergency@example.org", service.RoleClinician)
		r := s.as(emergency.token).do("POST", "/api/v1/break-glass", `{"patient_id":"`+patient+`","reason":"unconscious"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		others["break-glass"] = emergency.token
		require.Equal(t, http.StatusOK, s.as(emergency.token).do("GET", "/api/v1/patients/"+patient+"/chart", "").status, "it does open the chart")

		for who, token := range others {
			for where, r := range s.as(token).reach(patient, note) {
				require.NotContains(t, r.text, note, "%s at %s", who, where)
				require.NotContains(t, r.text, canary, "%s at %s", who, where)
				require.NotEqual(t, http.StatusInternalServerError, r.status, "%s at %s: %s", who, where, r.text)
			}
		}
		r = s.as(author).do("GET", records+"/"+note, "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Empty(t, s.as(author).do("GET", "/api/v1/patients/"+patient+"/chart", "").at("latest_records"), "it is in no chart")
		require.Empty(t, s.as(author).do("GET", records, "").items(), "it is in no list either")
		require.Empty(t, s.as(author).do("GET", "/api/v1/patients/"+patient+"/medical-records", "").items())
		require.Equal(t, []string{note}, s.as(author).do("GET", records+"?kind=psychotherapy_note", "").ids(), "but where the author asks for their own")
	})
}

// The reason of an amendment is a part of the record, and readers of the log do not see it.
func TestLogsDoNotTellWhyRecordsWereAmended(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		note := s.as(author).record(patient, `"kind":"psychotherapy_note","content":"`+canary+`"`)
		s.as(author).sign(note)
		r := s.as(author).do("POST", records+"/"+note+"/amendments", `{"amendment_reason":"`+canary+`"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Equal(t, canary, r.at("amendment_reason"))
		auditor := s.as(s.account("auditor@example.org", nil, service.RoleAuditor))
		r = auditor.do("GET", "/api/v1/audit-logs?entity_type=medicalrecord", "")
		require.Contains(t, r.text, note, "the log names it")
		for _, text := range []string{
			r.text, auditor.page("/api/v1/patients/" + patient + "/accounting"), auditor.do("GET", "/api/v1/patients/"+patient+"/audit-logs", "").text,
		} {
			require.NotContains(t, text, canary)
			require.NotContains(t, text, "psychotherapy")
		}
	})
}

// A draft becomes a psychotherapy note, or stops being one, only on an explicit request, and never with a flag.
func TestDraftsChangeToAndFromPsychotherapyKnowingly(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		note := records + "/" + s.record(patient, `"kind":"psychotherapy_note","content":"x"`)
		r := s.do("PUT", note, `{"kind":"progress_note","title":"x","content":"x"}`, "If-Match: *")
		require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
		r = s.do("PUT", note, `{"kind":"progress_note","sensitivity":"restricted","title":"x","content":"x"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, "restricted", r.at("sensitivity"))
		r = s.do("PUT", note, `{"kind":"psychotherapy_note","title":"x","content":"x"}`, "If-Match: *")
		require.Equal(t, "psychotherapy", r.at("sensitivity"), r.text)

		flagged := records + "/" + s.record(patient, phq9)
		r = s.do("PUT", flagged, `{"kind":"psychotherapy_note","title":"x","content":"x"}`, "If-Match: *")
		require.Equal(t, http.StatusConflict, r.status, r.text)
		require.Len(t, s.flags(patient, true), 1)
	})
}

func TestRestrictedRecordsAreForWhoIsAssigned(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		colleague, _ := s.clinician("colleague@example.org", patient)
		open := s.as(author).record(patient, `"kind":"intake","content":"Text"`)
		note := s.as(author).record(patient, `"kind":"intake","sensitivity":"restricted","content":"Text"`)
		require.Equal(t, []string{open}, s.as(colleague).do("GET", records, "").ids())
		require.Equal(t, http.StatusNotFound, s.as(colleague).do("GET", records+"/"+note, "").status)
		require.NoError(t, s.db.Exec("UPDATE carerelationship SET kind = 'assigned' WHERE account_id = (SELECT id FROM account WHERE email = 'colleague@example.org')").Error)
		require.Len(t, s.as(colleague).do("GET", records, "").items(), 2)
		require.Equal(t, http.StatusOK, s.as(colleague).do("GET", records+"/"+note, "").status)
		require.Equal(t, http.StatusForbidden, s.as(colleague).do("PATCH", records+"/"+note, `{"content":"x"}`, "If-Match: *").status, "a draft is its author's")

		s.as(author).sign(note)
		emergency := s.person("emergency@example.org", service.RoleClinician)
		require.Equal(t, http.StatusNotFound, s.as(emergency.token).do("GET", records+"/"+note, "").status)
		require.Equal(t, http.StatusCreated, s.as(emergency.token).do("POST", "/api/v1/break-glass", `{"patient_id":"`+patient+`","reason":"unconscious"}`).status)
		require.Equal(t, http.StatusOK, s.as(emergency.token).do("GET", records+"/"+note, "").status, "an emergency opens what is restricted")

		stranger, _ := s.clinician("stranger@example.org")
		require.Empty(t, s.as(stranger).do("GET", records, "").items())
		require.Equal(t, http.StatusNotFound, s.as(stranger).do("GET", records+"/"+open, "").status)
		require.Equal(t, http.StatusNotFound, s.as(stranger).do("POST", records, `{"patient_id":"`+patient+`","kind":"intake","title":"x"}`).status)
	})
}

// Records that 42 CFR Part 2 protects are shown only with the patient's consent, and with the notice. Each time one
// is shown, a disclosure is stored.
func TestPart2RecordsNeedConsent(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		colleague, colleagueID := s.clinician("colleague@example.org", patient)
		other, _ := s.clinician("other@example.org", patient)
		note := s.as(author).record(patient, `"kind":"sud_counseling_note","content":"`+canary+`"`)
		s.as(author).sign(note)
		require.Contains(t, s.as(author).do("GET", records+"/"+note, "").at("notice"), "42 CFR part 2")
		for where, r := range s.as(colleague).reach(patient, note) {
			require.NotContains(t, r.text, canary, where)
			require.NotContains(t, r.text, note, where)
		}
		disclosures := func() []any { return s.as(author).do("GET", "/api/v1/patients/"+patient+"/disclosures", "").items() }
		require.Empty(t, disclosures(), "the author's own reading is none")

		r := s.as(author).do("POST", "/api/v1/patients/"+patient+"/consents", `{"kind":"part2","purpose":"Treatment","recipient_id":"`+colleagueID+`"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		consent := r.at("id").(string)
		r = s.as(colleague).do("GET", records+"/"+note, "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Contains(t, r.at("notice"), "42 CFR part 2")
		require.Len(t, disclosures(), 1)
		r = s.as(colleague).do("GET", "/api/v1/patients/"+patient+"/medical-records", "")
		require.Equal(t, []string{note}, r.ids())
		require.Contains(t, r.text, "42 CFR part 2", "in a list too")
		require.Len(t, disclosures(), 2)
		kept := disclosures()[0].(map[string]any)
		require.Equal(t, note, kept["record_id"])
		require.Equal(t, consent, kept["consent_id"])
		require.Equal(t, colleagueID, kept["recipient_id"])
		require.Contains(t, kept["notice"], "42 CFR part 2")
		require.Equal(t, http.StatusNotFound, s.as(other).do("GET", records+"/"+note, "").status, "the consent names somebody else")

		outside := "/api/v1/patients/" + patient + "/disclosures"
		body := `{"record_id":"` + note + `","recipient":"Example Hospital","purpose":"Referral"`
		require.Equal(t, http.StatusUnprocessableEntity, s.as(author).do("POST", outside, body+"}").status)
		everybody := s.as(author).consent(patient, "")
		r = s.as(author).do("POST", outside, body+`,"consent_id":"`+everybody+`"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Contains(t, r.at("notice"), "42 CFR part 2")

		require.Equal(t, http.StatusOK, s.as(author).do("POST", "/api/v1/consents/"+everybody+"/revocation", "", `If-Match: "1"`).status)
		r = s.as(author).do("POST", "/api/v1/consents/"+consent+"/revocation", "", `If-Match: "1"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, http.StatusConflict, s.as(author).do("POST", "/api/v1/consents/"+consent+"/revocation", "", "If-Match: *").status)
		require.Equal(t, http.StatusNotFound, s.as(colleague).do("GET", records+"/"+note, "").status)
		require.Equal(t, http.StatusUnprocessableEntity, s.as(author).do("POST", outside, body+`,"consent_id":"`+everybody+`"}`).status)

		r = s.as(author).do("POST", "/api/v1/patients/"+patient+"/consents", `{"kind":"part2","purpose":"Treatment","granted_at":"2020-01-01T00:00:00Z","expires_at":"2020-02-01T00:00:00Z"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Equal(t, http.StatusNotFound, s.as(colleague).do("GET", records+"/"+note, "").status, "it has expired")
	})
}
