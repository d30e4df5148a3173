package handler_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

func loginBody(email, code string) string {
	body := map[string]string{"email": email, "password": password}
	if code != "" {
		body["totp"] = code
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// A second factor over HTTP, from enrolment to removal.
func TestSecondFactorOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		me := s.as(s.person("me@example.org", service.RoleClinician).token)
		require.Equal(t, false, me.do("GET", "/api/v1/auth/me", "").at("mfa"))
		r := me.do("POST", "/api/v1/auth/totp", `{"current_password":"`+password+`"}`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		secret := r.at("secret").(string)
		require.Contains(t, r.at("uri"), "secret="+secret)
		require.Equal(t, "no-store", r.header.Get("Cache-Control"))
		code, err := totp.GenerateCode(secret, time.Now())
		require.NoError(t, err)
		r = me.do("POST", "/api/v1/auth/totp/confirm", `{"totp":"`+code+`"}`)
		require.Equal(t, http.StatusOK, r.status, r.text)
		codes, _ := r.at("recovery_codes").([]any)
		require.Len(t, codes, 10)
		require.Equal(t, true, me.do("GET", "/api/v1/auth/me", "").at("mfa"))
		require.NotContains(t, s.log.String(), secret)

		r = s.as("").do("POST", "/api/v1/auth/login", loginBody("me@example.org", ""))
		require.Equal(t, []any{float64(http.StatusUnauthorized), "auth.totp_needed"}, []any{r.at("status"), r.at("code")})
		r = s.as("").do("POST", "/api/v1/auth/login", loginBody("me@example.org", code))
		require.Equal(t, "auth.invalid_credentials", r.at("code"), "the code that ended the enrolment is used up")
		r = s.as("").do("POST", "/api/v1/auth/login", loginBody("me@example.org", codes[0].(string)))
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, true, r.at("account", "mfa"))

		proof := `{"current_password":"` + password + `","totp":"` + codes[1].(string) + `"}`
		r = me.do("POST", "/api/v1/auth/recovery-codes", proof)
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, http.StatusUnauthorized, me.do("POST", "/api/v1/auth/totp/disable", proof).status)
		fresh, _ := r.at("recovery_codes").([]any)
		proof = `{"current_password":"` + password + `","totp":"` + fresh[0].(string) + `"}`
		require.Equal(t, http.StatusNoContent, me.do("POST", "/api/v1/auth/totp/disable", proof).status)
		require.Equal(t, http.StatusOK, s.as("").do("POST", "/api/v1/auth/login", loginBody("me@example.org", "")).status)
	})
}

// An account whose role needs a second factor must enrol one before anything else.
func TestSecondFactorIsDue(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		s := newStackWith(t, url, func(cfg *config.Config) { cfg.Server.Addr = "192.0.2.1:8443" })
		clinician := s.person("clinician@example.org", service.RoleClinician)
		require.Equal(t, http.StatusOK, s.as(clinician.token).do("GET", "/api/v1/patients", "").status)
		admin := s.as(s.person("admin@example.org", service.RoleAdmin, service.RoleClinician).token)
		r := admin.do("GET", "/api/v1/patients", "")
		require.Equal(t, []any{float64(http.StatusForbidden), "auth.totp_due"}, []any{r.at("status"), r.at("code")})
		require.Equal(t, http.StatusOK, admin.do("GET", "/api/v1/auth/sessions", "").status)

		first := s.as(s.account("first@example.org", func(a *models.Account) { a.MustChangePassword = true }, service.RoleAdmin))
		require.Equal(t, "auth.password_change", first.do("GET", "/api/v1/patients", "").at("code"), "the password comes first")

		secret := admin.do("POST", "/api/v1/auth/totp", `{"current_password":"`+password+`"}`).at("secret").(string)
		require.Equal(t, "auth.totp_due", admin.do("GET", "/api/v1/patients", "").at("code"), "an enrolment is not the end of it")
		code, err := totp.GenerateCode(secret, time.Now())
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, admin.do("POST", "/api/v1/auth/totp/confirm", `{"totp":"`+code+`"}`).status)
		require.Equal(t, http.StatusOK, admin.do("GET", "/api/v1/patients", "").status)
	})
}

func TestSessionsOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		mine := s.as(s.person("me@example.org", service.RoleClinician).token)
		other := s.as(s.login("me@example.org"))
		page := mine.do("GET", "/api/v1/auth/sessions?limit=1", "")
		require.Len(t, page.items(), 1)
		next := mine.do("GET", "/api/v1/auth/sessions?limit=1&cursor="+page.at("next_cursor").(string), "")
		require.Len(t, next.items(), 1)
		require.Nil(t, next.at("next_cursor"))
		require.NotContains(t, page.text+next.text, other.token)
		var theirs string
		for _, item := range append(page.items(), next.items()...) {
			session, _ := item.(map[string]any)
			require.Equal(t, "127.0.0.1", session["address"])
			if session["current"] == false {
				theirs, _ = session["id"].(string)
			}
		}
		stranger := s.as(s.person("stranger@example.org", service.Roles()...).token)
		require.Equal(t, http.StatusNotFound, stranger.do("DELETE", "/api/v1/auth/sessions/"+theirs, "").status)
		require.Equal(t, http.StatusOK, other.do("GET", "/api/v1/auth/me", "").status)
		require.Equal(t, http.StatusNoContent, mine.do("DELETE", "/api/v1/auth/sessions/"+theirs, "").status)
		require.Equal(t, http.StatusUnauthorized, other.do("GET", "/api/v1/auth/me", "").status)
		require.Equal(t, http.StatusOK, mine.do("GET", "/api/v1/auth/me", "").status)
	})
}

// A forged X-Forwarded-For changes neither the budget that an attempt uses, nor the address in the log. Retry-After
// has the wait.
func TestForgedAddressesChangeNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		s := newStackWith(t, url, func(cfg *config.Config) { cfg.Auth.LoginFailures = 2 })
		wrong := `{"email":"all@example.org","password":"a wrong passphrase"}`
		// The first waits are shorter than one login takes on a slow machine. Each failure doubles the wait, so the
		// limit is reached long before the 20 failures that all addresses share.
		statuses := []int{}
		var last reply
		for i := 0; i < 12 && last.status != http.StatusTooManyRequests; i++ {
			forged := fmt.Sprintf("198.51.100.%d", i)
			last = s.as("").do("POST", "/api/v1/auth/login", wrong, "X-Forwarded-For: "+forged, "X-Real-Ip: "+forged, "Forwarded: for="+forged)
			statuses = append(statuses, last.status)
		}
		require.Equal(t, http.StatusTooManyRequests, last.status, "%v", statuses)
		require.Greater(t, len(statuses), 2, "two failures are allowed")
		require.NotContains(t, statuses[:len(statuses)-1], http.StatusOK)
		require.NotEmpty(t, last.header.Get("Retry-After"))
		require.Equal(t, "request.rate_limited", last.at("code"))
		require.NoError(t, s.refusals.Flush(t.Context()))
		var addresses []string
		require.NoError(t, s.db.Raw("SELECT DISTINCT address FROM auditlog WHERE address IS NOT NULL").Scan(&addresses).Error)
		require.Equal(t, []string{"127.0.0.1"}, addresses)
		var noted string
		require.NoError(t, s.db.Raw("SELECT details FROM auditlog WHERE action = 'refuse'").Scan(&noted).Error)
		require.True(t, strings.HasSuffix(noted, "1 request.rate_limited"), noted)
	})
}
