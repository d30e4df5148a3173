package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
)

// logLines reads the log, which must not hold the canary.
func logLines(t *testing.T, b *testBundle) []map[string]any {
	t.Helper()
	require.NotContains(t, b.log.String(), canary)
	var lines []map[string]any
	for line := range strings.Lines(b.log.String()) {
		var parsed map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &parsed))
		lines = append(lines, parsed)
	}
	return lines
}

func ok(c *gin.Context) error { return WriteJSON(c, 200, "ok") }

func TestRequestID(t *testing.T) {
	t.Parallel()
	b := one(t, "GET", func(c *gin.Context) error { return WriteJSON(c, 200, RequestID(c.Request.Context())) })
	for _, id := range []string{"a", "A-b_c.9", strings.Repeat("x", 128)} {
		w := b.serve(request("GET", "/api/v1/samples/1", "", "X-Request-Id", id))
		require.Equal(t, id, w.Header().Get("X-Request-Id"))
		require.Equal(t, `"`+id+`"`, w.Body.String())
	}
	for _, id := range []string{"", canary + " x", canary + "\n", canary + "/", "é", strings.Repeat("x", 129)} {
		w := b.serve(request("GET", "/api/v1/samples/1", "", "X-Request-Id", id))
		fresh, err := uuid.Parse(w.Header().Get("X-Request-Id"))
		require.NoError(t, err)
		require.Equal(t, uuid.Version(7), fresh.Version())
		require.Equal(t, `"`+fresh.String()+`"`, w.Body.String())
	}
	logLines(t, b)
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	account := uuid.MustParse("0190b5f4-0000-7000-8000-0000000000aa")
	b := one(t, "GET", func(c *gin.Context) error {
		SetAccount(c, account)
		return ok(c)
	})
	w := b.serve(request("GET", "/api/v1/samples/"+canary+"?q="+canary, "", "X-Request-Id", "r1", "Referer", canary, "User-Agent", canary))
	require.Equal(t, 200, w.Code)
	lines := logLines(t, b)
	require.Len(t, lines, 1)
	require.Contains(t, lines[0], "duration")
	for key, want := range map[string]any{
		"level": "INFO", "msg": "request", "method": "GET", "route": "/api/v1/samples/:id", "status": 200.0, "bytes": 4.0,
		"request_id": "r1", "account_id": account.String(),
	} {
		require.Equal(t, want, lines[0][key], key)
	}
}

func TestAccessLogOfErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err         error
		code, level string
		text        any
	}{
		"a fault of ours, with its cause": {apperr.Wrap(apperr.Unavailable, "Busy.", errors.New("SQLSTATE 57014")), "database.unavailable", "ERROR", "database.unavailable: Busy.: SQLSTATE 57014"},
		"a refusal, by its code alone":    {apperr.Wrap(apperr.NotFound, "Gone.", errors.New(canary)), "resource.not_found", "INFO", nil},
		"a foreign error":                 {errors.New("a defect"), "internal", "ERROR", "a defect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := one(t, "GET", func(*gin.Context) error { return test.err })
			problemIn(t, b.serve(request("GET", "/api/v1/samples/"+canary, "")))
			line := logLines(t, b)[0]
			require.Equal(t, test.code, line["code"])
			require.Equal(t, test.level, line["level"])
			require.Equal(t, test.text, line["error"])
		})
	}
}

func TestAccessLogOfWhatMatchesNothing(t *testing.T) {
	t.Parallel()
	b := one(t, "GET", ok)
	b.serve(request("GET", "/"+canary, ""))
	b.serve(request(canary, "/api/v1/samples/1", ""))
	lines := logLines(t, b)
	require.Equal(t, "route.not_found", lines[0]["code"])
	require.Empty(t, lines[0]["route"])
	require.Equal(t, "other", lines[1]["method"])
}

func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	var noMap map[string]int
	for name, test := range map[string]struct {
		panicking func()
		kind      string
		text      any
	}{
		"a text":        {func() { panic(canary) }, "string", nil},
		"an error":      {func() { panic(errors.New(canary)) }, "*errors.errorString", nil},
		"the runtime's": {func() { noMap[canary] = 1 }, "runtime.plainError", "assignment to entry in nil map"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := one(t, "GET", func(*gin.Context) error {
				test.panicking()
				return nil
			})
			p := problemIn(t, b.serve(request("GET", "/api/v1/samples/1", "")))
			require.Equal(t, apperr.Internal, p.Code)
			lines := logLines(t, b)
			require.Len(t, lines, 2)
			require.Equal(t, "panic", lines[0]["msg"])
			require.Contains(t, lines[0]["stack"], "middleware_test.go")
			require.Equal(t, p.RequestID, lines[0]["request_id"])
			require.Equal(t, test.text, lines[0]["panic"])
			require.InDelta(t, 500, lines[1]["status"], 0)
			if test.text == nil {
				require.Equal(t, test.kind, lines[0]["type"])
			}
		})
	}
}

func TestPanicAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	t.Parallel()
	b := one(t, "GET", func(c *gin.Context) error {
		_, err := c.Writer.WriteString("half")
		require.NoError(t, err)
		panic(canary)
	})
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { b.serve(request("GET", "/api/v1/samples/1", "")) })
	require.Len(t, logLines(t, b), 2)
}

func TestAbortPassesThrough(t *testing.T) {
	t.Parallel()
	b := one(t, "GET", func(*gin.Context) error { panic(http.ErrAbortHandler) })
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { b.serve(request("GET", "/api/v1/samples/1", "")) })
}

func TestSecureHeaders(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil,
		Route{Method: "GET", Pattern: "/api/v1/samples", Access: Public, Handler: ok},
		Route{Method: "GET", Pattern: "/docs", Access: Public, Handler: ok})
	for path, cache := range map[string]string{"/api/v1/samples": "no-store", "/docs": "", "/api/v1/none": "no-store", "/none": "no-store"} {
		h := b.serve(request("GET", path, "")).Header()
		require.Equal(t, cache, h.Get("Cache-Control"), path)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		require.Equal(t, "DENY", h.Get("X-Frame-Options"))
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"))
		require.Empty(t, h.Get("Strict-Transport-Security"), "plain HTTP")
		require.Equal(t, "default-src 'none'; frame-ancestors 'none'", h.Get("Content-Security-Policy"))
	}
}

func TestRequestDeadline(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(config *RouterConfig) { config.RequestTimeout = time.Nanosecond },
		Route{Method: "GET", Pattern: "/slow", Access: Public, Handler: func(c *gin.Context) error {
			<-c.Request.Context().Done()
			return c.Request.Context().Err()
		}})
	p := problemIn(t, b.serve(request("GET", "/slow", "")))
	require.Equal(t, apperr.Unavailable, p.Code)
}
