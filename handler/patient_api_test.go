package handler_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPatientLifeCycle(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		r := s.do("POST", "/api/v1/patients", ada, "X-Request-Id: my-request")
		require.Equal(t, http.StatusCreated, r.status, r.text)
		id, _ := r.at("id").(string)
		path := "/api/v1/patients/" + id
		require.Equal(t, path, r.header.Get("Location"))
		require.Equal(t, `"1"`, r.header.Get("ETag"))
		require.Equal(t, "my-request", r.header.Get("X-Request-Id"))
		require.Equal(t, "no-store", r.header.Get("Cache-Control"))
		require.Nil(t, r.at("insurance"))

		require.Equal(t, http.StatusNotModified, s.do("GET", path, "", `If-None-Match: "1"`).status)
		require.Equal(t, http.StatusPreconditionRequired, s.do("PUT", path, ada).status)
		require.Equal(t, http.StatusPreconditionFailed, s.do("PUT", path, ada, `If-Match: "7"`).status)
		require.Equal(t, http.StatusPreconditionFailed, s.do("PUT", path, ada, `If-Match: W/"1"`).status)

		whole := s.do("GET", path, "").text
		r = s.do("PUT", path, whole, `If-Match: "1"`)
		require.Equal(t, http.StatusOK, r.status, "what was read can be written back: %s", r.text)
		require.Equal(t, `"2"`, r.header.Get("ETag"))
		r = s.do("PUT", path, whole, `If-Match: "2"`)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, "it names an older version now")
		require.Contains(t, r.text, `"read_only"`)

		r = s.do("PATCH", path, `{"address":null,"contact_info":{"email":null},"active":false}`, `If-Match: "2"`, "Content-Type: application/merge-patch+json")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Nil(t, r.at("address"))
		require.Nil(t, r.at("contact_info", "email"))
		require.Equal(t, "(212) 555-0123", r.at("contact_info", "phone"))
		require.Equal(t, false, r.at("active"))
		r = s.do("PATCH", path, `{"contact_info":{"phone":null}}`, `If-Match: "3"`)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, "one way to reach a patient must remain")
		r = s.do("PATCH", path, `{"active":true}`, `If-Match: *`)
		require.Equal(t, true, r.at("active"))

		require.Equal(t, http.StatusNoContent, s.do("DELETE", path, "", `If-Match: "4"`).status)
		require.Equal(t, false, s.do("GET", path, "").at("active"))
		require.Equal(t, http.StatusUnprocessableEntity, s.do("DELETE", path+"?purge=true", "", `If-Match: "5"`).status, "a purge needs a reason")
		require.Equal(t, http.StatusNoContent, s.do("DELETE", path+"?purge=true&reason=asked+for", "", `If-Match: "5"`).status)
		require.Equal(t, http.StatusNotFound, s.do("GET", path, "").status)
		require.Zero(t, s.patients())
	})
}

func TestPatientSearchAPI(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		s.register(`{"first_name":"Other","last_name":"Person","date_of_birth":"1980-02-03","contact_info":{"phone":"212-555-0199"}}`)
		for _, query := range []string{
			"email=zoe@example.ORG", "phone=%2B12125550123", "phone=212.555.0123", "first_name=zoe+ann", "first_name=ZOE", "last_name=Garcia-Lopez",
			"last_name=lopez", "last_name=lopez&date_of_birth=1980-02-03", "q=garc", "q=zo+lop", "q=ann+1980-02-03", "q=zoe@example.org+garcia",
			"q=(212)+555-0123", "q=lop&active=true",
		} {
			r := s.do("GET", "/api/v1/patients?"+query, "")
			require.Equal(t, http.StatusOK, r.status, "%s: %s", query, r.text)
			require.Len(t, r.items(), 1, query)
			require.Contains(t, r.text, id, query)
		}
		for _, query := range []string{"email=zo@example.org", "last_name=garci", "q=garx", "q=zoe+person", "last_name=lopez&date_of_birth=1981-02-03", "q=garcia&active=false"} {
			r := s.do("GET", "/api/v1/patients?"+query, "")
			require.Equal(t, http.StatusOK, r.status, "%s: %s", query, r.text)
			require.Empty(t, r.items(), query)
		}
		for _, query := range []string{"date_of_birth=1980-02-03", "q=1980-02-03", "q=z", "last_name=x&date_of_birth=1980-02-30", "limit=0", "limit=201", "nonsense=1", "active=yes", "limit=1&limit=2", "cursor=AAAA"} {
			require.Equal(t, http.StatusUnprocessableEntity, s.do("GET", "/api/v1/patients?"+query, "").status, query)
		}
		r := s.do("POST", "/api/v1/patients/search", `{"last_name":"LOPEZ","limit":5}`)
		require.Len(t, r.items(), 1, r.text)
		require.Empty(t, r.header.Get("Link"))
	})
}

func TestPatientPages(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		for i := range 5 {
			s.register(strings.Replace(ada, "Zoë", "Zoë"+strconv.Itoa(i), 1))
		}
		seen := map[string]bool{}
		next := "/api/v1/patients?limit=2&last_name=lopez"
		for next != "" {
			r := s.do("GET", next, "")
			require.Equal(t, http.StatusOK, r.status, r.text)
			for _, item := range r.items() {
				patient, _ := item.(map[string]any)
				id, _ := patient["id"].(string)
				require.False(t, seen[id])
				seen[id] = true
			}
			link, more := strings.CutSuffix(r.header.Get("Link"), `>; rel="next"`)
			require.Equal(t, more, r.at("next_cursor") != nil)
			next = strings.TrimPrefix(link, "<")
			if more {
				address, err := url.Parse(next)
				require.NoError(t, err)
				stolen := "/api/v1/patients?last_name=garcia&cursor=" + address.Query().Get("cursor")
				require.Equal(t, http.StatusUnprocessableEntity, s.do("GET", stolen, "").status, "a cursor is for its own filters")
			}
		}
		require.Len(t, seen, 5)
	})
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		first := s.do("POST", "/api/v1/patients", ada, "Idempotency-Key: k1")
		again := s.do("POST", "/api/v1/patients", ada, "Idempotency-Key: k1")
		require.Equal(t, http.StatusCreated, again.status)
		require.Equal(t, first.at("id"), again.at("id"))
		require.Equal(t, http.StatusUnprocessableEntity,
			s.do("POST", "/api/v1/patients", strings.Replace(ada, "Zoë", "Zoa", 1), "Idempotency-Key: k1").status)
		require.Equal(t, int64(1), s.patients())
		ids := make(chan any, 8)
		for range cap(ids) {
			go func() { ids <- s.do("POST", "/api/v1/patients", another(ada), "Idempotency-Key: k2").at("id") }()
		}
		id := <-ids
		require.NotNil(t, id)
		for range cap(ids) - 1 {
			require.Equal(t, id, <-ids)
		}
		require.Equal(t, int64(2), s.patients())
	})
}
