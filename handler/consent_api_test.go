package handler_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A consent opens nothing to the account that records it, and nothing for the time before it.
func TestConsentsOpenNothingToWhoRecordsThem(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		colleague, colleagueID := s.clinician("colleague@example.org", patient)
		other, _ := s.clinician("other@example.org", patient)
		note := s.as(author).record(patient, `"kind":"sud_counseling_note","content":"`+canary+`"`)
		path := "/api/v1/patients/" + patient + "/consents"
		for _, refused := range []string{
			`"recipient_id":"` + colleagueID + `"`, `"granted_at":"` + time.Now().Add(time.Minute).Format(time.RFC3339) + `"`,
		} {
			r := s.as(colleague).do("POST", path, `{"kind":"part2","purpose":"Treatment",`+refused+`}`)
			require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
		}
		consent := s.as(colleague).consent(patient, `,"granted_at":"2020-01-01T00:00:00Z"`)
		s.as(colleague).hides(patient, note)
		s.as(author).sees(patient, note)
		s.as(other).sees(patient, note)
		require.Equal(t, http.StatusOK, s.as(colleague).do("GET", "/api/v1/consents/"+consent, "").status, "who recorded it sees it")
		s.as(author).consent(patient, "")
		s.as(colleague).sees(patient, note)
	})
}

// Consents and disclosures reveal records, so they are shown only together with them.
func TestConsentsAndDisclosuresAreShownWithTheirRecords(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		recipient, recipientID := s.clinician("recipient@example.org", patient)
		other, _ := s.clinician("other@example.org", patient)
		note := s.as(author).record(patient, `"kind":"sud_counseling_note","content":"x"`)
		restricted := s.as(author).record(patient, `"kind":"intake","sensitivity":"restricted","content":"x"`)
		s.as(author).sign(note)
		s.as(author).sign(restricted)
		consent := s.as(author).consent(patient, `,"recipient_id":"`+recipientID+`"`)
		disclosures := "/api/v1/patients/" + patient + "/disclosures"
		disclose := func(members string) string {
			r := s.as(author).do("POST", disclosures, `{"recipient":"`+canary+`","purpose":"`+canary+`"`+members+`}`)
			require.Equal(t, http.StatusCreated, r.status, r.text)
			return r.at("id").(string)
		}
		before := s.as(author).consent(patient, "")
		ofNote, ofConsent := disclose(`,"record_id":"`+note+`","consent_id":"`+before+`"`), disclose(`,"consent_id":"`+before+`"`)
		require.Equal(t, http.StatusOK, s.as(author).do("POST", "/api/v1/consents/"+before+"/revocation", "", "If-Match: *").status)
		ofRestricted, general := disclose(`,"record_id":"`+restricted+`"`), disclose("")
		require.Equal(t, []string{general, ofRestricted, ofConsent, ofNote}, s.as(author).do("GET", disclosures, "").ids())
		require.Equal(t, []string{general, ofConsent, ofNote}, s.as(recipient).do("GET", disclosures, "").ids())
		require.Equal(t, []string{general}, s.as(other).do("GET", disclosures, "").ids())
		require.Equal(t, []string{general}, s.as(other).do("GET", disclosures+"?limit=1", "").ids())
		require.Nil(t, s.as(other).do("GET", disclosures+"?limit=1", "").at("next_cursor"))
		require.Equal(t, http.StatusUnprocessableEntity, s.as(other).do("POST", disclosures, `{"recipient":"x","purpose":"x","consent_id":"`+consent+`"}`).status)

		list, path := "/api/v1/patients/"+patient+"/consents", "/api/v1/consents/"+consent
		for _, who := range []string{author, recipient} {
			require.ElementsMatch(t, []string{consent, before}, s.as(who).do("GET", list, "").ids())
			require.Equal(t, http.StatusOK, s.as(who).do("GET", path, "").status)
		}
		require.Empty(t, s.as(other).do("GET", list, "").items())
		require.Equal(t, http.StatusNotFound, s.as(other).do("GET", path, "").status)
		require.Equal(t, http.StatusNotFound, s.as(other).do("POST", path+"/revocation", "", "If-Match: *").status)

		everybody := s.as(author).consent(patient, "")
		require.ElementsMatch(t, []string{consent, before, everybody}, s.as(other).do("GET", list, "").ids(), "now they see such records")
		require.Equal(t, http.StatusOK, s.as(author).do("POST", "/api/v1/consents/"+everybody+"/revocation", "", "If-Match: *").status)
		require.Empty(t, s.as(other).do("GET", list, "").items())
	})
}

// The date of a disclosure must be possible.
func TestDisclosuresAreDatedWhenTheyCouldBe(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		note := s.as(author).record(patient, `"kind":"sud_counseling_note","content":"x","occurred_at":"2020-01-01T00:00:00Z"`)
		s.as(author).sign(note)
		plain := s.as(author).record(patient, `"kind":"intake","content":"x","occurred_at":"2020-01-01T00:00:00Z"`)
		s.as(author).sign(plain)
		disclose := func(record, consent string, at time.Time) reply {
			members := `"recipient":"x","purpose":"x","record_id":"` + record + `","disclosed_at":"` + at.Format(time.RFC3339Nano) + `"`
			if consent != "" {
				members += `,"consent_id":"` + consent + `"`
			}
			return s.as(author).do("POST", "/api/v1/patients/"+patient+"/disclosures", "{"+members+"}")
		}
		refused := func(r reply, pointer string) {
			t.Helper()
			require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
			require.Contains(t, r.text, `"`+pointer+`"`)
		}
		before := time.Now()
		consent := s.as(author).consent(patient, `,"granted_at":"2020-01-02T00:00:00Z"`)
		during := time.Now()
		for _, record := range []string{note, plain} {
			refused(disclose(record, consent, time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)), "/disclosed_at")
			refused(disclose(record, consent, time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)), "/disclosed_at")
			refused(disclose(record, consent, time.Now().Add(time.Minute)), "/disclosed_at")
		}
		refused(disclose(note, consent, before), "/consent_id")
		require.Equal(t, http.StatusCreated, disclose(plain, "", before).status)
		require.Equal(t, http.StatusCreated, disclose(note, consent, during).status)

		expired := s.as(author).consent(patient, `,"granted_at":"2020-01-02T00:00:00Z","expires_at":"`+during.Format(time.RFC3339Nano)+`"`)
		refused(disclose(note, expired, time.Now()), "/consent_id")
		refused(disclose(note, expired, during), "/consent_id")

		require.Equal(t, http.StatusOK, s.as(author).do("POST", "/api/v1/consents/"+consent+"/revocation", "", "If-Match: *").status)
		refused(disclose(note, consent, time.Now()), "/consent_id")
		require.Equal(t, http.StatusCreated, disclose(note, consent, during).status, "told late, of when it held")
	})
}

// A record is not disclosed if it is unsigned or was entered in error. A consent that names an account permits no
// disclosure outside.
func TestDisclosuresThatAreRefused(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		_, colleagueID := s.clinician("colleague@example.org", patient)
		write := func(members string) string { return s.as(author).record(patient, members+`,"content":"x"`) }
		disclose := func(members string) reply {
			return s.as(author).do("POST", "/api/v1/patients/"+patient+"/disclosures", `{"recipient":"Court","purpose":"x"`+members+`}`)
		}
		note := write(`"kind":"sud_counseling_note"`)
		named, everybody := s.as(author).consent(patient, `,"recipient_id":"`+colleagueID+`"`), s.as(author).consent(patient, "")
		of := func(record string) string { return `,"record_id":"` + record + `","consent_id":"` }
		require.Equal(t, http.StatusConflict, disclose(of(note)+everybody+`"`).status, "a draft")
		s.as(author).sign(note)
		for _, members := range []string{of(note), `,"consent_id":"`} {
			r := disclose(members + named + `"`)
			require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
			require.Contains(t, r.text, "/consent_id")
		}
		require.Equal(t, http.StatusCreated, disclose(of(note)+everybody+`"`).status)

		amendment := s.as(author).amend(note, `"content":"y"`)
		require.Equal(t, http.StatusCreated, disclose(of(note)+everybody+`"`).status, "an amended one")
		s.as(author).markError(amendment)
		draft := write(`"kind":"intake"`)
		s.as(author).markError(draft)
		for _, wrong := range []string{amendment, draft} {
			r := disclose(of(wrong) + everybody + `"`)
			require.Equal(t, http.StatusConflict, r.status, r.text)
		}
	})
}

// A patient can revoke consents through any treating clinician. That clinician learns nothing about the consents.
func TestAnybodyInLastingCareRecordsARevocation(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, none := s.register(ada), s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		colleague, colleagueID := s.clinician("colleague@example.org", patient)
		other, _ := s.clinician("other@example.org", patient, none)
		stranger, _ := s.clinician("stranger@example.org")
		note := s.as(author).record(patient, `"kind":"sud_counseling_note","content":"`+canary+`"`)
		consent := s.as(author).consent(patient, `,"recipient_id":"`+colleagueID+`"`)
		s.as(colleague).sees(patient, note)
		path := "/api/v1/patients/" + patient + "/consents"
		r := s.as(stranger).do("POST", "/api/v1/break-glass", `{"patient_id":"`+patient+`","reason":"unconscious"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Equal(t, http.StatusNotFound, s.as(stranger).do("DELETE", path, "").status, "an emergency is no lasting care")
		s.as(colleague).sees(patient, note)
		for _, of := range []string{patient, none, patient} {
			r := s.as(other).do("DELETE", "/api/v1/patients/"+of+"/consents", "")
			require.Equal(t, http.StatusNoContent, r.status, r.text)
			require.Empty(t, r.text)
			require.Empty(t, r.header.Get("ETag"))
		}
		s.as(colleague).hides(patient, note)
		require.Empty(t, s.as(other).do("GET", path, "").items())
		r = s.as(author).do("GET", "/api/v1/consents/"+consent, "")
		require.NotNil(t, r.at("revoked_at"))
		require.EqualValues(t, 2, r.at("version"), "once")
	})
}
