package handler_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The refusal of bad input names the exact place, never repeats the input, and leaves no change behind.
func TestBadInput(t *testing.T) {
	t.Parallel()
	with := func(old, replacement string) string { return strings.Replace(ada, old, replacement, 1) }
	name := func(value string) string { return with(`"Zoë Ann"`, value) }
	born := func(value string) string { return with("1980-02-03", value) }
	tests := map[string]struct {
		body   string
		header string
		status int
		code   string
		at     string
	}{
		"malformed":            {body: `{"first_name":"` + canary, status: 400, code: "request.malformed"},
		"empty":                {body: " ", status: 400, code: "request.malformed"},
		"two documents":        {body: ada + ada, status: 400, code: "request.malformed"},
		"duplicate member":     {body: with(`{"first_name"`, `{"last_name":"`+canary+`","first_name"`), status: 400, code: "request.malformed"},
		"invalid UTF-8":        {body: name("\"" + canary + "\xff\""), status: 400, code: "request.malformed"},
		"raw NUL":              {body: name("\"" + canary + "\x00\""), status: 400, code: "request.malformed"},
		"byte order mark":      {body: "\ufeff" + ada, status: 400, code: "request.malformed"},
		"deep nesting":         {body: strings.Repeat("[", 10000) + strings.Repeat("]", 10000), status: 400, code: "request.malformed"},
		"lone surrogate":       {body: name(`"` + canary + `\ud800"`), status: 400, code: "request.malformed"},
		"too large":            {body: name(`"` + strings.Repeat(canary, 1<<20) + `"`), status: 413, code: "request.too_large"},
		"escaped NUL":          {body: name(`"` + canary + `\u0000"`), status: 422, code: "request.invalid", at: "/first_name"},
		"unknown member":       {body: with(`{"first`, `{"`+canary+`":1,"first`), status: 422, code: "request.invalid"},
		"unknown inner member": {body: with(`{"email"`, `{"`+canary+`":1,"email"`), status: 422, code: "request.invalid", at: "/contact_info"},
		"server-set member":    {body: with(`{"first`, `{"id":"01890a5d-ac96-774b-bcce-b302099a8057","first`), status: 422, code: "request.invalid"},
		"other case":           {body: with(`"first_name"`, `"First_Name"`), status: 422, code: "request.invalid"},
		"wrong type":           {body: name(`7`), status: 422, code: "request.invalid", at: "/first_name"},
		"null":                 {body: name(`null`), status: 422, code: "request.invalid", at: "/first_name"},
		"array":                {body: `[` + ada + `]`, status: 422, code: "request.invalid"},
		"blank":                {body: name(`"  "`), status: 422, code: "request.invalid", at: "/first_name"},
		"only joiners":         {body: name(`"\u200d"`), status: 422, code: "request.invalid", at: "/first_name"},
		"zero-width space":     {body: name(`"\u200b"`), status: 422, code: "request.invalid", at: "/first_name"},
		"Hangul filler":        {body: name(`"\u3164"`), status: 422, code: "request.invalid", at: "/first_name"},
		"turned round":         {body: name(`"` + canary + `\u202e"`), status: 422, code: "request.invalid", at: "/first_name"},
		"too long":             {body: name(`"` + canary + strings.Repeat("x", 44) + `"`), status: 422, code: "request.invalid", at: "/first_name"},
		"impossible date":      {body: born("1980-02-30"), status: 422, code: "request.invalid", at: "/date_of_birth"},
		"date with time":       {body: born("1980-02-03T00:00:00Z"), status: 422, code: "request.invalid", at: "/date_of_birth"},
		"future date":          {body: born(time.Now().AddDate(0, 0, 2).Format(time.DateOnly)), status: 422, code: "request.invalid", at: "/date_of_birth"},
		"no contact":           {body: with(`"contact_info":{"email":"Zoe@Example.org","phone":"(212) 555-0123"}`, `"contact_info":{}`), status: 422, code: "request.invalid", at: "/contact_info"},
		"e-mail":               {body: with("Zoe@Example.org", canary), status: 422, code: "request.invalid", at: "/contact_info/email"},
		"phone":                {body: with("(212) 555-0123", canary), status: 422, code: "request.invalid", at: "/contact_info/phone"},
		"partial address":      {body: with(`"city":"Exampleton",`, ""), status: 422, code: "request.invalid", at: "/address/city"},
		"content type":         {body: ada, header: "Content-Type: text/plain", status: 415, code: "request.media_type"},
		"charset":              {body: ada, header: "Content-Type: application/json; charset=latin1", status: 415, code: "request.media_type"},
	}
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		for name, test := range tests {
			for _, target := range []string{"POST /api/v1/patients", "PUT /api/v1/patients/" + id} {
				if name == "server-set member" && strings.HasPrefix(target, "PUT") {
					continue // PUT compares the member instead, see TestPatientLifeCycle
				}
				method, path, _ := strings.Cut(target, " ")
				headers := []string{`If-Match: "1"`}
				if test.header != "" {
					headers = append(headers, test.header)
				}
				r := s.do(method, path, test.body, headers...)
				require.Equal(t, test.status, r.status, "%s: %s: %s", target, name, r.text)
				require.Equal(t, test.code, r.at("code"), name)
				require.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
				if test.status == http.StatusUnprocessableEntity {
					require.Contains(t, r.text, `"pointer":"`+test.at, name)
				}
				require.NotContains(t, r.text, canary, name)
			}
		}
		for _, request := range [][3]string{
			{"GET", "/api/v1/patients?" + canary + "=1", "422"},
			{"GET", "/api/v1/patients?cursor=" + canary, "422"},
			{"GET", "/api/v1/patients?email=%zz", "400"},
			{"GET", "/api/v1/auth/me?" + canary + "=1", "422"},
			{"POST", "/api/v1/patients?" + canary + "=1", "422"},
			{"POST", "/api/v1/patients/search?first_name=" + canary, "422"},
			{"GET", "/api/v1/patients/" + canary, "404"},
			{"GET", "/api/v1/" + canary, "404"},
			{"PUT", "/api/v1/patients", "405"},
			{"GET", "/api/v1/patients/", "404"},
		} {
			r := s.do(request[0], request[1], "")
			require.Equal(t, request[2], strconv.Itoa(r.status), request)
			require.NotContains(t, r.text, canary)
		}
		require.Equal(t, http.StatusBadRequest, s.do("PUT", "/api/v1/patients/"+id, ada, "If-Match: 1").status)
		require.Equal(t, int64(1), s.patients())
		require.NotContains(t, s.log.String(), canary)
	})
}
