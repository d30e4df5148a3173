// Package handler is the REST face of NovaMind: the route table, its middleware, and how requests are read and
// answers written. It is the only package that knows HTTP status codes.
package handler

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"novamind/internal/apperr"
)

const (
	problemType    = "urn:novamind:problem:" // followed by the code
	internalDetail = "Something went wrong on our side. The request id finds it in our log."
)

type problemKind struct {
	status int
	title  string
}

// problemKinds is the one place that maps an error code to its HTTP status and title.
var problemKinds = map[apperr.Code]problemKind{
	apperr.Malformed:          {http.StatusBadRequest, "Request not readable"},
	apperr.Invalid:            {http.StatusUnprocessableEntity, "Request invalid"},
	apperr.TooLarge:           {http.StatusRequestEntityTooLarge, "Body too large"},
	apperr.MediaType:          {http.StatusUnsupportedMediaType, "Media type not supported"},
	apperr.RouteNotFound:      {http.StatusNotFound, "No such route"},
	apperr.MethodNotAllowed:   {http.StatusMethodNotAllowed, "Method not allowed"},
	apperr.Unauthenticated:    {http.StatusUnauthorized, "Login required"},
	apperr.BadCredentials:     {http.StatusUnauthorized, "Login refused"},
	apperr.PasswordChange:     {http.StatusForbidden, "Password change required"},
	apperr.TOTPNeeded:         {http.StatusUnauthorized, "Second factor required"},
	apperr.TOTPDue:            {http.StatusForbidden, "Second factor to be enrolled"},
	apperr.Forbidden:          {http.StatusForbidden, "Access denied"},
	apperr.NotFound:           {http.StatusNotFound, "Not found"},
	apperr.Duplicate:          {http.StatusConflict, "Already exists"},
	apperr.LastAdmin:          {http.StatusConflict, "Last admin"},
	apperr.PossibleDuplicate:  {http.StatusConflict, "Perhaps here already"},
	apperr.Conflict:           {http.StatusConflict, "In conflict"},
	apperr.Taken:              {http.StatusConflict, "Time taken"},
	apperr.OutsideHours:       {http.StatusConflict, "Outside of the practitioner's hours"},
	apperr.BadTransition:      {http.StatusConflict, "State does not allow it"},
	apperr.Stale:              {http.StatusPreconditionFailed, "Changed in the meantime"},
	apperr.PreconditionNeeded: {http.StatusPreconditionRequired, "If-Match required"},
	apperr.KeyReused:          {http.StatusUnprocessableEntity, "Idempotency key reused"},
	apperr.RateLimited:        {http.StatusTooManyRequests, "Too many requests"},
	apperr.AuditUnavailable:   {http.StatusServiceUnavailable, "Audit log unavailable"},
	apperr.Unavailable:        {http.StatusServiceUnavailable, "Database unavailable"},
	apperr.Unreadable:         {http.StatusInternalServerError, "Stored data not readable"},
	apperr.Internal:           {http.StatusInternalServerError, "Internal error"},
}

// problem is the body of every error answer (RFC 9457). Errors is [] rather than absent.
type problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Code      apperr.Code    `json:"code"`
	RequestID string         `json:"request_id"`
	Errors    []problemField `json:"errors"`

	Candidates []string `json:"candidates,omitzero"` // with patient.duplicate
}

type problemField struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// writeProblem ends the request with err as application/problem+json. An error without a code becomes a 500 with a
// fixed text, an expired or cancelled context a 503. The error itself goes to the access log and nowhere else. Once an
// answer has begun, it only notes err for the log.
func writeProblem(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
	if c.Writer.Written() {
		return
	}
	shown := presentable(err)
	kind := problemKinds[shown.Code]
	dropResourceHeaders(c.Writer.Header())
	c.Header("Cache-Control", "no-store")
	switch kind.status {
	case http.StatusUnauthorized:
		c.Header("WWW-Authenticate", `Bearer realm="novamind"`) // RFC 9110, section 15.5.2
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		c.Header("Retry-After", wholeSeconds(shown.RetryAfter))
	}
	// The texts are ours; should one ever be broken UTF-8, the client gets U+FFFD rather than no answer.
	body, err := json.Marshal(describe(shown, kind, RequestID(c.Request.Context())), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	writeBody(c, kind.status, "application/problem+json", body)
}

// presentable returns what of err may be shown.
func presentable(err error) *apperr.Error {
	var e *apperr.Error
	if errors.As(err, &e) && e.Code != apperr.Internal {
		if _, known := problemKinds[e.Code]; known {
			return e
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return apperr.New(apperr.Unavailable, "The request took too long. Try again.")
	}
	return apperr.New(apperr.Internal, internalDetail)
}

// statusOf returns the status that err is answered with.
func statusOf(err error) int { return problemKinds[presentable(err).Code].status }

func describe(e *apperr.Error, kind problemKind, requestID string) problem {
	fields := make([]problemField, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = problemField(f)
	}
	return problem{
		Type: problemType + string(e.Code), Title: kind.title, Status: kind.status, Detail: e.Detail,
		Code: e.Code, RequestID: requestID, Errors: fields, Candidates: e.Candidates,
	}
}

// dropResourceHeaders removes what a handler said about a resource before it failed.
func dropResourceHeaders(h http.Header) {
	for _, name := range []string{"ETag", "Link", "Location"} {
		h.Del(name)
	}
}

// wholeSeconds renders d for Retry-After: rounded up, at least 1, since 0 would invite a storm of retries.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
