package handler_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

// heldBack sends a request, runs between, and then sends the body. The server waits for the body then, and has
// already let the caller in.
func (s *stack) heldBack(method, path, body string, between func()) int {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	require.NoError(s.t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nIf-Match: *\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", method, path, s.token, len(body))
	require.NoError(s.t, err)
	in := bufio.NewReader(conn)
	waiting, err := http.ReadResponse(in, nil)
	require.NoError(s.t, err)
	require.NoError(s.t, waiting.Body.Close())
	require.Equal(s.t, http.StatusContinue, waiting.StatusCode)
	between()
	_, err = io.WriteString(conn, body)
	require.NoError(s.t, err)
	answer, err := http.ReadResponse(in, nil)
	require.NoError(s.t, err)
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

// A request with a late body is judged by the permissions that its caller has when the body arrives.
func TestLateBodiesFindNewRights(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		s.register(ada)
		expires := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		for i, r := range []struct{ path, body string }{
			{"/api/v1/accounts", `{"email":"late@example.org","name":"Late","roles":["admin"]}`},
			{"/api/v1/api-keys", `{"name":"late","scopes":["patient.read"],"expires_at":"` + expires + `"}`},
			{"/api/v1/patients/search", `{"last_name":"garcía-lópez"}`},
		} {
			for name, c := range map[string]struct {
				want int
				end  func(caller)
			}{
				"logged out": {http.StatusUnauthorized, func(c caller) {
					require.Equal(t, http.StatusNoContent, s.as(c.token).do("POST", "/api/v1/auth/logout", "").status)
				}},
				"disabled": {http.StatusUnauthorized, func(c caller) {
					require.Equal(t, http.StatusOK, s.do("PATCH", "/api/v1/accounts/"+c.id.String(), `{"disabled":true}`, "If-Match: *").status)
				}},
				"demoted": {http.StatusForbidden, func(c caller) {
					require.Equal(t, http.StatusOK, s.do("PATCH", "/api/v1/accounts/"+c.id.String(), `{"roles":["auditor"]}`, "If-Match: *").status)
				}},
			} {
				who := s.person(fmt.Sprintf("%d%s@example.org", i, strings.ReplaceAll(name, " ", "")), service.RoleAdmin, service.RoleFrontDesk)
				require.Equal(t, c.want, s.as(who.token).heldBack("POST", r.path, r.body, func() { c.end(who) }), "%s, %s", name, r.path)
			}
		}
		require.NotContains(t, s.do("GET", "/api/v1/accounts", "").text, "late@example.org")
		who := s.person("who@example.org", service.RoleFrontDesk)
		require.Equal(t, http.StatusOK, s.as(who.token).heldBack("POST", "/api/v1/patients/search", `{"last_name":"x"}`, func() {}))
	})
}

// An admin makes keys and accounts while another admin takes the role away. Afterwards no such key works, and none is
// made after the role change was answered.
func TestNothingOutlivesARole(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		expires := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		for round, change := range []string{`{"roles":["auditor"]}`, `{"disabled":true}`} {
			admin := s.person(fmt.Sprintf("admin%d@example.org", round), service.RoleAdmin)
			var mu sync.Mutex
			var keys []string
			var racing sync.WaitGroup
			started := make(chan struct{}, 9*10)
			for i := range 9 {
				racing.Go(func() {
					for j := range 10 {
						started <- struct{}{}
						s.as(admin.token).do("POST", "/api/v1/accounts", fmt.Sprintf(`{"email":"r%d-%d-%d@example.org","name":"R","roles":["admin"]}`, round, i, j))
						r := s.as(admin.token).do("POST", "/api/v1/api-keys", `{"name":"race","scopes":["patient.read"],"expires_at":"`+expires+`"}`)
						if r.status == http.StatusCreated {
							mu.Lock()
							keys = append(keys, r.at("key").(string))
							mu.Unlock()
						}
					}
				})
			}
			for range 30 {
				<-started
			}
			require.Equal(t, http.StatusOK, s.do("PATCH", "/api/v1/accounts/"+admin.id.String(), change, "If-Match: *").status)
			var before, after int
			require.NoError(t, s.db.Raw("SELECT count(*) FROM account").Scan(&before).Error)
			racing.Wait()
			require.NoError(t, s.db.Raw("SELECT count(*) FROM account").Scan(&after).Error)
			require.Equal(t, before, after, "accounts that were made after the answer")
			for _, back := range []string{`{"roles":["admin"]}`, `{"disabled":false}`} {
				require.Equal(t, http.StatusOK, s.do("PATCH", "/api/v1/accounts/"+admin.id.String(), back, "If-Match: *").status)
			}
			for _, key := range keys {
				require.Equal(t, http.StatusUnauthorized, s.as(key).do("GET", "/api/v1/patients", "").status, "%d keys were made", len(keys))
			}
		}
	})
}

// A request with the same key and another password is another request.
func TestRepeatsWithAnotherPassword(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.person("forgetful@example.org", service.RoleClinician).id.String()
		account := `{"email":"new@example.org","name":"New","roles":["clinician"],"password":%q}`
		for path, body := range map[string]string{"/api/v1/accounts": account, "/api/v1/accounts/" + id + "/reset": `{"password":%q}`} {
			send := func(password string) reply {
				return s.do("POST", path, fmt.Sprintf(body, password), "Idempotency-Key: "+path)
			}
			first := send("a first passphrase")
			require.Less(t, first.status, 300, first.text)
			require.Equal(t, first.status, send("a first passphrase").status)
			r := send("another passphrase")
			require.Equal(t, "idempotency.key_reused", r.at("code"), r.text)
			require.Equal(t, http.StatusUnprocessableEntity, r.status)
		}
	})
}
