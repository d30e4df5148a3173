package handler_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/service"
)

func TestDuplicatesAreAskedAbout(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		desk := s.person("desk@example.org", service.RoleFrontDesk)
		clinician := s.person("clinician@example.org", service.RoleClinician)
		first := s.as(desk.token).do("POST", "/api/v1/patients", ada)
		require.Equal(t, http.StatusCreated, first.status, first.text)
		require.Empty(t, first.at("warnings"))

		again := strings.Replace(ada, "García-López", "GARCIA lopez", 1)
		r := s.as(desk.token).do("POST", "/api/v1/patients", again)
		require.Equal(t, http.StatusConflict, r.status, r.text)
		require.Equal(t, "patient.duplicate", r.at("code"))
		require.Equal(t, []any{first.at("id")}, r.at("candidates"))
		require.NotContains(t, r.text, "GARCIA")
		r = s.as(clinician.token).do("POST", "/api/v1/patients", again)
		require.Equal(t, http.StatusConflict, r.status, r.text)
		require.Equal(t, []any{}, r.at("candidates"), "the candidate is not in this clinician's care")
		require.EqualValues(t, 1, s.patients())

		require.Equal(t, http.StatusUnprocessableEntity, s.as(desk.token).do("POST", "/api/v1/patients", `{"allow_duplicate":true,`+again[1:]).status, "why?")
		r = s.as(desk.token).do("POST", "/api/v1/patients", another(again))
		require.Equal(t, http.StatusCreated, r.status, r.text)
		warnings := r.at("warnings").([]any)
		require.Len(t, warnings, 2, "the e-mail and the phone are a family's, perhaps")

		r = s.as(clinician.token).do("POST", "/api/v1/patients", strings.Replace(ada, "Zoë Ann", "Ann", 1))
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Empty(t, r.at("warnings"), "nobody of this clinician's has them")
		r = s.as(clinician.token).do("POST", "/api/v1/patients", strings.Replace(ada, "Zoë Ann", "Jo", 1))
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Len(t, r.at("warnings"), 2, "Ann has")

		for _, other := range []string{
			strings.Replace(ada, "1980-02-03", "1980-02-04", 1), strings.Replace(ada, "Zoë Ann", "Zoë", 1), strings.Replace(ada, "García-López", "López", 1),
		} {
			r = s.as(desk.token).do("POST", "/api/v1/patients", other)
			require.Equal(t, http.StatusCreated, r.status, r.text)
		}
	})
}

// When several clients register the same person at once, one succeeds.
func TestDuplicatesRace(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		const racers = 8
		statuses := make(chan int, racers)
		for range racers {
			go func() { statuses <- s.do("POST", "/api/v1/patients", ada).status }()
		}
		made := 0
		for range racers {
			if status := <-statuses; status == http.StatusCreated {
				made++
			} else {
				require.Equal(t, http.StatusConflict, status)
			}
		}
		require.Equal(t, 1, made)
	})
}

func TestMergeIsALink(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		desk := s.person("desk@example.org", service.RoleFrontDesk)
		kept, merged := s.register(ada), s.register(ada)
		treatsKept, _ := s.clinician("kept@example.org", kept)
		treatsMerged, _ := s.clinician("merged@example.org", merged)
		one := s.as(treatsKept).record(kept, `"kind":"intake","content":"Text"`)
		other := s.as(treatsMerged).record(merged, `"kind":"intake","content":"Text"`)
		chart := "/api/v1/patients/" + kept + "/medical-records"
		require.Equal(t, []string{one}, s.as(treatsKept).do("GET", chart, "").ids())

		path := "/api/v1/patients/" + merged + "/merge"
		body := `{"into_id":"` + kept + `","reason":"Registered twice"}`
		require.Equal(t, http.StatusPreconditionRequired, s.as(desk.token).do("POST", path, body).status)
		r := s.as(desk.token).do("POST", path, body, `If-Match: "1"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, kept, r.at("merged_into_id"))
		require.ElementsMatch(t, []string{one, other}, s.as(treatsKept).do("GET", chart, "").ids(), "the kept chart shows both")
		require.ElementsMatch(t, []string{one, other}, s.as(treatsMerged).do("GET", chart, "").ids(), "also to who treated the merged one")
		require.Equal(t, kept, s.as(treatsKept).do("GET", "/api/v1/patients/"+merged, "").at("merged_into_id"))

		r = s.as(treatsMerged).do("POST", records, `{"patient_id":"`+merged+`","kind":"intake","title":"x"}`)
		require.Equal(t, http.StatusConflict, r.status, "the kept chart is where to write")

		third := s.register(ada)
		for _, refused := range [][2]string{{merged, third}, {kept, third}, {third, merged}, {third, third}, {third, uuid.NewString()}} {
			r := s.as(desk.token).do("POST", "/api/v1/patients/"+refused[0]+"/merge", `{"into_id":"`+refused[1]+`","reason":"x"}`, "If-Match: *")
			require.Contains(t, []int{http.StatusConflict, http.StatusUnprocessableEntity}, r.status, r.text)
		}
		require.Equal(t, http.StatusConflict, s.do("DELETE", "/api/v1/patients/"+kept+"?purge=true&reason=x", "", "If-Match: *").status)

		r = s.as(desk.token).do("POST", "/api/v1/patients/"+merged+"/unmerge", `{"reason":"Not the same"}`, `If-Match: "2"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Nil(t, r.at("merged_into_id"))
		require.Equal(t, []string{one}, s.as(treatsKept).do("GET", chart, "").ids())
		require.Equal(t, http.StatusNotFound, s.as(treatsMerged).do("GET", chart, "").status)
		var actions []string
		require.NoError(t, s.db.Raw("SELECT action FROM auditlog WHERE entity_id = ? AND action IN ('merge', 'unmerge') AND outcome = 'success' ORDER BY id", merged).
			Scan(&actions).Error)
		require.Equal(t, []string{audit.Merge, audit.Unmerge}, actions)
	})
}

// Two merges in opposite directions cannot both succeed.
func TestMergesRace(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		for range 5 {
			a, b := s.register(ada), s.register(ada)
			statuses := make(chan int, 2)
			for _, pair := range [][2]string{{a, b}, {b, a}} {
				go func() {
					statuses <- s.do("POST", "/api/v1/patients/"+pair[0]+"/merge", `{"into_id":"`+pair[1]+`","reason":"x"}`, "If-Match: *").status
				}()
			}
			require.ElementsMatch(t, []int{http.StatusOK, http.StatusConflict}, []int{<-statuses, <-statuses})
		}
	})
}
