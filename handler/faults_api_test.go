package handler_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// faults returns the pointers and codes of a problem.
func (r reply) faults() (out []string) {
	listed, _ := r.at("errors").([]any)
	for _, fault := range listed {
		members, _ := fault.(map[string]any)
		out = append(out, members["pointer"].(string)+" "+members["code"].(string))
	}
	return out
}

// A request with several faults is told of all of them at once, whatever their kinds.
func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		for name, test := range map[string]struct {
			method, path, body string
			want               []string
		}{
			"nothing there": {"POST", "/api/v1/patients", `{}`, []string{
				"/first_name required", "/last_name required", "/date_of_birth required", "/contact_info required",
			}},
			"all kinds": {"POST", "/api/v1/patients?" + canary + "=1", `{"` + canary + `":1,"first_name":7,"date_of_birth":"1980-02-30",
				"contact_info":{"email":"` + canary + `","phone":null,"` + canary + `":1},"address":{"street":"x","city":9},"allow_duplicate":true}`, []string{
				"? unknown_parameter", " unknown_member", "/first_name wrong_type", "/contact_info unknown_member",
				"/address/city wrong_type", "/last_name required", "/date_of_birth date", "/contact_info/email email",
				"/address/state required", "/address/zip_code required", "/duplicate_reason required",
			}},
			"replaced": {"PUT", "/api/v1/patients/" + id + "?x=1", `{"first_name":7,"date_of_birth":"1980-02-30","contact_info":{}}`, []string{
				"/first_name wrong_type", "/last_name required", "/date_of_birth date", "/contact_info required", "? unknown_parameter",
			}},
			"what the server sets": {"PUT", "/api/v1/patients/" + id, `{"version":9,"first_name":"","last_name":"x","date_of_birth":"1980-02-03",` +
				`"contact_info":{"phone":"(212) 555-0123"}}`, []string{"/version read_only", "/first_name required"}},
			"what the server sets, patched": {"PATCH", "/api/v1/patients/" + id, `{"version":9,"first_name":""}`, []string{
				"/version read_only", "/first_name required",
			}},
			"a member and a rule": {"POST", "/api/v1/patients/" + id + "/merge", `{"reason":""}`, []string{"/reason required", "/into_id required"}},
			"a new password":      {"POST", "/api/v1/auth/redeem", `{}`, []string{"/token required", "/password too_short"}},
			"parameters":          {"GET", "/api/v1/patients?limit=x&sort=y&fields=z&" + canary + "=1", "", []string{"? unknown_parameter", "?sort unknown_value", "?limit wrong_type", "?fields unknown_value"}},
			"a date alone":        {"GET", "/api/v1/patients?date_of_birth=1980-02-03", "", []string{"?date_of_birth name_required"}},
			"a date alone, sent":  {"POST", "/api/v1/patients/search", `{"date_of_birth":"1980-02-03"}`, []string{"/date_of_birth name_required"}},
			"purged for nothing":  {"DELETE", "/api/v1/patients/" + id + "?purge=true", "", []string{"?reason required"}},
		} {
			r := s.do(test.method, test.path, test.body, "If-Match: *")
			require.Equal(t, http.StatusUnprocessableEntity, r.status, "%s: %s", name, r.text)
			require.ElementsMatch(t, test.want, r.faults(), "%s: %s", name, r.text)
			require.NotContains(t, r.text, canary, name)
		}
	})
}
