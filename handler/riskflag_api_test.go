package handler_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

const quiet = `"questionnaire":{"instrument":"phq-9","answers":[1,2,3,0,1,2,3,0,0]}`

// flags returns the ids of a patient's flags. With open, it returns only unresolved flags.
func (s *stack) flags(patient string, open bool) []string {
	s.t.Helper()
	path := "/api/v1/patients/" + patient + "/risk-flags"
	if open {
		path += "?open=true"
	}
	return s.do("GET", path, "").ids()
}

func (s *stack) markError(record string) {
	s.t.Helper()
	r := s.do("POST", records+"/"+record+"/entered-in-error", `{"reason":"Another patient's"}`, "If-Match: *")
	require.Equal(s.t, http.StatusOK, r.status, r.text)
}

// A flag ends when its record is marked as entered in error. Otherwise it ends only by a review.
func TestFlagsEndWithTheirRecords(t *testing.T) {
	t.Parallel()
	risk := strings.TrimPrefix(phq9, `"kind":"assessment",`)
	onEachEngine(t, func(t *testing.T, s *stack) {
		for name, c := range map[string]struct {
			versions []string // of a record, the first one first
			wrong    []int    // the versions to mark, in this order
			open     []bool   // whether the flag is open after each mark
		}{
			"a draft":                      {[]string{}, []int{0}, []bool{false}},
			"the only version":             {[]string{risk}, []int{0}, []bool{false}},
			"both tell of it":              {[]string{risk, risk}, []int{0, 1}, []bool{true, false}},
			"both tell of it, backwards":   {[]string{risk, risk}, []int{1, 0}, []bool{true, false}},
			"the amendment tells of none":  {[]string{risk, quiet}, []int{1, 0}, []bool{true, false}},
			"the amended one was wrong":    {[]string{risk, quiet}, []int{0}, []bool{false}},
			"only the amendment tells":     {[]string{quiet, risk}, []int{1}, []bool{false}},
			"the one that tells of none":   {[]string{quiet, risk}, []int{0}, []bool{true}},
			"it went from one to the next": {[]string{risk, quiet, risk}, []int{0, 2}, []bool{true, false}},
		} {
			patient := s.register(ada)
			var versions []string
			if len(c.versions) == 0 {
				versions = []string{s.record(patient, phq9)}
			}
			for i, members := range c.versions {
				if i == 0 {
					versions = append(versions, s.record(patient, `"kind":"assessment",`+members))
					s.sign(versions[0])
				} else {
					versions = append(versions, s.amend(versions[i-1], members))
				}
			}
			require.Len(t, s.flags(patient, false), 1, "%s: one flag for all versions", name)
			require.Len(t, s.flags(patient, true), 1, name)
			for i, wrong := range c.wrong {
				s.markError(versions[wrong])
				require.Len(t, s.flags(patient, true), map[bool]int{true: 1}[c.open[i]], "%s: after %d", name, i)
			}
			items := s.do("GET", "/api/v1/patients/"+patient+"/risk-flags", "").items()
			require.Len(t, items, 1)
			flag := items[0].(map[string]any)
			if flag["resolved_at"] == nil {
				continue
			}
			require.Equal(t, "The record was entered in error.", flag["finding"], name)
			require.NotNil(t, flag["resolved_by"])
			var changed int64
			require.NoError(t, s.db.Raw("SELECT count(*) FROM auditlog AS e JOIN auditsubject AS s ON s.event_id = e.id WHERE e.entity_type = 'riskflag' AND "+
				"s.entity_id = ? AND s.row_digest IS NOT NULL AND e.action <> 'create'", flag["id"]).Scan(&changed).Error)
			require.EqualValues(t, 1, changed, "%s: its end is an event", name)
		}
	})
}

// An amendment raises a flag only if no earlier flag still awaits a review.
func TestAmendmentsKeepTheFlag(t *testing.T) {
	t.Parallel()
	risk := strings.TrimPrefix(phq9, `"kind":"assessment",`)
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		first := s.record(patient, phq9)
		s.sign(first)
		flag := s.flags(patient, true)
		second := s.amend(first, risk)
		third := s.amend(second, quiet)
		require.Equal(t, flag, s.flags(patient, false))
		require.Equal(t, flag, s.flags(patient, true), "answers that tell of none any more resolve nothing")
		r := s.do("POST", "/api/v1/risk-flags/"+flag[0]+"/reviews", `{"finding":"Safe"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		s.amend(third, risk)
		require.Len(t, s.flags(patient, true), 1, "it is to be reviewed again")
		require.NotEqual(t, flag, s.flags(patient, true))
	})
}

// The notice of 42 CFR 2.32 accompanies every flag about a record that Part 2 protects, wherever the flag is shown,
// and no other flag.
func TestFlagsOfPart2RecordsCarryTheNotice(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		author, _ := s.clinician("author@example.org", patient)
		colleague, _ := s.clinician("colleague@example.org", patient)
		s.as(author).record(patient, phq9)
		s.as(author).sign(s.as(author).record(patient, `"sensitivity":"part2",`+phq9))
		s.as(author).consent(patient, "")
		for _, who := range []string{author, colleague} {
			shown, _ := s.as(who).do("GET", "/api/v1/patients/"+patient+"/chart", "").at("risk_flags").([]any)
			for where, flags := range map[string][]any{"list": s.as(who).do("GET", "/api/v1/patients/"+patient+"/risk-flags", "").items(), "chart": shown} {
				require.Len(t, flags, 2, where)
				require.NotContains(t, flags[0], "notice", where)
				require.Equal(t, service.Part2Notice, flags[1].(map[string]any)["notice"], where)
			}
		}
	})
}
