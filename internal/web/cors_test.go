package web

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

const desk = "https://desk.example.org"

func shared(t *testing.T, origins ...string) *testBundle {
	t.Helper()
	return newBundle(t, func(config *RouterConfig) { config.CORSOrigins = origins },
		Route{Method: "GET", Pattern: "/api/v1/samples", Access: Session, Handler: ok})
}

func preflight(b *testBundle, origin string) *httptest.ResponseRecorder {
	return b.serve(request("OPTIONS", "/api/v1/samples", "", "Origin", origin, "Access-Control-Request-Method", "GET"))
}

func TestCORSIsOffUnlessConfigured(t *testing.T) {
	t.Parallel()
	b := shared(t)
	require.Equal(t, 405, preflight(b, desk).Code)
	for _, w := range []*httptest.ResponseRecorder{
		preflight(b, desk), b.serve(request("GET", "/api/v1/samples", "", "Origin", desk, "Authorization", "Bearer good")),
	} {
		require.NotContains(t, headerText(w.Header()), "Access-Control-")
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	b := shared(t, desk)
	w := preflight(b, desk)
	require.Equal(t, 204, w.Code)
	require.Equal(t, desk, w.Header().Get("Access-Control-Allow-Origin"))
	require.Contains(t, w.Header().Get("Access-Control-Allow-Headers"), "If-Match")
	require.Contains(t, w.Header().Values("Vary"), "Origin")
	require.Empty(t, w.Header().Get("Access-Control-Allow-Credentials"))

	w = b.serve(request("GET", "/api/v1/samples", "", "Origin", desk, "Authorization", "Bearer good"))
	require.Equal(t, desk, w.Header().Get("Access-Control-Allow-Origin"))
	require.Contains(t, w.Header().Get("Access-Control-Expose-Headers"), "ETag")
	require.Equal(t, 401, b.serve(request("GET", "/api/v1/samples", "", "Origin", desk)).Code, "an origin is no login")

	for _, origin := range []string{"", "null", "https://evil.example", desk + ".evil.example", "http://desk.example.org", "HTTPS://DESK.example.org"} {
		require.NotContains(t, headerText(preflight(b, origin).Header()), "Access-Control-", origin)
		w := b.serve(request("GET", "/api/v1/samples", "", "Origin", origin, "Authorization", "Bearer good"))
		require.NotContains(t, headerText(w.Header()), "Access-Control-", origin)
		require.Equal(t, []string{"Origin"}, w.Header().Values("Vary"), "a cache keeps them apart")
	}
}
