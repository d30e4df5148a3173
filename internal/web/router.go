package web

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
)

// Access is the login that a route needs. Its zero value is refused, so that no route is open by omission.
type Access int

// The kinds of access.
const (
	Open   Access = iota + 1 // without login or limit, for monitors
	Public                   // without login, with a limit per address of its own
	// FirstLogin is with a valid session of a person, even while the first password or a second factor is due.
	FirstLogin
	Session // with a valid session, or an API key
	Own     // like Session, without a permission: for data of the caller, or of everybody
)

// Login reports whether access takes a login.
func (a Access) Login() bool { return a == FirstLogin || a == Session || a == Own }

// HandlerFunc answers a request, or returns the error to answer with.
type HandlerFunc func(c *gin.Context) error

// Route is one line of the route table.
type Route struct {
	Method  string
	Pattern string // as Gin writes it: /api/v1/patients/:id
	Access  Access
	Handler HandlerFunc
}

// RouterConfig are the dependencies of NewRouter besides the routes. Every field but TrustedProxies and CORSOrigins
// is required.
type RouterConfig struct {
	// Authenticate puts the caller into the request's context, or returns an apperr.Unauthenticated error. It has
	// no side effects: the router counts refused logins against the address.
	Authenticate HandlerFunc
	// Admit refuses known callers, depending on the access that a route needs.
	Admit func(*gin.Context, Access) error
	// Anonymous puts the absence of a caller into the context of a request to a public route. Optional.
	Anonymous      func(*gin.Context)
	Logger         *slog.Logger
	TrustedProxies []string // addresses or CIDRs whose X-Forwarded-For is trusted; none by default
	CORSOrigins    []string // origins whose pages may read answers; none by default
	BodyLimit      int64    // bytes
	RequestTimeout time.Duration
	// Gets each request that is refused before its caller is known; may be nil.
	Refused func(address string, reason apperr.Code)
	// Failed and anonymous requests per address; public routes have a second budget of this size.
	FailuresPerMinute int
	FailureBurst      int
	RequestsPerMinute int // authenticated requests per account; 0 means no limit
}

// NewRouter returns an engine that serves routes. Errors name the bad setting or route. Like Gin, it panics if two
// routes collide.
func NewRouter(config RouterConfig, routes []Route) (*gin.Engine, error) {
	if config.Authenticate == nil || config.Admit == nil || config.Logger == nil ||
		config.BodyLimit <= 0 || config.RequestTimeout <= 0 {
		return nil, errors.New("router: Authenticate, Admit, Logger, BodyLimit and RequestTimeout are required")
	}
	failures, err := newAddressLimiter(config)
	if err != nil {
		return nil, err
	}
	// A separate budget, so that other failures at an address do not block logins.
	entries, err := newAddressLimiter(config)
	if err != nil {
		return nil, err
	}
	authenticate, err := limitAccounts(config.Authenticate, config.RequestsPerMinute)
	if err != nil {
		return nil, fmt.Errorf("router: %w", err)
	}
	engine, err := newEngine(config.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("router: trusted proxies: %w", err)
	}
	useMiddleware(engine, config)
	engine.NoRoute(failures.limit, handle(routeNotFound))
	engine.NoMethod(failures.limit, handle(methodNotAllowed))
	for _, route := range routes {
		guard, err := config.guard(route, authenticate, failures, entries)
		if err != nil {
			return nil, err
		}
		engine.Handle(route.Method, route.Pattern, guard, handle(route.Handler))
	}
	return engine, nil
}

// newEngine returns an engine that never guesses: an address has one route or none, without redirects.
func newEngine(trustedProxies []string) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	engine.RedirectFixedPath = false
	engine.UseRawPath = false
	engine.RemoteIPHeaders = []string{"X-Forwarded-For"} // proxies pass on a client's own X-Real-IP
	return engine, engine.SetTrustedProxies(trustedProxies)
}

// useMiddleware sets the middleware of every request, unknown routes included. The access log wraps the recovery, so
// that it sees the 500 of a panic.
func useMiddleware(engine *gin.Engine, config RouterConfig) {
	engine.Use(
		identifyRequest,
		logAccess(config.Logger),
		recoverPanics(config.Logger),
		secureHeaders,
		shareWith(config.CORSOrigins),
		limitBody(config.BodyLimit),
		limitTime(config.RequestTimeout),
	)
}

func (config RouterConfig) guard(route Route, authenticate HandlerFunc, failures, entries *limiter) (gin.HandlerFunc, error) {
	switch {
	case route.Handler == nil:
		return nil, fmt.Errorf("router: %s %s has no handler", route.Method, route.Pattern)
	case route.Access == Open:
		return func(*gin.Context) {}, nil
	case route.Access == Public:
		return func(c *gin.Context) {
			entries.limit(c)
			if config.Anonymous != nil {
				config.Anonymous(c)
			}
		}, nil
	case route.Access == FirstLogin || route.Access == Session || route.Access == Own:
		return requireSession(config.admitting(route.Access, authenticate), failures), nil
	default:
		return nil, fmt.Errorf("router: %s %s does not say who may call it", route.Method, route.Pattern)
	}
}

// admitting makes authenticate refuse a caller that Admit refuses.
func (config RouterConfig) admitting(access Access, authenticate HandlerFunc) HandlerFunc {
	return func(c *gin.Context) error {
		if err := authenticate(c); err != nil {
			return err
		}
		return config.Admit(c, access)
	}
}

// newAddressLimiter returns a limiter of failed and anonymous requests.
func newAddressLimiter(config RouterConfig) (*limiter, error) {
	l, err := newLimiter(config.FailuresPerMinute, config.FailureBurst)
	if err != nil {
		return nil, fmt.Errorf("router: %w", err)
	}
	l.refused = config.Refused
	return l, nil
}

// limitAccounts makes authenticate refuse an account that sends too many requests.
func limitAccounts(authenticate HandlerFunc, perMinute int) (HandlerFunc, error) {
	if perMinute == 0 {
		return authenticate, nil
	}
	accounts, err := newLimiter(perMinute, perMinute)
	if err != nil {
		return nil, err
	}
	return func(c *gin.Context) error {
		counted := accountOf(c) != "" // authenticate runs again once the body has arrived
		if err := authenticate(c); err != nil || counted {
			return err
		}
		return accounts.take(accountOf(c), "Too many requests from this account. Try again later: see Retry-After.")
	}, nil
}

// requireSession lets only authenticated callers pass. It authenticates again once the whole request has arrived,
// since a body can take long. A refused login counts against the budget of the address; a fault of the server does
// not. A valid session passes even if its address, which others may share, has no budget left.
func requireSession(authenticate HandlerFunc, failures *limiter) gin.HandlerFunc {
	return func(c *gin.Context) {
		err := authenticate(c)
		if err == nil && c.Request.Body != nil && c.Request.ContentLength != 0 {
			awaitBody(c.Request)
			err = authenticate(c)
		}
		if err == nil {
			return
		}
		if StatusOf(err) == http.StatusUnauthorized {
			err = cmp.Or(failures.Allow(c.ClientIP()), err)
			failures.tell(c, err)
		}
		writeProblem(c, err)
	}
}

// handle turns a returned error into a problem.
func handle(next HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := next(c); err != nil {
			writeProblem(c, err)
		}
	}
}

func routeNotFound(*gin.Context) error {
	return apperr.New(apperr.RouteNotFound, "This route does not exist: see GET /openapi.json.")
}

// methodNotAllowed leaves the Allow header to Gin, which has set it.
func methodNotAllowed(*gin.Context) error {
	return apperr.New(apperr.MethodNotAllowed, "This route does not support the method. The header Allow lists the supported ones.")
}
