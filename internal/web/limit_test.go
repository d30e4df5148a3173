package web

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
)

func TestFailureLimiterRefillsOverTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := newLimiter(6, 2) // one every 10 s
		require.NoError(t, err)
		require.NoError(t, l.Allow("192.0.2.1"))
		require.NoError(t, l.Allow("192.0.2.1"))
		for range 3 { // a refused request costs nothing
			refused := l.Allow("192.0.2.1")
			require.True(t, apperr.Is(refused, apperr.RateLimited))
			var e *apperr.Error
			require.ErrorAs(t, refused, &e)
			require.Equal(t, 10*time.Second, e.RetryAfter)
		}
		require.NoError(t, l.Allow("192.0.2.2"))
		time.Sleep(10 * time.Second)
		require.NoError(t, l.Allow("192.0.2.1"))
		require.Error(t, l.Allow("192.0.2.1"))
	})
}

func TestFailureLimiterUnderConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := newLimiter(1, 10)
		require.NoError(t, err)
		var allowed atomic.Int32
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if l.Allow("192.0.2.1") == nil {
					allowed.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 10, allowed.Load())
	})
}

func TestFailureLimiterRefusesNoBudget(t *testing.T) {
	t.Parallel()
	for _, budget := range [][2]int{{0, 1}, {1, 0}, {-1, 1}} {
		_, err := newLimiter(budget[0], budget[1])
		require.Error(t, err)
	}
}

func TestAnIPv6NetworkSharesOneBudget(t *testing.T) {
	t.Parallel()
	l, err := newLimiter(1, 1)
	require.NoError(t, err)
	require.NoError(t, l.Allow("2001:db8::1"))
	require.Error(t, l.Allow("2001:db8::2"))
	require.NoError(t, l.Allow("2001:db8:0:1::1"))
}

// limited returns a bundle with a budget of two, one public and one session route.
func limited(t *testing.T, proxies ...string) *testBundle {
	return newBundle(t, func(config *RouterConfig) {
		config.FailuresPerMinute, config.FailureBurst, config.TrustedProxies = 1, 2, proxies
	},
		Route{Method: "GET", Pattern: "/public", Access: Public, Handler: ok},
		Route{Method: "GET", Pattern: "/private", Access: Session, Handler: ok})
}

func from(b *testBundle, addr, path string, headers ...string) *httptest.ResponseRecorder {
	r := request("GET", path, "", headers...)
	r.RemoteAddr = addr
	return b.serve(r)
}

func TestAnonymousRequestsAreLimited(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/public", "/private", "/none"} {
		b := limited(t)
		require.NotEqual(t, 429, from(b, "192.0.2.1:1", path).Code)
		require.NotEqual(t, 429, from(b, "192.0.2.1:2", path, "Authorization", "Bearer bad").Code)
		w := from(b, "192.0.2.1:3", path)
		require.Equal(t, apperr.RateLimited, problemIn(t, w).Code)
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		require.NotEqual(t, 429, from(b, "192.0.2.2:1", path).Code)
	}
}

func TestMethodsThatDoNotExistAreLimited(t *testing.T) {
	t.Parallel()
	b := limited(t)
	for _, want := range []int{405, 405, 429} {
		require.Equal(t, want, b.serve(request("DELETE", "/public", "")).Code)
	}
}

func TestSessionsPassAnExhaustedAddress(t *testing.T) {
	t.Parallel()
	b := limited(t)
	for range 4 {
		from(b, "192.0.2.1:1", "/private", "Authorization", "Bearer bad")
	}
	require.Equal(t, 429, from(b, "192.0.2.1:1", "/private", "Authorization", "Bearer bad").Code)
	for range 4 {
		require.Equal(t, 200, from(b, "192.0.2.1:1", "/private", "Authorization", "Bearer good").Code)
	}
}

// Failures at an address do not use up its budget for public routes. Too many requests to these routes do.
func TestTheWayInHasABudgetOfItsOwn(t *testing.T) {
	t.Parallel()
	b := limited(t)
	for range 4 {
		from(b, "192.0.2.1:1", "/none")
		from(b, "192.0.2.1:1", "/private", "Authorization", "Bearer bad")
	}
	for _, want := range []int{200, 200, 429} {
		require.Equal(t, want, from(b, "192.0.2.1:1", "/public").Code)
	}
}

func TestForwardedAddressesAreBelievedFromTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	b := limited(t)
	for i, want := range []int{200, 200, 429} {
		require.Equal(t, want, from(b, "192.0.2.1:1", "/public", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i)).Code)
	}
	behind := limited(t, "192.0.2.0/24")
	for _, want := range []int{200, 200, 429} {
		require.Equal(t, want, from(behind, "192.0.2.1:1", "/public", "X-Forwarded-For", "198.51.100.1").Code)
	}
	require.Equal(t, 200, from(behind, "192.0.2.1:1", "/public", "X-Forwarded-For", "198.51.100.2").Code)
	spoofed := from(behind, "192.0.2.1:1", "/public", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-For", "198.51.100.1")
	require.Equal(t, 429, spoofed.Code)
	for i, want := range []int{200, 200, 429} {
		require.Equal(t, want, from(behind, "192.0.2.1:1", "/public", "X-Real-IP", fmt.Sprintf("203.0.113.%d", i)).Code)
	}
}
