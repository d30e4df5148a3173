package handler_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/service"
)

// request is a POST that makes or changes something.
type request struct{ path, body string }

// with returns requests with the same body, each about a new row.
func with(body string, path func(*stack, caller) string) func(*stack, caller) request {
	return func(s *stack, c caller) request { return request{path(s, c), body} }
}

// bookable returns a request for a time of a new patient with a new practitioner.
func bookable(path, more string) func(*stack, caller) request {
	return func(s *stack, c caller) request {
		return request{path, visit(s.inCareOf(c.id, ada), s.practitioner(), 0, more)}
	}
}

// changes are requests for every POST that makes or changes something. No two calls return the same request.
var changes = map[string]func(*stack, caller) request{
	"/api/v1/accounts": func(*stack, caller) request {
		return request{"/api/v1/accounts", `{"email":"` + uuid.NewString() + `@example.org","name":"New","roles":["front_desk"]}`}
	},
	"/api/v1/accounts/:id/reset": with(`{}`, accountPath("/reset")),
	"/api/v1/patients": func(*stack, caller) request {
		return request{"/api/v1/patients", another(strings.Replace(ada, "Zoe@", uuid.NewString()+"@", 1))}
	},
	"/api/v1/patients/:id/clinicians": func(s *stack, c caller) request {
		return request{"/api/v1/patients/" + s.inCareOf(c.id, ada) + "/clinicians", `{"account_id":"` + s.practitioner() + `"}`}
	},
	"/api/v1/break-glass": func(s *stack, _ caller) request {
		return request{"/api/v1/break-glass", `{"patient_id":"` + s.register(ada) + `","reason":"unconscious"}`}
	},
	"/api/v1/patients/:id/merge": func(s *stack, c caller) request {
		return request{"/api/v1/patients/" + s.inCareOf(c.id, ada) + "/merge", `{"into_id":"` + s.inCareOf(c.id, ada) + `","reason":"The same person"}`}
	},
	"/api/v1/patients/:id/unmerge": func(s *stack, c caller) request {
		path := "/api/v1/patients/" + s.inCareOf(c.id, ada)
		r := s.do("POST", path+"/merge", `{"into_id":"`+s.inCareOf(c.id, ada)+`","reason":"The same person"}`, "If-Match: *")
		require.Equal(s.t, http.StatusOK, r.status, r.text)
		return request{path + "/unmerge", `{"reason":"Not the same person"}`}
	},
	"/api/v1/patients/:id/consents":    with(`{"kind":"part2","purpose":"Treatment"}`, patientPath("/consents")),
	"/api/v1/patients/:id/disclosures": with(`{"recipient":"Example Hospital","purpose":"Treatment"}`, patientPath("/disclosures")),
	"/api/v1/medical-records": func(s *stack, c caller) request {
		return request{"/api/v1/medical-records", `{"patient_id":"` + s.inCareOf(c.id, ada) + `","kind":"intake","title":"Visit"}`}
	},
	"/api/v1/medical-records/:id/sign":             with("", recordPath("/sign")),
	"/api/v1/medical-records/:id/amendments":       with(`{"amendment_reason":"A word was missing"}`, signedRecordPath("/amendments")),
	"/api/v1/medical-records/:id/entered-in-error": with(`{"reason":"Of somebody else"}`, signedRecordPath("/entered-in-error")),
	"/api/v1/consents/:id/revocation":              with("", consentPath("/revocation")),
	"/api/v1/risk-flags/:id/reviews":               with(`{"finding":"Safe"}`, riskFlagPath("/reviews")),
	"/api/v1/appointments":                         bookable("/api/v1/appointments", ""),
	"/api/v1/appointments/:id/transitions":         with(`{"to":"cancelled","reason":"ill"}`, appointmentPath("/transitions")),
	"/api/v1/appointment-series":                   bookable("/api/v1/appointment-series", `,"rule":"FREQ=WEEKLY;COUNT=2"`),
	"/api/v1/audit-reviews/:week/sign-off":         with(`{"note":"looked at"}`, weekPath("/sign-off")),
}

// unrepeatable are the POSTs without an Idempotency-Key, and the reasons.
var unrepeatable = map[string]string{
	"/api/v1/patients/search":            "changes nothing",
	"/api/v1/appointment-series/preview": "changes nothing",
	"/api/v1/api-keys":                   "shows a secret once",
	"/api/v1/auth/":                      "is about credentials and sessions, and shows secrets once",
}

// The same request with the same key changes something once, and gets the same answer each time. Another request with
// that key is refused.
func TestEveryChangeIsMadeOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		me := s.person("me@example.org", service.Roles()...)
		tried := 0
		for _, route := range s.engine.Routes() {
			exempt := false
			for path := range unrepeatable {
				exempt = exempt || route.Path == path || strings.HasSuffix(path, "/") && strings.HasPrefix(route.Path, path)
			}
			if route.Method != http.MethodPost || exempt {
				continue
			}
			change := changes[route.Path]
			require.NotNil(t, change, "POST %s: say in changes how it is asked for again", route.Path)
			one, key := change(s, me), "Idempotency-Key: "+uuid.NewString()
			first := s.as(me.token).do("POST", one.path, one.body, "If-Match: *", key)
			require.Less(t, first.status, 300, "%s: %s", route.Path, first.text)
			other, before := change(s, me), s.dump()
			again := s.as(me.token).do("POST", one.path, one.body, "If-Match: *", key)
			require.Equal(t, first.status, again.status, "%s: %s", route.Path, again.text)
			for _, shownOnce := range []string{"link", "warnings"} {
				delete(first.body, shownOnce)
				delete(again.body, shownOnce)
			}
			require.Equal(t, first.body, again.body, route.Path)
			reused := s.as(me.token).do("POST", other.path, other.body, "If-Match: *", key)
			require.Equal(t, "idempotency.key_reused", reused.at("code"), "%s: %s", route.Path, reused.text)
			require.Equal(t, before, s.dump(), "%s changed something again", route.Path)
			tried++
		}
		require.Len(t, changes, tried, "each is a route")
	})
}

// When many clients send the same change at once, it is made once, and all learn that it was made.
func TestOneChangeAtOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		one := changes["/api/v1/appointments/:id/transitions"](s, s.person("me@example.org", service.Roles()...))
		replies := make([]reply, 8)
		var all sync.WaitGroup
		for i := range replies {
			all.Go(func() { replies[i] = s.do("POST", one.path, one.body, `If-Match: "1"`, "Idempotency-Key: the same") })
		}
		all.Wait()
		for _, r := range replies {
			require.Equal(t, http.StatusOK, r.status, r.text)
			require.Equal(t, `"2"`, r.header.Get("ETag"))
		}
		var steps []string
		require.NoError(t, s.db.Raw("SELECT details FROM auditlog WHERE action = 'transition' AND outcome = 'success'").Scan(&steps).Error)
		require.Equal(t, []string{"booked → cancelled"}, steps)
	})
}
