package handler_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

const (
	records = "/api/v1/medical-records"
	phq9    = `"kind":"assessment","questionnaire":{"instrument":"phq-9","answers":[1,2,3,0,1,2,3,0,1]}`
)

// record writes a draft and returns its id. members are further members besides the patient and the title.
func (s *stack) record(patient, members string) string {
	s.t.Helper()
	r := s.do("POST", records, `{"patient_id":"`+patient+`","title":"`+canary+` title",`+members+`}`)
	require.Equal(s.t, http.StatusCreated, r.status, r.text)
	return r.at("id").(string)
}

func (s *stack) sign(record string) {
	s.t.Helper()
	r := s.do("POST", records+"/"+record+"/sign", "", "If-Match: *")
	require.Equal(s.t, http.StatusOK, r.status, r.text)
}

// ids returns the ids of a list's items.
func (r reply) ids() []string {
	out := []string{}
	for _, item := range r.items() {
		members, _ := item.(map[string]any)
		id, _ := members["id"].(string)
		out = append(out, id)
	}
	return out
}

// clinician makes and logs in an account of a clinician that registered these patients.
func (s *stack) clinician(email string, patients ...string) (token, id string) {
	s.t.Helper()
	c := s.person(email, service.RoleClinician)
	for _, patient := range patients {
		require.NoError(s.t, repository.NewCareRepository(s.store).Note(s.t.Context(), uuid.MustParse(patient), c.id, models.CareRegistered, time.Now()))
	}
	return c.token, c.id.String()
}

func TestMedicalRecordLifeCycle(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		r := s.do("POST", records, `{"patient_id":"`+patient+`","kind":"progress_note","title":"First visit","content":"# Sleep\n\nWell.",`+
			`"occurred_at":"2026-02-03T10:00:00+01:00","codes":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"F41.1","display":"Generalized anxiety"}]}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		id := r.at("id").(string)
		path := records + "/" + id
		require.Equal(t, path, r.header.Get("Location"))
		require.Equal(t, `"1"`, r.header.Get("ETag"))
		require.Equal(t, "draft", r.at("status"))
		require.Equal(t, "normal", r.at("sensitivity"))
		require.Equal(t, "2026-02-03T09:00:00Z", r.at("occurred_at"))
		for _, member := range []string{"appointment_id", "questionnaire", "signed_at", "signed_by", "supersedes_id", "amendment_reason", "error_reason"} {
			require.Contains(t, r.body, member)
			require.Nil(t, r.at(member))
		}

		whole := s.do("GET", path, "").text
		require.Equal(t, http.StatusPreconditionRequired, s.do("PUT", path, whole).status)
		r = s.do("PUT", path, whole, `If-Match: "1"`)
		require.Equal(t, http.StatusOK, r.status, "what was read can be written back: %s", r.text)
		require.Equal(t, http.StatusPreconditionFailed, s.do("PATCH", path, `{"content":"lost"}`, `If-Match: "1"`).status, "the other editor was first")
		r = s.do("PATCH", path, `{"content":"# Sleep\n\nBetter. <script>x</script> ![p](http://example.org/p.png)","status":"final"}`, `If-Match: "2"`)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, "only signing signs")
		r = s.do("PATCH", path, `{"content":"# Sleep\n\nBetter. <script>x</script> ![p](http://example.org/p.png)"}`, `If-Match: "2"`)
		require.Equal(t, http.StatusOK, r.status, r.text)

		r = s.do("GET", path+"?render=html", "")
		html := r.at("content_html").(string)
		require.Contains(t, html, "<h1>Sleep</h1>")
		require.NotContains(t, html, "script")
		require.NotContains(t, html, "example.org")

		require.Equal(t, http.StatusConflict, s.do("POST", path+"/amendments", `{"amendment_reason":"x"}`).status, "a draft is changed, not amended")
		require.Equal(t, http.StatusPreconditionFailed, s.do("POST", path+"/sign", "", `If-Match: "2"`).status)
		r = s.do("POST", path+"/sign", "", `If-Match: "3"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, "final", r.at("status"))
		require.NotNil(t, r.at("signed_at"))
		require.Equal(t, r.at("author_id"), r.at("signed_by"))
		require.Equal(t, http.StatusConflict, s.do("POST", path+"/sign", "", "If-Match: *").status)
		r = s.do("PATCH", path, `{"content":"changed"}`, "If-Match: *")
		require.Equal(t, http.StatusConflict, r.status)
		require.Equal(t, "resource.conflict", r.at("code"))

		require.Equal(t, http.StatusUnprocessableEntity, s.do("POST", path+"/amendments", `{"content":"x"}`).status, "an amendment says why")
		r = s.do("POST", path+"/amendments", `{"amendment_reason":"Wrong day","content":"# Sleep\n\nWorse."}`, "Idempotency-Key: a1")
		require.Equal(t, http.StatusCreated, r.status, r.text)
		amendment := r.at("id").(string)
		require.Equal(t, "final", r.at("status"))
		require.Equal(t, id, r.at("supersedes_id"))
		require.Equal(t, "First visit", r.at("title"), "what an amendment does not name stays")
		require.Equal(t, amendment, s.do("POST", path+"/amendments", `{"amendment_reason":"Wrong day","content":"# Sleep\n\nWorse."}`, "Idempotency-Key: a1").at("id"))
		require.Equal(t, http.StatusConflict, s.do("POST", path+"/amendments", `{"amendment_reason":"Again"}`).status, "the latest version is amended")
		r = s.do("GET", path, "")
		require.Equal(t, "amended", r.at("status"))
		require.Contains(t, r.at("content"), "Better.")
		for _, version := range []string{id, amendment} {
			require.Equal(t, []string{id, amendment}, s.do("GET", records+"/"+version+"/history", "").ids())
		}

		r = s.do("POST", records+"/"+amendment+"/entered-in-error", `{"reason":"Another patient's"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, "entered-in-error", r.at("status"))
		require.Equal(t, "Another patient's", r.at("error_reason"))
		require.Equal(t, "Another patient's", s.do("GET", records+"/"+amendment, "").at("error_reason"))
		require.NotContains(t, s.do("GET", "/api/v1/audit-logs?entity_id="+amendment, "").text, "Another patient's", "who reads the log may not see the record")
		require.Equal(t, []string{amendment, id}, s.do("GET", "/api/v1/patients/"+patient+"/medical-records", "").ids())
	})
}

func TestMedicalRecordsThatAreRefused(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		for members, pointer := range map[string]string{
			`"kind":"poem"`: "/kind",
			`"kind":"progress_note","sensitivity":"psychotherapy"`:                                           "/sensitivity",
			`"kind":"psychotherapy_note","sensitivity":"normal"`:                                             "/sensitivity",
			`"kind":"sud_counseling_note","sensitivity":"normal"`:                                            "/sensitivity",
			`"kind":"diagnosis","codes":[{"system":"http://loinc.org","code":"` + canary + `"}]`:             "/codes/0/code",
			`"kind":"diagnosis","codes":[{"system":"icd-10-cm","code":"F41.1"}]`:                             "/codes/0/system",
			`"kind":"diagnosis","codes":[{"system":"https://LOINC.org/","code":"44249-1"}]`:                  "/codes/0/system",
			`"kind":"diagnosis","codes":[{"system":"http://loinc.org","code":"F41.1"}]`:                      "/codes/0/code",
			`"kind":"diagnosis","codes":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"44249-1"}]`:   "/codes/0/code",
			`"kind":"assessment","questionnaire":{"instrument":"phq-9","answers":[1,2,3,0,1,2,3,0,null]}`:    "/questionnaire/answers/8",
			`"kind":"assessment","questionnaire":{"instrument":"phq-9","answers":[1,2,3,0,1,2,3,0]}`:         "/questionnaire/answers",
			`"kind":"intake","content":"` + strings.Repeat("x", 100_001) + `"`:                               "/content",
			`"kind":"intake","occurred_at":"2199-01-01T00:00:00Z"`:                                           "/occurred_at",
			`"kind":"intake","questionnaire":{"instrument":"gad-7","answers":[0,0,0,0,0,0,0]}`:               "/questionnaire",
			`"kind":"assessment","questionnaire":{"instrument":"gad-7","answers":[0,0,0,0,0,0,4]}`:           "/questionnaire/answers",
			`"kind":"assessment","questionnaire":{"instrument":"gad-7","answers":[0,0,0,0,0,0]}`:             "/questionnaire/answers",
			`"kind":"assessment","questionnaire":{"instrument":"` + canary + `","answers":[]}`:               "/questionnaire/instrument",
			`"kind":"assessment","questionnaire":{"instrument":"gad-7","answers":[0,0,0,0,0,0,1],"score":0}`: "/questionnaire/score",
		} {
			r := s.do("POST", records, `{"patient_id":"`+patient+`","title":"x",`+members+`}`)
			require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
			require.Contains(t, r.text, `"`+pointer+`"`)
			require.NotContains(t, r.text, canary)
		}
		r := s.do("POST", records, `{"kind":"intake","title":"x"}`)
		require.Equal(t, http.StatusUnprocessableEntity, r.status)
		for _, system := range []string{`"http://hl7.org/fhir/sid/icd-10-cm","code":"U07.1"`, `"http://snomed.info/sct","code":"35489007"`, `"urn:oid:1.2.3","code":"x"`} {
			s.record(patient, `"kind":"diagnosis","codes":[{"system":`+system+`}]`)
		}
		empty := s.record(patient, `"kind":"intake"`)
		require.Equal(t, http.StatusUnprocessableEntity, s.do("POST", records+"/"+empty+"/sign", "", "If-Match: *").status, "nothing is signed")
	})
}

func TestQuestionnairesAreScored(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		id := s.record(patient, phq9)
		r := s.do("GET", records+"/"+id, "")
		require.InEpsilon(t, 13, r.at("questionnaire", "score"), 0)
		require.Equal(t, "moderate", r.at("questionnaire", "band"))
		require.Equal(t, "44249-1", r.at("questionnaire", "code"))
		require.Equal(t, "44261-6", r.at("questionnaire", "score_code"))
		require.Equal(t, http.StatusOK, s.do("PUT", records+"/"+id, r.text, "If-Match: *").status, "what was computed may come back")

		flags := s.do("GET", "/api/v1/patients/"+patient+"/risk-flags", "")
		require.Len(t, flags.items(), 1, "one flag for a record, however often it is saved")
		flag := flags.items()[0].(map[string]any)
		require.Equal(t, id, flag["record_id"])
		require.NotNil(t, flag["review_at"])
		path := "/api/v1/risk-flags/" + flag["id"].(string) + "/reviews"
		require.Equal(t, http.StatusPreconditionRequired, s.do("POST", path, `{"finding":"Safe"}`).status)
		r = s.do("POST", path, `{"finding":"Safe for now","review_at":"2199-01-01T00:00:00Z"}`, `If-Match: "1"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Nil(t, r.at("resolved_at"))
		r = s.do("POST", path, `{"finding":"Safe"}`, `If-Match: "2"`)
		require.NotNil(t, r.at("resolved_at"), r.text)
		require.Equal(t, http.StatusConflict, s.do("POST", path, `{"finding":"Safe"}`, "If-Match: *").status)
		require.Empty(t, s.do("GET", "/api/v1/patients/"+patient+"/risk-flags?open=true", "").items())

		quiet := s.register(ada)
		s.record(quiet, `"kind":"assessment","questionnaire":{"instrument":"phq-9","answers":[3,3,3,3,3,3,3,3,0]}`)
		s.record(quiet, `"kind":"assessment","questionnaire":{"instrument":"gad-7","answers":[3,3,3,3,3,3,3]}`)
		require.Empty(t, s.do("GET", "/api/v1/patients/"+quiet+"/risk-flags", "").items())
	})
}

// A patch of answers need not name the former score. A wrong computed member is still refused.
func TestAnswersArePatchedWithoutTheirScore(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		path := records + "/" + s.record(s.register(ada), phq9)
		patch := func(members string) reply {
			return s.do("PATCH", path, `{"questionnaire":{"answers":[0,0,0,0,0,0,0,0,1]`+members+`}}`, "If-Match: *")
		}
		r := patch("")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.InEpsilon(t, 1, r.at("questionnaire", "score"), 0)
		require.Equal(t, "minimal", r.at("questionnaire", "band"))
		require.Equal(t, http.StatusOK, patch(`,"score":1`).status)
		r = patch(`,"score":13`)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
		require.Contains(t, r.text, `"/questionnaire/score"`)
	})
}

// A misspelt filter must not give the same answer as a chart without such records.
func TestRecordFiltersThatMatchNoneAreRefused(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		id := s.record(patient, `"kind":"intake"`)
		for _, path := range []string{records, "/api/v1/patients/" + patient + "/medical-records"} {
			require.Equal(t, []string{id}, s.do("GET", path+"?kind=intake&status=draft", "").ids())
			require.Empty(t, s.do("GET", path+"?kind=intake&status=entered-in-error", "").items())
			for _, name := range []string{"kind", "status"} {
				r := s.do("GET", path+"?"+name+"="+canary, "")
				require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
				require.Contains(t, r.text, `"code":"unknown_value"`)
				require.NotContains(t, r.text, canary)
			}
		}
	})
}

// A client can request a record with its content as HTML.
func TestRenderings(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		path := records + "/" + s.record(s.register(ada), `"kind":"intake","content":"Text"`)
		r := s.do("GET", path+"?render=html", "", `If-None-Match: "1"`)
		require.Equal(t, http.StatusOK, r.status)
		require.Equal(t, `"1"`, r.header.Get("ETag"))
		require.Equal(t, "<p>Text</p>\n", r.at("content_html"))
		require.NotContains(t, s.do("GET", path, "").body, "content_html")
		require.Equal(t, http.StatusUnprocessableEntity, s.do("GET", path+"?render=pdf", "").status)
	})
}

// A draft accepts the members that the server sets only if they are unchanged, including the notice of 42 CFR Part 2.
func TestDraftsTakeWhatTheServerSetsUnchanged(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		path := records + "/" + s.record(s.register(ada), `"kind":"sud_counseling_note","content":"Text"`)
		read := s.do("GET", path, "")
		require.Equal(t, service.Part2Notice, read.at("notice"))
		require.Equal(t, http.StatusOK, s.do("PUT", path, read.text, "If-Match: *").status)
		for member, value := range map[string]string{
			"patient_id": uuid.NewString(), "author_id": uuid.NewString(), "status": "final", "notice": canary,
			"signed_by": uuid.NewString(), "signed_at": "2026-02-03T10:00:00Z", "supersedes_id": uuid.NewString(),
			"amendment_reason": canary, "error_reason": canary,
		} {
			r := s.do("PATCH", path, `{"`+member+`":"`+value+`"}`, "If-Match: *")
			require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
			require.Contains(t, r.text, `"pointer":"/`+member+`","code":"read_only"`)
			require.NotContains(t, r.text, canary)
		}
	})
}

// When several clients amend the same record at once, one succeeds.
func TestAmendmentsRace(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		id := s.record(patient, `"kind":"intake","content":"Text"`)
		s.sign(id)
		const racers = 8
		statuses := make(chan int, racers)
		for range racers {
			go func() {
				statuses <- s.do("POST", records+"/"+id+"/amendments", `{"amendment_reason":"Race"}`).status
			}()
		}
		made := 0
		for range racers {
			switch status := <-statuses; status {
			case http.StatusCreated:
				made++
			default:
				require.Contains(t, []int{http.StatusConflict, http.StatusPreconditionFailed}, status)
			}
		}
		require.Equal(t, 1, made)
		require.Len(t, s.do("GET", records+"/"+id+"/history", "").items(), 2)
	})
}

// partOf returns the path of a row of a patient in the caller's care. The caller makes the row if they are a
// clinician, else a clinician does.
func partOf(base, rest string, create func(s *stack, patient string) string) func(*stack, caller) string {
	return func(s *stack, c caller) string {
		patient := s.inCareOf(c.id, ada)
		writer := c
		if s.as(c.token).do("GET", records, "").status != http.StatusOK {
			writer = s.person(uuid.NewString()+"@example.org", service.RoleClinician)
			require.NoError(s.t, repository.NewCareRepository(s.store).Note(s.t.Context(), uuid.MustParse(patient), writer.id, models.CareAssigned, time.Now()))
		}
		return "/api/v1/" + base + "/" + create(s.as(writer.token), patient) + rest
	}
}

func recordPath(rest string) func(*stack, caller) string {
	return partOf("medical-records", rest, func(s *stack, patient string) string {
		return s.record(patient, `"kind":"progress_note","content":"Text"`)
	})
}

func signedRecordPath(rest string) func(*stack, caller) string {
	return partOf("medical-records", rest, func(s *stack, patient string) string {
		id := s.record(patient, `"kind":"progress_note","content":"Text"`)
		s.sign(id)
		return id
	})
}

func consentPath(rest string) func(*stack, caller) string {
	return partOf("consents", rest, func(s *stack, patient string) string {
		return s.do("POST", "/api/v1/patients/"+patient+"/consents", `{"kind":"part2","purpose":"Treatment"}`).at("id").(string)
	})
}

func riskFlagPath(rest string) func(*stack, caller) string {
	return partOf("risk-flags", rest, func(s *stack, patient string) string {
		s.record(patient, phq9)
		return s.do("GET", "/api/v1/patients/"+patient+"/risk-flags", "").ids()[0]
	})
}

// The next page of a list starts where the last page ended, even if the last row of that page has changed or is gone.
func TestRecordListsGoOnWhateverBecameOfTheLastRow(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, other := s.register(ada), s.register(ada)
		author, _ := s.clinician("author@example.org", patient, other)
		write := func(patient, month string) string {
			return s.as(author).record(patient, `"kind":"intake","occurred_at":"2026-`+month+`-01T10:00:00.123456Z"`)
		}
		last, middle, first := write(patient, "01"), write(other, "02"), write(patient, "03")
		page := func(cursor string) reply { return s.as(author).do("GET", records+"?limit=1"+cursor, "") }
		start := page("")
		require.Equal(t, []string{first}, start.ids())
		require.Equal(t, http.StatusOK, s.as(author).do("PATCH", records+"/"+first, `{"occurred_at":"2025-01-01T00:00:00Z"}`, "If-Match: *").status)
		next := page("&cursor=" + start.at("next_cursor").(string))
		require.Equal(t, []string{middle}, next.ids())
		require.NoError(t, s.db.Exec("DELETE FROM medicalrecord WHERE id = ?", middle).Error)
		next = page("&cursor=" + next.at("next_cursor").(string))
		require.Equal(t, []string{last}, next.ids())
	})
}
