package handler_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestAppointmentLifeCycle(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, practitioner := s.register(ada), s.practitioner()
		body := visit(patient, practitioner, 0, `,"time_zone":"America/New_York","type":"intake","modality":"video","reason":"`+canary+
			`","video_url":"https://video.example.org/1"`)
		r := s.do("POST", "/api/v1/appointments", body, "Idempotency-Key: one")
		require.Equal(t, http.StatusCreated, r.status, r.text)
		path := "/api/v1/appointments/" + r.at("id").(string)
		require.Equal(t, path, r.header.Get("Location"))
		require.Equal(t, `"1"`, r.header.Get("ETag"))
		require.Equal(t, "no-store", r.header.Get("Cache-Control"))
		for name, want := range map[string]any{
			"patient_id": patient, "practitioner_id": practitioner, "starts_at": "2035-03-05T09:00:00Z", "ends_at": "2035-03-05T10:00:00Z",
			"time_zone": "America/New_York", "status": "booked", "type": "intake", "modality": "video", "reason": canary,
			"video_url": "https://video.example.org/1", "allow_overlap": false, "overlap_reason": nil, "cancel_reason": nil, "series_id": nil, "expires_at": nil,
		} {
			require.Contains(t, r.body, name)
			require.Equal(t, want, r.at(name), name)
		}
		again := s.do("POST", "/api/v1/appointments", body, "Idempotency-Key: one")
		require.Equal(t, http.StatusCreated, again.status, again.text)
		require.Equal(t, r.at("id"), again.at("id"))
		require.Equal(t, http.StatusUnprocessableEntity, s.do("POST", "/api/v1/appointments", visit(patient, practitioner, 5, ""), "Idempotency-Key: one").status)

		require.Equal(t, http.StatusNotModified, s.do("GET", path, "", `If-None-Match: "1"`).status)
		whole := s.do("GET", path, "").text
		require.Equal(t, http.StatusPreconditionRequired, s.do("PUT", path, whole).status)
		require.Equal(t, http.StatusPreconditionFailed, s.do("PUT", path, whole, `If-Match: "7"`).status)
		require.Equal(t, http.StatusOK, s.do("PUT", path, whole, `If-Match: "1"`).status, "what was read can be written back")
		r = s.do("PATCH", path, `{"reason":null,"ends_at":"2035-03-05T10:30:00Z"}`, `If-Match: "2"`, "Content-Type: application/merge-patch+json")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Nil(t, r.at("reason"))
		require.Equal(t, "2035-03-05T10:30:00Z", r.at("ends_at"))
		for _, refused := range []string{
			`{"status":"arrived"}`, `{"cancel_reason":"x"}`, `{"patient_id":"` + uuid.NewString() + `"}`, `{"series_id":"` + uuid.NewString() + `"}`,
			`{"expires_at":"2035-03-05T10:30:00Z"}`, `{"ends_at":"2035-03-05T09:00:00Z"}`, `{"ends_at":"2035-03-09T09:00:00Z"}`,
			`{"time_zone":"Mars/Olympus"}`, `{"type":"yoga"}`, `{"modality":"phone"}`, `{"video_url":"http://video.example.org"}`,
			`{"allow_overlap":true}`, `{"overlap_reason":"x"}`, `{"starts_at":"0001-01-01T00:00:00Z"}`,
		} {
			r := s.do("PATCH", path, refused, `If-Match: *`)
			require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s: %s", refused, r.text)
		}

		transitions := path + "/transitions"
		require.Equal(t, http.StatusPreconditionRequired, s.do("POST", transitions, `{"to":"arrived"}`).status)
		require.Equal(t, http.StatusPreconditionFailed, s.do("POST", transitions, `{"to":"arrived"}`, `If-Match: "2"`).status)
		r = s.do("POST", transitions, `{"to":"cancelled"}`, `If-Match: "3"`)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, r.text)
		r = s.do("POST", transitions, `{"to":"cancelled","reason":"`+canary+` is ill"}`, `If-Match: "3"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, "cancelled", r.at("status"))
		require.Equal(t, canary+" is ill", r.at("cancel_reason"))
		r = s.do("POST", transitions, `{"to":"arrived"}`, `If-Match: *`)
		require.Equal(t, http.StatusConflict, r.status)
		require.Equal(t, "appointment.transition", r.at("code"))
		r = s.do("PATCH", path, `{"reason":"x"}`, `If-Match: *`)
		require.Equal(t, http.StatusConflict, r.status, r.text)
		require.NotContains(t, s.log.String(), canary)
	})
}

// The 409 names the taken time, and nothing of the other patient.
func TestConflictsNameNobody(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		first, practitioner := s.register(strangerNamed(1)), s.practitioner()
		r := s.do("POST", "/api/v1/appointments", visit(first, practitioner, 0, `,"reason":"`+canary+`"`))
		require.Equal(t, http.StatusCreated, r.status, r.text)
		taken := r.at("id").(string)
		r = s.do("POST", "/api/v1/appointments", visit(s.register(strangerNamed(2)), practitioner, 0, ""))
		require.Equal(t, http.StatusConflict, r.status)
		require.Contains(t, r.text, "The practitioner has another appointment from 2035-03-05T09:00:00Z to 2035-03-05T10:00:00Z.")
		for _, secret := range []string{first, taken, practitioner, "Race", canary} {
			require.NotContains(t, r.text, secret)
		}
	})
}

// Lists are ordered by start, page by page. Days and weeks are those of a time zone.
func TestAppointmentLists(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, practitioner := s.register(ada), s.practitioner()
		var booked []string
		for _, hours := range []int{200, -12, 24, 0, 12, 2} { // from Monday 09:00 UTC
			r := s.do("POST", "/api/v1/appointments", visit(patient, practitioner, hours, ""))
			require.Equal(t, http.StatusCreated, r.status, r.text)
			booked = append(booked, r.at("id").(string))
		}
		inOrder := []string{booked[1], booked[3], booked[5], booked[4], booked[2], booked[0]}
		ids := func(path string) []string {
			t.Helper()
			r := s.do("GET", path, "")
			require.Equal(t, http.StatusOK, r.status, r.text)
			out := []string{}
			for _, item := range r.items() {
				out = append(out, item.(map[string]any)["id"].(string))
			}
			return out
		}
		list := "/api/v1/appointments?practitioner_id=" + practitioner
		require.Equal(t, inOrder, ids(list))
		require.Equal(t, inOrder, ids("/api/v1/patients/"+patient+"/appointments"))
		require.Equal(t, inOrder, ids("/api/v1/appointments?status=booked&patient_id="+patient))
		require.Empty(t, ids("/api/v1/appointments?status=noshow"))
		require.Empty(t, ids("/api/v1/appointments?practitioner_id="+uuid.NewString()))
		require.Equal(t, inOrder[1:4], ids(list+"&day=2035-03-05&time_zone=UTC"))
		require.Equal(t, inOrder[1:4], ids(list+"&day=2035-03-05"), "the clinic's zone")
		require.Equal(t, inOrder[1:4], ids(list+"&day=2035-03-05&time_zone=America/New_York"), "Monday in New York is later")
		require.Equal(t, inOrder[:2], ids(list+"&day=2035-03-05&time_zone=Pacific/Auckland"), "and earlier in Auckland")
		require.Equal(t, inOrder[1:5], ids(list+"&week=2035-03-08&time_zone=UTC"))
		require.Equal(t, inOrder[:1], ids(list+"&week=2035-03-04&time_zone=UTC"), "Sunday ends a week")
		require.Equal(t, inOrder[1:3], ids(list+"&from=2035-03-05T09:30:00Z&to=2035-03-05T12:00:00Z"), "what has begun before is there still")

		var paged []string
		next := list + "&limit=2"
		for next != "" {
			r := s.do("GET", next, "")
			require.Equal(t, http.StatusOK, r.status, r.text)
			for _, item := range r.items() {
				paged = append(paged, item.(map[string]any)["id"].(string))
			}
			next = ""
			if cursor, more := r.at("next_cursor").(string); more {
				next = list + "&limit=2&cursor=" + url.QueryEscape(cursor)
			}
			// New bookings do not shift the remaining pages, and neither does moving a row that was already shown.
			require.Equal(t, http.StatusCreated, s.do("POST", "/api/v1/appointments", visit(s.register(ada), practitioner, -100-10*len(paged), "")).status)
			require.Equal(t, http.StatusOK, s.do("POST", "/api/v1/appointments/"+paged[len(paged)-1]+"/transitions", `{"to":"cancelled","reason":"ill"}`, "If-Match: *").status)
		}
		require.Equal(t, inOrder, paged)

		for _, refused := range []string{
			"day=2035-03-05&week=2035-03-05", "day=2035-03-05&from=2035-03-05T09:30:00Z", "day=tomorrow", "time_zone=Local&day=2035-03-05", "status=gone", "patient=x",
		} {
			require.Equal(t, http.StatusUnprocessableEntity, s.do("GET", "/api/v1/appointments?"+refused, "").status, refused)
		}
		require.Equal(t, http.StatusUnprocessableEntity, s.do("GET", "/api/v1/patients/"+patient+"/appointments?patient_id="+patient, "").status)
		require.Equal(t, http.StatusNotFound, s.do("GET", "/api/v1/patients/"+uuid.NewString()+"/appointments", "").status)
	})
}

// Days begin at midnight of the wall clock. A day on which clocks are set forward has 23 hours.
func TestDaysWhereClocksChange(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, practitioner := s.register(ada), s.practitioner()
		// Sunday, 2035-03-11 in New York lasts from 05:00 UTC to 04:00 UTC. Hours count from Monday the 5th, 09:00
		// UTC.
		for _, hours := range []int{6*24 - 5, 6*24 - 4, 6*24 + 18, 6*24 + 19} {
			require.Equal(t, http.StatusCreated, s.do("POST", "/api/v1/appointments", visit(patient, practitioner, hours, "")).status)
		}
		r := s.do("GET", "/api/v1/appointments?day=2035-03-11&time_zone=America/New_York", "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		var starts []string
		for _, item := range r.items() {
			starts = append(starts, item.(map[string]any)["starts_at"].(string))
		}
		require.Equal(t, []string{"2035-03-11T05:00:00Z", "2035-03-12T03:00:00Z"}, starts)
	})
}

func TestSeriesOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, practitioner := s.register(ada), s.practitioner()
		weekly := visit(patient, practitioner, 0, `,"rule":"freq=weekly;count=3"`)
		r := s.do("POST", "/api/v1/appointment-series/preview", weekly)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Len(t, r.items(), 3)
		require.Equal(t, []any{}, r.items()[0].(map[string]any)["conflicts"])
		r = s.do("POST", "/api/v1/appointment-series", weekly)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		require.Equal(t, "FREQ=WEEKLY;COUNT=3", r.at("rule"))
		path, tag := r.header.Get("Location"), r.header.Get("ETag")
		rows := r.at("appointments").([]any)
		require.Len(t, rows, 3)
		second := rows[1].(map[string]any)
		require.Equal(t, r.at("id"), second["series_id"])

		r = s.do("POST", "/api/v1/appointment-series/preview", weekly)
		require.Contains(t, r.text, `"patient_taken"`)
		require.Contains(t, r.text, `"practitioner_taken"`)
		r = s.do("POST", "/api/v1/appointment-series", weekly)
		require.Equal(t, http.StatusConflict, r.status)
		require.Equal(t, 6, strings.Count(r.text, "_taken"), "each of three, for both")

		one := "/api/v1/appointments/" + second["id"].(string)
		r = s.do("PATCH", one+"?following=true", `{"starts_at":"2035-03-12T11:00:00Z","ends_at":"2035-03-12T12:00:00Z"}`, `If-Match: "1"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		r = s.do("GET", path, "", "If-None-Match: "+tag)
		require.Equal(t, http.StatusOK, r.status, "its appointments have changed")
		require.NotEqual(t, tag, r.header.Get("ETag"))
		r = s.do("GET", "/api/v1/appointments?series_id="+path[strings.LastIndex(path, "/")+1:], "")
		require.Contains(t, r.text, "2035-03-05T09:00:00Z")
		require.Contains(t, r.text, "2035-03-19T11:00:00Z")
		r = s.do("POST", one+"/transitions", `{"to":"cancelled","reason":"moves away","following":true}`, `If-Match: "2"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		r = s.do("GET", path, "")
		require.Equal(t, 2, strings.Count(r.text, `"cancelled"`))

		for _, rule := range []string{"", "FREQ=WEEKLY", "FREQ=SECONDLY;COUNT=3", "FREQ=DAILY;COUNT=1000", canary} {
			r = s.do("POST", "/api/v1/appointment-series", visit(patient, practitioner, 0, `,"rule":"`+rule+`"`))
			require.Equal(t, http.StatusUnprocessableEntity, r.status, rule)
			require.NotContains(t, r.text, canary)
		}
		require.Equal(t, http.StatusNotFound, s.do("GET", "/api/v1/appointment-series/"+uuid.NewString(), "").status)
	})
}

// Hours that were never configured have a version from which they can be changed.
func TestHoursOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		practitioner := "/api/v1/practitioners/" + s.practitioner()
		r := s.do("GET", practitioner+"/availability", "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, `"0"`, r.header.Get("ETag"))
		require.Equal(t, []any{}, r.at("weekly"), "always")
		require.Equal(t, http.StatusOK, s.do("PUT", practitioner+"/availability", r.text, `If-Match: "0"`).status, "what was read")
		r = s.do("PUT", practitioner+"/availability",
			`{"time_zone":"UTC","weekly":[{"weekday":"monday","from":"09:00","to":"11:00"}],"exceptions":[],"time_off":[]}`, `If-Match: "1"`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, `"2"`, r.header.Get("ETag"))
		r = s.do("GET", practitioner+"/slots?day=2035-03-05", "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, map[string]any{"time_zone": "UTC", "items": []any{
			map[string]any{"starts_at": "2035-03-05T09:00:00Z", "ends_at": "2035-03-05T10:00:00Z"},
			map[string]any{"starts_at": "2035-03-05T10:00:00Z", "ends_at": "2035-03-05T11:00:00Z"},
		}}, r.body)
	})
}
