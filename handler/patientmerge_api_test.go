package handler_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

// Rows of both patients of a merged person are shown with the kept patient. Each row names the patient that it
// belongs to, and goes back with that patient. Consents count only for the patient that they were recorded for, so a
// merge opens nothing that 42 CFR Part 2 protects.
func TestMergedPatientsAreOnePerson(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		desk := s.as(s.person("desk@example.org", service.RoleFrontDesk).token)
		kept, merged := s.register(ada), s.register(ada)
		of := func(patient, rest string) string { return "/api/v1/patients/" + patient + rest }
		treatsMerged, treatsMergedID := s.clinician("merged@example.org")
		desk.assign(treatsMergedID, merged)
		author := s.as(treatsMerged)
		restricted := author.record(merged, `"sensitivity":"restricted",`+phq9)
		protected := author.record(merged, `"kind":"sud_counseling_note","content":"`+canary+`"`)
		author.sign(restricted)
		author.sign(protected)
		consent := author.consent(merged, "")
		disclosure := author.do("POST", of(merged, "/disclosures"), `{"recipient":"x","purpose":"x","record_id":"`+restricted+`"}`).at("id").(string)

		treatsKept, treatsKeptID := s.clinician("kept@example.org")
		desk.assign(treatsKeptID, kept)
		reader := s.as(treatsKept)
		reader.consent(kept, `,"recipient_id":"`+treatsMergedID+`"`)
		keptConsents := reader.do("GET", of(kept, "/consents"), "").ids()
		require.Len(t, keptConsents, 1)
		emergency := s.person("emergency@example.org", service.RoleClinician)
		require.Equal(t, http.StatusCreated, s.as(emergency.token).do("POST", "/api/v1/break-glass", `{"patient_id":"`+kept+`","reason":"unconscious"}`).status)

		shown := func(who *stack) map[string][]string {
			out := map[string][]string{"search": who.do("GET", "/api/v1/patients?last_name=garcia-lopez&first_name=zoe", "").ids()}
			for _, rest := range []string{"/medical-records", "/risk-flags", "/consents", "/disclosures"} {
				out[rest] = who.do("GET", of(kept, rest), "").ids()
			}
			latest, _ := who.do("GET", of(kept, "/chart"), "").at("latest_records").([]any)
			for _, m := range latest {
				out["chart"] = append(out["chart"], m.(map[string]any)["id"].(string))
			}
			return out
		}
		before := shown(reader)
		require.Equal(t, []string{kept}, before["search"])
		require.Empty(t, before["/medical-records"])

		r := desk.do("POST", of(merged, "/merge"), `{"into_id":"`+kept+`","reason":"Registered twice"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		during := shown(reader)
		require.ElementsMatch(t, []string{kept, merged}, during["search"])
		require.ElementsMatch(t, []string{restricted, protected}, during["/medical-records"], "an assignment is to the person; the merged row's consent is everybody's")
		require.Equal(t, during["/medical-records"], during["chart"])
		require.Len(t, during["/risk-flags"], 1)
		require.ElementsMatch(t, append(keptConsents, consent), during["/consents"])
		require.Contains(t, during["/disclosures"], disclosure)
		carers := []string{}
		for _, item := range desk.do("GET", of(kept, "/clinicians"), "").items() {
			if c := item.(map[string]any); c["kind"] == "assigned" {
				carers = append(carers, c["account_id"].(string))
			}
		}
		require.ElementsMatch(t, []string{treatsKeptID, treatsMergedID}, carers)
		auditor := s.as(s.account("auditor@example.org", nil, service.RoleAuditor))
		for _, patient := range []string{kept, merged} {
			page := auditor.page(of(patient, "/accounting"))
			require.Equal(t, 2, strings.Count(page, "<td>patient: created"), "both registrations")
			require.Equal(t, 1, strings.Count(page, "<td>patient: merge<"), "an event that names both is one")
		}
		require.Equal(t, []string{restricted}, s.as(emergency.token).do("GET", records+"?kind=assessment", "").ids(), "an emergency is the person's")

		r = reader.do("POST", of(kept, "/disclosures"), `{"recipient":"x","purpose":"x","record_id":"`+restricted+`"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Equal(t, merged, r.at("patient_id"), "it is of the row whose record it is")
		r = reader.do("POST", of(kept, "/disclosures"), `{"recipient":"x","purpose":"x","record_id":"`+protected+`","consent_id":"`+keptConsents[0]+`"}`)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
		r = reader.do("POST", of(kept, "/disclosures"), `{"recipient":"x","purpose":"x","record_id":"`+protected+`","consent_id":"`+consent+`"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)

		require.Equal(t, http.StatusNoContent, desk.do("DELETE", of(kept, "/clinicians/"+treatsMergedID), "", "If-Match: *").status, "for the person")
		desk.assign(treatsMergedID, merged)
		require.Equal(t, http.StatusOK, author.do("POST", "/api/v1/consents/"+consent+"/revocation", "", "If-Match: *").status)
		author.consent(kept, "")
		require.Equal(t, http.StatusNotFound, reader.do("GET", records+"/"+protected, "").status, "a consent of the kept row opens nothing of the merged one")

		var strangers int64
		require.NoError(t, s.db.Raw("SELECT count(*) FROM auditlog AS e WHERE e.entity_type IN ('disclosure', 'consent') AND e.action IN ('create', 'disclose') AND "+
			"e.outcome = 'success' AND NOT EXISTS (SELECT 1 FROM auditsubject AS s WHERE s.event_id = e.id AND s.entity_type = 'patient' AND s.entity_id IN (?, ?))",
			kept, merged).Scan(&strangers).Error)
		require.Zero(t, strangers)

		require.Equal(t, http.StatusOK, desk.do("POST", of(merged, "/unmerge"), `{"reason":"Not the same"}`, "If-Match: *").status)
		after := shown(reader)
		require.Equal(t, before["search"], after["search"])
		require.Empty(t, after["/medical-records"])
		require.Empty(t, after["/risk-flags"])
		require.NotContains(t, after["/consents"], consent)
		require.Empty(t, after["/disclosures"])
		for _, patient := range []string{kept, merged} {
			r := s.do("DELETE", of(patient, "?purge=true&reason=x"), "", "If-Match: *")
			require.Equal(t, http.StatusNoContent, r.status, r.text)
		}
	})
}
