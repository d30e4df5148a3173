package handler_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/repository"
	"novamind/service"
)

// severalFilter is a filter of a list, and two values that select different rows.
type severalFilter struct{ path, name, one, other string }

// severalFilters makes rows. It returns each filter that takes several values, for each list that has the filter.
func (s *stack) severalFilters() []severalFilter {
	ada, eva := s.register(ada), s.register(ada)
	first, second := s.clinicianWithCare("first@example.org", ada, eva), s.clinicianWithCare("second@example.org", ada, eva)
	book := func(path, patient string, practitioner caller, hours int, more string) string {
		r := s.do("POST", path, visit(patient, practitioner.id.String(), hours, more))
		require.Equal(s.t, http.StatusCreated, r.status, r.text)
		return r.at("id").(string)
	}
	const appointments, series, weekly = "/api/v1/appointments", "/api/v1/appointment-series", `,"rule":"FREQ=WEEKLY;COUNT=2"`
	one, other := book(appointments, ada, first, 0, ""), book(appointments, ada, second, 2, "")
	arrives := s.do("POST", appointments+"/"+other+"/transitions", `{"to":"cancelled","reason":"moves away"}`, "If-Match: *")
	require.Equal(s.t, http.StatusOK, arrives.status, arrives.text)
	book(appointments, eva, first, 4, "")
	oneSeries, otherSeries := book(series, ada, first, 6, weekly), book(series, ada, second, 8, weekly)
	note := func(author caller, appointment, kind string) string {
		return s.as(author.token).record(ada, `"appointment_id":"`+appointment+`","kind":"`+kind+`"`)
	}
	note(first, one, "progress_note")
	draft := note(second, other, "treatment_plan")
	s.as(first.token).sign(s.as(first.token).record(ada, `"kind":"progress_note","content":"All is well."`))
	desk, stranger := s.person("desk@example.org", service.RoleFrontDesk), s.person("stranger@example.org", service.RoleClinician)
	require.Equal(s.t, http.StatusOK, s.as(desk.token).do("GET", "/api/v1/patients/"+ada, "").status)
	require.Equal(s.t, http.StatusNotFound, s.as(stranger.token).do("GET", "/api/v1/patients/"+ada, "").status)
	job := audit.WithIntent(audit.System(s.t.Context(), "export"), audit.Intent{Action: audit.Export, EntityType: "patient"})
	require.NoError(s.t, s.store.Read(job, func(ctx context.Context) error {
		_, err := repository.NewPatientRepository(s.store).ByID(ctx, uuid.MustParse(ada))
		return err
	}))

	to := "?to=" + url.QueryEscape(time.Now().UTC().Format(time.RFC3339Nano)) // the requests themselves add events
	log, logOfPatient := "/api/v1/audit-logs"+to, "/api/v1/patients/"+ada+"/audit-logs"+to
	filters := []severalFilter{
		{"/api/v1/accounts?limit=200", "role", service.RoleClinician, service.RoleFrontDesk},
		{log, "subject", ada, eva},
	}
	for _, list := range []string{log, logOfPatient} {
		filters = append(
			filters,
			severalFilter{list, "action", "create", "transition"},
			severalFilter{list, "entity_type", "appointment", "medicalrecord"},
			severalFilter{list, "user_id", first.id.String(), second.id.String()},
			severalFilter{list, "entity_id", one, draft},
			severalFilter{list, "origin", "api", "system:export"},
			severalFilter{list, "outcome", "success", "denied"},
		)
	}
	for _, list := range []string{appointments + "?limit=200", "/api/v1/patients/" + ada + "/appointments?limit=200"} {
		filters = append(
			filters,
			severalFilter{list, "practitioner_id", first.id.String(), second.id.String()},
			severalFilter{list, "series_id", oneSeries, otherSeries},
			severalFilter{list, "status", "booked", "cancelled"},
		)
	}
	for _, list := range []string{records + "?limit=200", "/api/v1/patients/" + ada + "/medical-records?limit=200"} {
		filters = append(
			filters,
			severalFilter{list, "appointment_id", one, other},
			severalFilter{list, "author_id", first.id.String(), second.id.String()},
			severalFilter{list, "kind", "progress_note", "treatment_plan"},
			severalFilter{list, "status", "draft", "final"},
		)
	}
	return filters
}

// clinicianWithCare is clinician, but returns a caller.
func (s *stack) clinicianWithCare(email string, patients ...string) caller {
	s.t.Helper()
	token, id := s.clinician(email, patients...)
	return caller{uuid.MustParse(id), token}
}

// Two values of a filter select the rows that either of them selects. A cursor is bound to the values.
func TestEachFilterTakesSeveralValues(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		covered := map[string]bool{}
		for _, f := range s.severalFilters() {
			name := f.path + " " + f.name
			ids := func(values string) []string {
				r := s.do("GET", f.path+"&fields=id&"+f.name+"="+values, "")
				require.Equal(t, http.StatusOK, r.status, "%s: %s", name, r.text)
				require.Nil(t, r.at("next_cursor"), "%s: the rows are one page", name)
				return r.ids()
			}
			one, other := ids(f.one), ids(f.other)
			only := func(all []string) func(string) bool {
				return func(id string) bool { return !slices.Contains(all, id) }
			}
			require.True(t, slices.ContainsFunc(one, only(other)), "%s: %s selects rows of its own", name, f.one)
			require.True(t, slices.ContainsFunc(other, only(one)), "%s: %s selects rows of its own", name, f.other)
			union := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(one), other...))))
			both := ids(f.one + "," + f.other)
			require.ElementsMatch(t, union, both, name)
			require.Equal(t, both, ids(f.other+","+f.one), "%s: in the order of the list", name)

			for _, refused := range []string{canary, "", f.one + "," + canary, f.one + ",", "," + f.one, f.one + ",," + f.other} {
				r := s.do("GET", f.path+"&"+f.name+"="+refused, "")
				require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s=%s", name, refused)
				require.Equal(t, "?"+f.name, strings.Fields(r.faults()[0])[0], name)
				require.NotContains(t, r.text, canary)
			}
			many := s.do("GET", f.path+"&"+f.name+"="+strings.Repeat(f.one+",", 50)+f.one, "")
			require.Equal(t, []string{"?" + f.name + " too_many"}, many.faults(), name)

			unlimited := strings.ReplaceAll(f.path, "limit=200", "")
			begun := s.do("GET", unlimited+"&fields=id&limit=1&"+f.name+"="+f.one+","+f.other, "")
			next := unlimited + "&fields=id&limit=200&cursor=" + begun.at("next_cursor").(string) + "&" + f.name + "="
			require.Equal(t, both, append(begun.ids(), s.do("GET", next+f.one+","+f.other, "").ids()...), name)
			require.Equal(t, []string{"?cursor bad_cursor"}, s.do("GET", next+f.one, "").faults(), name)
			covered[listOf(t, f.path)+" "+f.name] = true
		}
		require.ElementsMatch(t, filtersThatTakeSeveral(t), slices.Collect(maps.Keys(covered)))
	})
}

// listOf returns the route of a path in the form of the OpenAPI document.
func listOf(t *testing.T, path string) string {
	t.Helper()
	c, err := served()
	require.NoError(t, err)
	path, _, _ = strings.Cut(path, "?")
	return c.route(http.MethodGet, path)
}

// single are the filters that take only one value. A patient is checked against the caller's care before the list is
// read, and the id of a request may be any text.
var single = []string{"patient_id", "request_id"}

// filtersThatTakeSeveral returns the filters that the document describes with several values: all filters that
// compare a column with UUIDs or words.
func filtersThatTakeSeveral(t *testing.T) (out []string) {
	t.Helper()
	c, err := served()
	require.NoError(t, err)
	for path, item := range c.routes {
		operation := item.Get
		if operation == nil {
			continue
		}
		var pages bool
		var several, one []string
		for _, p := range operation.Parameters {
			schema := p.Schema.Schema()
			pages = pages || p.Name == "cursor"
			switch {
			case p.In != "query" || slices.Contains([]string{"fields", "sort"}, p.Name):
			case slices.Contains(schema.Type, "array"):
				require.Equal(t, "form", p.Style, p.Name)
				require.False(t, *p.Explode, p.Name)
				several = append(several, path+" "+p.Name)
			case (schema.Format == "uuid" || schema.Enum != nil) && !slices.Contains(single, p.Name):
				one = append(one, path+" "+p.Name)
			}
		}
		if pages {
			require.Empty(t, one, "filters that take one value alone")
			out = append(out, several...)
		}
	}
	return out
}

// Naming several series or appointments opens nothing. If one of them is out of the caller's scope, the list shows
// none of them.
func TestSeveralRowsAreEachInScope(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		me := s.person("me@example.org", service.RoleClinician)
		mine, theirs := s.inCareOf(me.id, ada), s.register(ada)
		const weekly = `,"rule":"FREQ=WEEKLY;COUNT=2"`
		for _, c := range []struct{ make, list, more string }{
			{"/api/v1/appointment-series", "/api/v1/appointments?series_id=", weekly},
			{"/api/v1/appointments", records + "?appointment_id=", ""},
		} {
			made := func(patient string) string {
				r := s.do("POST", c.make, visit(patient, s.practitioner(), 0, c.more))
				require.Equal(t, http.StatusCreated, r.status, r.text)
				return r.at("id").(string)
			}
			if c.more == "" { // the patients no longer have the hours of the series
				mine, theirs = s.inCareOf(me.id, ada), s.register(ada)
			}
			own, other := made(mine), made(theirs)
			list := s.as(me.token)
			require.Equal(t, http.StatusOK, list.do("GET", c.list+own, "").status, c.list)
			for _, asked := range []string{other, own + "," + other, other + "," + own, own + "," + uuid.NewString()} {
				r := list.do("GET", c.list+asked, "")
				require.Equal(t, http.StatusNotFound, r.status, "%s: %s", c.list, r.text)
			}
		}
	})
}

// The event of a list names the requested filters, and none of their values.
func TestTheLogNamesFiltersWithoutValues(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		ids := uuid.NewString() + "," + uuid.NewString()
		r := s.do("GET", "/api/v1/audit-logs?user_id="+ids+"&subject="+ids+"&action=read,list", "", "X-Request-Id: shape")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, "actor,subject,action", s.eventsOf("shape")[0]["details"])
	})
}
