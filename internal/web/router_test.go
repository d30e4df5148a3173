package web

import (
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
)

func sampleRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: "/api/v1/samples/:id", Access: Session, Handler: ok},
		{Method: "PUT", Pattern: "/api/v1/samples/:id", Access: Session, Handler: ok},
		{Method: "POST", Pattern: "/api/v1/samples", Access: Public, Handler: ok},
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil, sampleRoutes()...)
	for name, test := range map[string]struct {
		method, path, token string
		status              int
		code                apperr.Code
		allow               string
	}{
		"public":              {"POST", "/api/v1/samples", "", 200, "", ""},
		"with a session":      {"GET", "/api/v1/samples/1", "good", 200, "", ""},
		"without":             {"GET", "/api/v1/samples/1", "", 401, apperr.Unauthenticated, ""},
		"with a wrong one":    {"GET", "/api/v1/samples/1", canary, 401, apperr.Unauthenticated, ""},
		"unknown":             {"GET", "/" + canary, "good", 404, apperr.RouteNotFound, ""},
		"trailing slash":      {"POST", "/api/v1/samples/", "good", 404, apperr.RouteNotFound, ""},
		"other case":          {"POST", "/API/v1/samples", "good", 404, apperr.RouteNotFound, ""},
		"double slash":        {"POST", "//api/v1/samples", "good", 404, apperr.RouteNotFound, ""},
		"other method":        {"DELETE", "/api/v1/samples/" + canary, "good", 405, apperr.MethodNotAllowed, "GET, PUT"},
		"HEAD":                {"HEAD", "/api/v1/samples/1", "good", 405, apperr.MethodNotAllowed, "GET, PUT"},
		"OPTIONS":             {"OPTIONS", "/api/v1/samples", "", 405, apperr.MethodNotAllowed, "POST"},
		"a method of its own": {"BREW", "/api/v1/samples", "", 405, apperr.MethodNotAllowed, "POST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := b.serve(request(test.method, test.path, "", "Authorization", "Bearer "+test.token))
			require.Equal(t, test.status, w.Code)
			require.Equal(t, test.allow, w.Header().Get("Allow"))
			if test.code != "" {
				require.Equal(t, test.code, problemIn(t, w).Code)
			}
		})
	}
}

func TestARefusedCallerDoesNotReachTheHandler(t *testing.T) {
	t.Parallel()
	reached := false
	b := newBundle(t, nil, Route{Method: "GET", Pattern: "/x", Access: Session, Handler: func(*gin.Context) error {
		reached = true
		return nil
	}})
	require.Equal(t, 401, b.serve(request("GET", "/x", "")).Code)
	require.False(t, reached)
}

func TestAFaultOfOursInAuthenticationIsNoFailedLogin(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(config *RouterConfig) {
		config.FailuresPerMinute, config.FailureBurst = 1, 1
		config.Authenticate = func(*gin.Context) error { return apperr.New(apperr.Unavailable, "Busy.") }
	}, Route{Method: "GET", Pattern: "/x", Access: Session, Handler: ok})
	for range 3 {
		require.Equal(t, 503, b.serve(request("GET", "/x", "")).Code)
	}
}

func TestNewRouterRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		configure func(*RouterConfig)
		route     Route
	}{
		"a route that does not say who may call it": {nil, Route{Method: "GET", Pattern: "/x", Handler: ok}},
		"a route without a handler":                 {nil, Route{Method: "GET", Pattern: "/x", Access: Public}},
		"no authentication":                         {func(c *RouterConfig) { c.Authenticate = nil }, Route{}},
		"no admission":                              {func(c *RouterConfig) { c.Admit = nil }, Route{}},
		"no logger":                                 {func(c *RouterConfig) { c.Logger = nil }, Route{}},
		"no body limit":                             {func(c *RouterConfig) { c.BodyLimit = 0 }, Route{}},
		"no deadline":                               {func(c *RouterConfig) { c.RequestTimeout = 0 }, Route{}},
		"no failure limit":                          {func(c *RouterConfig) { c.FailuresPerMinute = 0 }, Route{}},
		"a proxy that is no address":                {func(c *RouterConfig) { c.TrustedProxies = []string{"proxy"} }, Route{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := sampleConfig(&syncBuffer{})
			route := Route{Method: "GET", Pattern: "/x", Access: Public, Handler: ok}
			if test.configure == nil {
				route = test.route
			} else {
				test.configure(&config)
			}
			_, err := NewRouter(config, []Route{route})
			require.Error(t, err)
		})
	}
}
