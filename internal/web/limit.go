package web

import (
	"errors"
	"time"

	"github.com/gin-gonic/gin"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"novamind/internal/apperr"
	"novamind/internal/netaddr"
)

// maxTrackedAddresses bounds the limiter's memory; the address seen longest ago is forgotten first.
const maxTrackedAddresses = 1 << 16

// limiter limits requests: a token bucket for each client address, or account.
type limiter struct {
	buckets   *lru.Cache[string, *rate.Limiter]
	perSecond rate.Limit
	burst     int
	refused   func(address string, reason apperr.Code)
}

// newLimiter allows perMinute requests a minute of one key in the long run, and burst at once.
func newLimiter(perMinute, burst int) (*limiter, error) {
	if perMinute < 1 || burst < 1 {
		return nil, errors.New("a limit of requests and its burst must be at least 1")
	}
	buckets, err := lru.New[string, *rate.Limiter](maxTrackedAddresses)
	if err != nil {
		return nil, err
	}
	return &limiter{buckets: buckets, perSecond: rate.Limit(float64(perMinute) / 60), burst: burst}, nil
}

// Allow takes one request from the budget of addr. Error: apperr.RateLimited, with the time until there is budget
// again.
func (l *limiter) Allow(addr string) error {
	return l.take(netaddr.Group(addr), "Too many failed or anonymous requests from this address. Try again later: see Retry-After.")
}

// take takes one request from the budget of key.
func (l *limiter) take(key, refusal string) error {
	now := time.Now()
	reservation := l.bucket(key).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	reservation.CancelAt(now)
	e := apperr.New(apperr.RateLimited, refusal)
	e.RetryAfter = wait
	return e
}

func (l *limiter) bucket(group string) *rate.Limiter {
	if bucket, ok := l.buckets.Get(group); ok {
		return bucket
	}
	fresh := rate.NewLimiter(l.perSecond, l.burst)
	if earlier, ok, _ := l.buckets.PeekOrAdd(group, fresh); ok {
		return earlier
	}
	return fresh
}

// limit ends the request with a 429 once its address is over the budget.
func (l *limiter) limit(c *gin.Context) {
	if err := l.Allow(c.ClientIP()); err != nil {
		l.tell(c, err)
		writeProblem(c, err)
	}
}

// tell reports that an anonymous request was refused.
func (l *limiter) tell(c *gin.Context, err error) {
	if l.refused != nil {
		l.refused(netaddr.Group(c.ClientIP()), apperr.CodeOf(err))
	}
}
