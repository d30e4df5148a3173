package handler_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// Times outside of the supported years are refused everywhere. Some of them fit neither into databases nor into JSON.
func TestTimesOfOtherAgesAreRefused(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, some := "/api/v1/patients/"+s.register(ada), uuid.NewString()
		for _, at := range []string{
			"9999-12-31T23:59:59-12:00", "0000-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1900-01-01T00:00:00+00:01", "2200-12-31T23:59:59-00:01",
		} {
			for _, path := range []string{
				"/api/v1/appointments", patient + "/appointments", "/api/v1/practitioners/" + some + "/slots", "/api/v1/medical-records",
				patient + "/medical-records", "/api/v1/audit-logs", patient + "/audit-logs", patient + "/accounting",
			} {
				for _, parameter := range []string{"from", "to"} {
					r := s.do("GET", path+"?"+parameter+"="+url.QueryEscape(at), "")
					require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s %s %s %s", path, parameter, at, r.text)
					require.Contains(t, r.text, `"pointer":"?`+parameter+`"`)
					require.NotContains(t, r.text, at)
				}
			}
			for _, c := range []struct{ method, path, member string }{
				{"POST", "/api/v1/appointments", "starts_at"},
				{"POST", "/api/v1/appointments", "ends_at"},
				{"POST", "/api/v1/appointment-series", "starts_at"},
				{"POST", "/api/v1/appointment-series/preview", "ends_at"},
				{"PUT", "/api/v1/appointments/" + some, "expires_at"},
				{"PATCH", "/api/v1/appointments/" + some, "starts_at"},
				{"PUT", patient, "created_at"},
				{"PATCH", patient, "updated_at"},
				{"POST", patient + "/consents", "granted_at"},
				{"POST", patient + "/consents", "expires_at"},
				{"POST", patient + "/disclosures", "disclosed_at"},
				{"POST", "/api/v1/medical-records", "occurred_at"},
				{"PATCH", "/api/v1/medical-records/" + some, "signed_at"},
				{"POST", "/api/v1/medical-records/" + some + "/amendments", "occurred_at"},
				{"POST", "/api/v1/risk-flags/" + some + "/reviews", "review_at"},
				{"POST", "/api/v1/api-keys", "expires_at"},
			} {
				r := s.do(c.method, c.path, `{"`+c.member+`":"`+at+`"}`, `If-Match: "1"`)
				require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s %s %s", c, at, r.text)
				require.Contains(t, r.text, `{"pointer":"/`+c.member+`","code":"out_of_range"`, "%s %s", c, at)
				require.NotContains(t, r.text, at)
			}
		}
		for _, path := range []string{"/api/v1/appointments", "/api/v1/practitioners/" + some + "/slots"} {
			for _, day := range []string{"9999-12-31", "0001-01-01", "1899-12-31", "2201-01-01"} {
				for _, parameter := range []string{"day", "week"} {
					r := s.do("GET", path+"?"+parameter+"="+day, "")
					require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s %s %s %s", path, parameter, day, r.text)
				}
			}
			r := s.do("GET", "/api/v1/appointments?week=2200-12-31", "")
			require.Equal(t, http.StatusOK, r.status, r.text)
		}
		for _, week := range []string{"9999-W52", "10000-W01", "2201-W01"} {
			require.Equal(t, http.StatusNotFound, s.do("GET", "/api/v1/audit-reviews/"+week, "").status)
		}
	})
}
