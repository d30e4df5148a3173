package handler_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

// amend amends a signed record and returns the new one's id.
func (s *stack) amend(record, members string) string {
	s.t.Helper()
	r := s.do("POST", records+"/"+record+"/amendments", `{"amendment_reason":"x",`+members+`}`)
	require.Equal(s.t, http.StatusCreated, r.status, r.text)
	return r.at("id").(string)
}

// consent records a consent of a patient. members are further members besides the kind and the purpose.
func (s *stack) consent(patient, members string) string {
	s.t.Helper()
	r := s.do("POST", "/api/v1/patients/"+patient+"/consents", `{"kind":"part2","purpose":"Treatment"`+members+`}`)
	require.Equal(s.t, http.StatusCreated, r.status, r.text)
	return r.at("id").(string)
}

// assign brings patients into a clinician's care, as the front desk.
func (s *stack) assign(account string, patients ...string) {
	s.t.Helper()
	for _, patient := range patients {
		r := s.do("POST", "/api/v1/patients/"+patient+"/clinicians", `{"account_id":"`+account+`"}`)
		require.Equal(s.t, http.StatusCreated, r.status, r.text)
	}
}

// sees requests records in every way that shows one, and requires the same records from each.
func (s *stack) sees(patient string, want ...string) {
	s.t.Helper()
	of := "/api/v1/patients/" + patient
	for _, path := range []string{records, records + "?status=final", of + "/medical-records"} {
		ids := s.do("GET", path, "").ids()
		require.Subset(s.t, want, ids, path)
		if path != records+"?status=final" {
			require.ElementsMatch(s.t, want, ids, path)
		}
	}
	latest := []string{}
	shown, _ := s.do("GET", of+"/chart", "").at("latest_records").([]any)
	for _, m := range shown {
		latest = append(latest, m.(map[string]any)["id"].(string))
	}
	require.ElementsMatch(s.t, want, latest, "the chart")
	for _, id := range want {
		require.Equal(s.t, http.StatusOK, s.do("GET", records+"/"+id, "").status)
		require.ElementsMatch(s.t, want, s.do("GET", records+"/"+id+"/history", "").ids())
	}
}

// hides requires that no request shows anything of the hidden records.
func (s *stack) hides(patient string, hidden ...string) {
	s.t.Helper()
	for _, id := range hidden {
		for where, r := range s.reach(patient, id) {
			require.NotContains(s.t, r.text, id, where)
			require.NotContains(s.t, r.text, canary, where)
		}
	}
}

// Access to a chain of amendments depends on its first author. An author of an amendment gains no access by it, and
// loses access when their assignment or the consent ends.
func TestAmendingDoesNotChangeTheScope(t *testing.T) {
	t.Parallel()
	for sensitivity, kind := range map[string]string{
		"restricted": `"kind":"intake","sensitivity":"restricted"`, "part2": `"kind":"sud_counseling_note"`, "part2 intake": `"kind":"intake","sensitivity":"part2"`,
	} {
		t.Run(sensitivity, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, s *stack) {
				patient := s.register(ada)
				author, _ := s.clinician("author@example.org", patient)
				colleague, colleagueID := s.clinician("colleague@example.org", patient)
				third, _ := s.clinician("third@example.org", patient)
				desk := s.person("desk@example.org", service.RoleFrontDesk)
				note := s.as(author).record(patient, kind+`,"content":"`+canary+`"`)
				s.as(author).sign(note)
				s.as(colleague).hides(patient, note)
				var consent string
				if sensitivity == "restricted" {
					s.as(desk.token).assign(colleagueID, patient)
				} else {
					consent = s.as(author).consent(patient, `,"recipient_id":"`+colleagueID+`"`)
				}
				amendment := s.as(colleague).amend(note, `"title":"Changed"`)
				last := s.as(author).amend(amendment, `"content":"`+canary+` again"`)
				chain := []string{note, amendment, last}
				s.as(author).sees(patient, chain...)
				s.as(colleague).sees(patient, chain...)
				s.as(third).hides(patient, chain...)

				if sensitivity == "restricted" {
					require.NoError(t, s.db.Exec("DELETE FROM carerelationship WHERE account_id = ? AND kind = 'assigned'", colleagueID).Error)
				} else {
					require.Equal(t, http.StatusOK, s.as(author).do("POST", "/api/v1/consents/"+consent+"/revocation", "", "If-Match: *").status)
				}
				s.as(colleague).hides(patient, chain...)
				s.as(author).sees(patient, chain...)
				s.as(third).hides(patient, chain...)
			})
		})
	}
}

// Each way of showing a record under 42 CFR Part 2 to an account other than its first author stores a disclosure. The
// ways include amending it, marking the amendment, and a flag.
func TestWhateverShowsPart2RecordsDisclosesThem(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		colleague, colleagueID := s.clinician("colleague@example.org", patient)
		note := s.as(author).record(patient, `"sensitivity":"part2",`+phq9)
		s.as(author).sign(note)
		consent := s.as(author).consent(patient, `,"recipient_id":"`+colleagueID+`"`)
		kept := func() []any {
			items := s.as(author).do("GET", "/api/v1/patients/"+patient+"/disclosures", "").items()
			for _, item := range items {
				require.Equal(t, consent, item.(map[string]any)["consent_id"])
				require.Equal(t, colleagueID, item.(map[string]any)["recipient_id"])
				require.NotNil(t, item.(map[string]any)["notice"])
			}
			return items
		}
		require.Empty(t, kept())
		body := `{"amendment_reason":"x","title":"Changed"}`
		amendment := s.as(colleague).do("POST", records+"/"+note+"/amendments", body, "Idempotency-Key: once").at("id").(string)
		require.Len(t, kept(), 1)
		require.Equal(t, amendment, kept()[0].(map[string]any)["record_id"])
		require.Equal(t, http.StatusCreated, s.as(colleague).do("POST", records+"/"+note+"/amendments", body, "Idempotency-Key: once").status)
		require.Len(t, kept(), 2, "shown again")
		require.Equal(t, http.StatusOK, s.as(colleague).do("GET", records+"/"+amendment, "").status)
		require.Len(t, kept(), 3, "the amendment is no more the amender's than what it amends")
		require.Equal(t, http.StatusOK, s.as(author).do("GET", records+"/"+amendment, "").status)
		require.Len(t, kept(), 3)

		flags := s.as(colleague).do("GET", "/api/v1/patients/"+patient+"/risk-flags", "").ids()
		require.Len(t, flags, 1)
		require.Len(t, kept(), 4, "a flag says something of its record")
		r := s.as(colleague).do("POST", "/api/v1/risk-flags/"+flags[0]+"/reviews", `{"finding":"Safe"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status)
		require.Equal(t, service.Part2Notice, r.at("notice"))
		require.Len(t, kept(), 5)
		require.Equal(t, http.StatusOK, s.as(colleague).do("POST", records+"/"+amendment+"/entered-in-error", `{"reason":"x"}`, "If-Match: *").status)
		require.Len(t, kept(), 6)
	})
}

// A clinician in care by a registration, an appointment or a record cannot open restricted records by assigning
// themselves.
func TestNobodyAssignsThemselves(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, authorID := s.clinician("author@example.org", patient)
		colleague, colleagueID := s.clinician("colleague@example.org", patient)
		note := s.as(author).record(patient, `"kind":"intake","sensitivity":"restricted","content":"`+canary+`"`)
		r := s.as(colleague).do("POST", "/api/v1/patients/"+patient+"/clinicians", `{"account_id":"`+colleagueID+`"}`)
		require.Equal(t, http.StatusForbidden, r.status, r.text)
		s.as(colleague).hides(patient, note)
		s.as(colleague).assign(authorID, patient)
		s.as(author).assign(colleagueID, patient)
		s.as(colleague).sees(patient, note)
	})
}

// If an amendment is marked as entered in error, the amended record counts again. The author of that record may mark
// the amendment, and then write another one, which starts from the record's content. The history still lists every
// version.
func TestWhatWasAmendedInErrorStandsAgain(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, authorID := s.clinician("author@example.org", patient)
		colleague, _ := s.clinician("colleague@example.org", patient)
		third, _ := s.clinician("third@example.org", patient)
		for _, sensitivity := range []string{"normal", "part2"} {
			first := s.as(author).record(patient, `"sensitivity":"`+sensitivity+`",`+phq9)
			s.as(author).sign(first)
			if sensitivity == "part2" {
				s.as(author).consent(patient, "")
			}
			second := s.as(colleague).amend(first, `"title":"Wrong"`)
			again := func(record string) reply {
				return s.as(author).do("POST", records+"/"+record+"/amendments", `{"amendment_reason":"x","content":"y"}`)
			}
			require.Equal(t, http.StatusConflict, again(first).status)
			mark := func(who, record string) int {
				return s.as(who).do("POST", records+"/"+record+"/entered-in-error", `{"reason":"x"}`, "If-Match: *").status
			}
			require.Equal(t, http.StatusForbidden, mark(third, second))
			require.Equal(t, http.StatusForbidden, mark(colleague, first))
			require.Equal(t, http.StatusOK, mark(author, second))
			require.Equal(t, http.StatusConflict, again(second).status, "it is in error")
			r := again(first)
			require.Equal(t, http.StatusCreated, r.status, r.text)
			require.Equal(t, canary+" title", r.at("title"), "from what stands")
			require.Equal(t, second, r.at("supersedes_id"))
			fourth := r.at("id").(string)
			require.Equal(t, http.StatusConflict, again(first).status, "amended once more")
			require.Equal(t, []string{first, second, fourth}, s.as(author).do("GET", records+"/"+first+"/history", "").ids())
			for record, status := range map[string]string{first: "amended", second: "entered-in-error", fourth: "final"} {
				require.Equal(t, status, s.as(author).do("GET", records+"/"+record, "").at("status"))
			}
			require.Equal(t, http.StatusOK, mark(author, fourth))
			require.Equal(t, fourth, again(first).at("supersedes_id"))
			require.Equal(t, http.StatusOK, mark(author, first), "the first one, too, whatever follows it")
		}
		safe := s.as(author).record(patient, `"kind":"assessment",`+quiet)
		s.as(author).sign(safe)
		s.as(author).markError(s.as(colleague).amend(safe, `"questionnaire":{"instrument":"phq-9","answers":[1,2,3,0,1,2,3,0,1]}`))
		items := s.as(author).do("GET", "/api/v1/patients/"+patient+"/risk-flags", "").items()
		require.Equal(t, authorID, items[len(items)-1].(map[string]any)["resolved_by"])
	})
}
