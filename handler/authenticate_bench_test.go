package handler_test

import (
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"novamind/handler"
	"novamind/internal/dbtest"
	"novamind/internal/web"
)

// BenchmarkAuthenticate sends the same request, in turn, to a route that is open to all and to a route that needs a
// session. It reports the medians, and the time that authentication adds.
func BenchmarkAuthenticate(b *testing.B) {
	for _, engine := range dbtest.Engines() {
		b.Run(engine.Name, func(b *testing.B) {
			s := newStack(b, engine.URL(b))
			nothing := func(c *gin.Context) error { c.Status(http.StatusNoContent); return nil }
			router, err := web.NewRouter(web.RouterConfig{
				Authenticate: handler.Authenticate(handler.Services{Auth: s.auth}),
				Admit:        func(*gin.Context, web.Access) error { return nil }, Logger: slog.New(slog.DiscardHandler),
				BodyLimit: 1, RequestTimeout: time.Minute, FailuresPerMinute: math.MaxInt32, FailureBurst: math.MaxInt32,
			}, []web.Route{
				{Method: "GET", Pattern: "/open", Access: web.Open, Handler: nothing},
				{Method: "GET", Pattern: "/session", Access: web.Session, Handler: nothing},
			})
			require.NoError(b, err)
			took := map[string][]time.Duration{}
			for b.Loop() {
				for _, path := range []string{"/open", "/session"} {
					r := httptest.NewRequest(http.MethodGet, path, nil)
					r.Header.Set("Authorization", "Bearer "+s.token)
					w := httptest.NewRecorder()
					start := time.Now()
					router.ServeHTTP(w, r)
					took[path] = append(took[path], time.Since(start))
					if w.Code != http.StatusNoContent {
						b.Fatal(w.Body.String())
					}
				}
			}
			open, session := median(took["/open"]), median(took["/session"])
			b.ReportMetric(microseconds(open), "open-p50-µs")
			b.ReportMetric(microseconds(session), "session-p50-µs")
			b.ReportMetric(microseconds(session-open), "added-p50-µs")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
