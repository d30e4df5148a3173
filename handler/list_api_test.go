package handler_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// names returns the members of an object.
func names(item any) (out []string) {
	members, _ := item.(map[string]any)
	for name := range members {
		out = append(out, name)
	}
	return out
}

func TestListsAnswerTheFieldsThatAreAskedFor(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		good, bad := s.register(ada), s.register(ada)
		require.NoError(t, s.db.Exec("UPDATE patient SET first_name = (SELECT first_name FROM patient WHERE id = ?) WHERE id = ?", good, bad).Error)
		for _, list := range []struct{ method, path, body string }{
			{"GET", "/api/v1/patients?fields=last_name,address", ""},
			{"POST", "/api/v1/patients/search", `{"fields":["last_name","address"]}`},
		} {
			r := s.do(list.method, list.path, list.body)
			require.Equal(t, http.StatusOK, r.status, r.text)
			require.ElementsMatch(t, []string{"id", "last_name", "address"}, names(r.items()[0]), "the id stays")
			require.Equal(t, map[string]any{"id": bad, "unreadable": true}, r.items()[1])
		}
		r := s.do("GET", "/api/v1/patients/"+good+"/clinicians?fields=name,kind", "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.ElementsMatch(t, []string{"name", "kind"}, names(r.items()[0]))

		for _, refused := range []struct{ method, path, body, pointer string }{
			{"GET", "/api/v1/patients?fields=last_name," + canary, "", "?fields"},
			{"GET", "/api/v1/patients?fields=last_name,", "", "?fields"},
			{"GET", "/api/v1/patients?fields=address.city", "", "?fields"},
			{"GET", "/api/v1/patients?fields=" + strings.Repeat("id,", 60) + "id", "", "?fields"},
			{"POST", "/api/v1/patients/search", `{"fields":["` + canary + `"]}`, "/fields"},
			{"GET", "/api/v1/patients/" + good + "/clinicians?fields=id", "", "?fields"},
		} {
			r := s.do(refused.method, refused.path, refused.body)
			require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s: %s", refused.path, r.text)
			fault, _ := r.at("errors").([]any)[0].(map[string]any)
			require.Equal(t, refused.pointer, fault["pointer"])
			require.NotContains(t, r.text, canary)
			if fault["code"] == "unknown_value" {
				require.Contains(t, fault["detail"], "name, ", "it says what is taken")
			}
		}
		require.Equal(t, http.StatusUnprocessableEntity, s.do("GET", "/api/v1/patients/"+good+"?fields=id", "").status, "of lists alone")
	})
}

// A list has an ETag. A 304 leaves the same event as the full answer would.
func TestListsThatDidNotChangeAreNotModified(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id, other := s.register(ada), s.register(ada)
		for i, path := range []string{
			"/api/v1/patients", "/api/v1/patients?limit=1&last_name=lopez", "/api/v1/patients/" + id + "/clinicians",
			"/api/v1/patients?fields=active", "/api/v1/audit-logs?action=purge", "/api/v1/practitioners",
		} {
			whole, second := "whole-"+string(rune('a'+i)), "second-"+string(rune('a'+i))
			first := s.do("GET", path, "", "X-Request-Id: "+whole)
			require.Equal(t, http.StatusOK, first.status, first.text)
			tag := first.header.Get("ETag")
			require.NotEmpty(t, tag)
			r := s.do("GET", path, "", "If-None-Match: "+tag, "X-Request-Id: "+second)
			require.Equal(t, http.StatusNotModified, r.status, path)
			require.Empty(t, r.text)
			require.Equal(t, tag, r.header.Get("ETag"))
			was, is := s.eventsOf(whole), s.eventsOf(second)
			require.Len(t, is, 1, path)
			require.Equal(t, was[0]["subjects"], is[0]["subjects"], path)
			require.Equal(t, was[0]["action"], is[0]["action"], path)
			require.Equal(t, http.StatusOK, s.do("GET", path, "", `If-None-Match: "1"`).status)
		}
		tag := s.do("GET", "/api/v1/patients", "").header.Get("ETag")
		require.Equal(t, http.StatusOK, s.do("PATCH", "/api/v1/patients/"+other, `{"first_name":"Eva"}`, "If-Match: *").status)
		r := s.do("GET", "/api/v1/patients", "", "If-None-Match: "+tag)
		require.Equal(t, http.StatusOK, r.status)
		require.NotEqual(t, tag, r.header.Get("ETag"))
		require.Empty(t, s.do("POST", "/api/v1/patients/search", `{}`).header.Get("ETag"))
	})
}

// Following the links of a list of changes shows every change. Its watermark leads to later changes.
func TestListsOfChanges(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		first, second, third := s.register(ada), s.register(ada), s.register(ada)
		require.Equal(t, http.StatusOK, s.do("PATCH", "/api/v1/patients/"+first, `{"first_name":"Eva"}`, "If-Match: *").status)
		var seen []any
		watermarks := map[any]bool{}
		next := "/api/v1/patients?updated_since=1970-01-01T00:00:00Z&limit=1&last_name=lopez"
		for next != "" {
			r := s.do("GET", next, "")
			require.Equal(t, http.StatusOK, r.status, r.text)
			for _, item := range r.items() {
				seen = append(seen, item.(map[string]any)["id"])
			}
			watermarks[r.at("watermark")] = true
			link, _, _ := strings.Cut(strings.TrimPrefix(r.header.Get("Link"), "<"), ">")
			next = link
		}
		require.Equal(t, []any{second, third, first}, seen)
		require.Len(t, watermarks, 1, "that of the first page")
		for watermark := range watermarks {
			r := s.do("GET", "/api/v1/patients?updated_since="+url.QueryEscape(watermark.(string)), "")
			require.Equal(t, http.StatusOK, r.status, r.text)
			require.Len(t, r.items(), 3, "nothing is older than the clocks may differ")
			r = s.do("POST", "/api/v1/patients/search", `{"updated_since":"`+watermark.(string)+`"}`)
			require.NotEmpty(t, r.at("watermark"))
		}
		require.Empty(t, s.do("GET", "/api/v1/patients?updated_since=2199-01-01T00:00:00Z", "").items())

		r := s.do("GET", "/api/v1/patients?sort=updated_at&limit=1", "")
		require.Equal(t, second, r.items()[0].(map[string]any)["id"])
		require.NotContains(t, r.body, "watermark")
		cursor := r.at("next_cursor").(string)
		r = s.do("GET", "/api/v1/patients?sort=updated_at&cursor="+cursor, "")
		require.Len(t, r.items(), 2)
		require.Equal(t, third, r.items()[0].(map[string]any)["id"])
		require.Equal(t, http.StatusUnprocessableEntity, s.do("GET", "/api/v1/patients?cursor="+cursor, "").status, "of another order")
		require.Equal(t, first, s.do("GET", "/api/v1/patients?sort=id", "").items()[0].(map[string]any)["id"])
		for _, refused := range []string{
			"?sort=last_name", "?sort=id&updated_since=1970-01-01T00:00:00Z", "?updated_since=yesterday", "?updated_since=2026-01-01",
		} {
			r := s.do("GET", "/api/v1/patients"+refused, "")
			require.Equal(t, http.StatusUnprocessableEntity, r.status, refused)
			if strings.HasPrefix(refused, "?sort=last") {
				require.Contains(t, r.text, "Must be one of: id, updated_at.")
			}
		}
		require.Contains(t, s.do("POST", "/api/v1/patients/search", `{"sort":"last_name"}`).text, `"pointer":"/sort"`)
	})
}

// Lists with another default order can also be read in the order of changes.
func TestListsOfChangesLeaveTheirOwnOrder(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		first := s.record(patient, `"kind":"progress_note","occurred_at":"2024-01-01T00:00:00Z"`)
		second := s.record(patient, `"kind":"progress_note","occurred_at":"2023-01-01T00:00:00Z"`)
		require.Equal(t, http.StatusOK, s.do("PATCH", records+"/"+first, `{"content":"x"}`, "If-Match: *").status)
		for _, path := range []string{records, "/api/v1/patients/" + patient + "/medical-records"} {
			require.Equal(t, []string{first, second}, s.do("GET", path, "").ids(), "the latest first")
			require.Equal(t, []string{first, second}, s.do("GET", path+"?sort=occurred_at", "").ids())
			r := s.do("GET", path+"?sort=updated_at&limit=1", "")
			require.Equal(t, []string{second}, r.ids())
			require.Equal(t, []string{first}, s.do("GET", path+"?sort=updated_at&cursor="+r.at("next_cursor").(string), "").ids())
			r = s.do("GET", path+"?updated_since=1970-01-01T00:00:00Z", "")
			require.Equal(t, []string{second, first}, r.ids())
			require.NotEmpty(t, r.at("watermark"))
			require.Contains(t, s.do("GET", path+"?sort=title", "").text, "Must be one of: occurred_at, updated_at.")
		}
	})
}

func TestAppointmentsAreListedByWhatChanged(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, practitioner := s.register(ada), s.practitioner()
		book := func(hour string) string {
			r := s.do("POST", "/api/v1/appointments", `{"patient_id":"`+patient+`","practitioner_id":"`+practitioner+
				`","starts_at":"2035-03-05T`+hour+`:00:00Z","ends_at":"2035-03-05T`+hour+`:50:00Z","type":"individual","modality":"in_person"}`)
			require.Equal(t, http.StatusCreated, r.status, r.text)
			return r.at("id").(string)
		}
		late, early := book("15"), book("14")
		for _, path := range []string{"/api/v1/appointments", "/api/v1/patients/" + patient + "/appointments"} {
			require.Equal(t, []string{early, late}, s.do("GET", path+"?status=booked,arrived", "").ids())
			require.Empty(t, s.do("GET", path+"?status=noshow,arrived", "").ids())
			r := s.do("GET", path+"?updated_since=1970-01-01T00:00:00Z&limit=1", "")
			require.Equal(t, []string{late}, r.ids(), r.text)
			next, _, _ := strings.Cut(strings.TrimPrefix(r.header.Get("Link"), "<"), ">")
			require.Equal(t, []string{early}, s.do("GET", next, "").ids())
		}
	})
}

// A filter takes several values.
func TestFiltersTakeSeveralValues(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient := s.register(ada)
		draft, signed := s.record(patient, `"kind":"progress_note"`), s.record(patient, `"kind":"progress_note","content":"x"`)
		s.sign(signed)
		list := func(filter string) []string {
			r := s.do("GET", "/api/v1/medical-records?"+filter, "")
			require.Equal(t, http.StatusOK, r.status, r.text)
			return r.ids()
		}
		require.ElementsMatch(t, []string{draft, signed}, list("status=draft,final"))
		require.ElementsMatch(t, []string{signed}, list("status=amended,final"))
		require.ElementsMatch(t, []string{draft}, list("status=draft"))
		r := s.do("GET", "/api/v1/appointments?status=booked,arrived", "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		r = s.do("GET", "/api/v1/appointments?status=booked,"+canary, "")
		require.Equal(t, http.StatusUnprocessableEntity, r.status)
		require.Contains(t, r.text, "Each must be one of: ")
		require.NotContains(t, r.text, canary)
	})
}
