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

// ProblemKind is how an error code is answered, and what it means for the caller.
type ProblemKind struct {
	Status  int
	Title   string
	Meaning string // in Markdown, for docs/errors.md
}

// ProblemKinds is the one place that maps an error code to its HTTP status, title and meaning.
var ProblemKinds = map[apperr.Code]ProblemKind{
	apperr.Malformed: {
		http.StatusBadRequest, "Request not readable",
		"The request cannot be read: broken JSON, a member twice, invalid UTF-8, or a broken header.",
	},
	apperr.Invalid: {
		http.StatusUnprocessableEntity, "Request invalid",
		"The request breaks a rule. `errors` says which rule, and where.",
	},
	apperr.TooLarge: {
		http.StatusRequestEntityTooLarge, "Body too large",
		"The body is larger than `server.max_body_bytes`.",
	},
	apperr.MediaType: {
		http.StatusUnsupportedMediaType, "Media type not supported",
		"The operation does not take this `Content-Type`.",
	},
	apperr.RouteNotFound: {
		http.StatusNotFound, "No such route",
		"There is no such route.",
	},
	apperr.MethodNotAllowed: {
		http.StatusMethodNotAllowed, "Method not allowed",
		"The route has other methods: see `Allow`.",
	},
	apperr.Unauthenticated: {
		http.StatusUnauthorized, "Login required",
		"There is no session, or it has ended.",
	},
	apperr.BadCredentials: {
		http.StatusUnauthorized, "Login refused",
		"The e-mail, the password or the code is wrong. The answer never says which.",
	},
	apperr.PasswordChange: {
		http.StatusForbidden, "Password change required",
		"The first password must be changed with `POST /auth/password` before anything else.",
	},
	apperr.TOTPNeeded: {
		http.StatusUnauthorized, "Second factor required",
		"The password is right. Send a code of the second factor, or a recovery code, as `totp`.",
	},
	apperr.TOTPDue: {
		http.StatusForbidden, "Second factor to be enrolled",
		"A role of yours needs a second factor. Enrol one with `POST /auth/totp`.",
	},
	apperr.Forbidden: {
		http.StatusForbidden, "Access denied",
		"None of your roles permits it.",
	},
	apperr.NotFound: {
		http.StatusNotFound, "Not found",
		"The resource does not exist, or you may not see it.",
	},
	apperr.Duplicate: {
		http.StatusConflict, "Already exists",
		"A value that must be unique is taken.",
	},
	apperr.LastAdmin: {
		http.StatusConflict, "Last admin",
		"The change would leave no enabled account with the role `admin` and a password.",
	},
	apperr.PossibleDuplicate: {
		http.StatusConflict, "Perhaps here already",
		"The clinic has a patient with these names and this date of birth. `candidates` has the ids that you may see.",
	},
	apperr.Conflict: {
		http.StatusConflict, "In conflict",
		"Existing data prevents it, such as a signed record or a state that does not allow the step.",
	},
	apperr.Taken: {
		http.StatusConflict, "Time taken",
		"The practitioner or the patient, in any row of the same person, has another appointment at that time. " +
			"Patients whose coming appointments overlap cannot be merged: move, cancel or permit one first. " +
			"`errors` names the intervals.",
	},
	apperr.OutsideHours: {
		http.StatusConflict, "Outside of the practitioner's hours",
		"The practitioner does not see patients at that time.",
	},
	apperr.BadTransition: {
		http.StatusConflict, "State does not allow it",
		"The appointment's state does not allow the step, or it is too early for it: `arrived` and `checked-in` are " +
			"possible from its day on, in its `time_zone`; `fulfilled` and `noshow` from its start on.",
	},
	apperr.Stale: {
		http.StatusPreconditionFailed, "Changed in the meantime",
		"`If-Match` names an older version. Read the resource again.",
	},
	apperr.PreconditionNeeded: {
		http.StatusPreconditionRequired, "If-Match required",
		"The change needs `If-Match` with the `ETag` of the version that was read.",
	},
	apperr.KeyReused: {
		http.StatusUnprocessableEntity, "Idempotency key reused",
		"An earlier request with this `Idempotency-Key` had another path, body or password. " +
			"A password that was changed since counts as another one.",
	},
	apperr.RateLimited: {
		http.StatusTooManyRequests, "Too many requests",
		"Too many failed or anonymous requests from an address, too many logins and redeemed links from an address, " +
			"too many failed logins for an account, or too many requests of an account. Each is counted apart. " +
			"See `Retry-After`.",
	},
	apperr.AuditUnavailable: {
		http.StatusServiceUnavailable, "Audit log unavailable",
		"The access could not be recorded, so it did not happen. See `Retry-After`.",
	},
	apperr.Unavailable: {
		http.StatusServiceUnavailable, "Database unavailable",
		"The database is busy, out of reach, or at another version than the server. See `Retry-After`.",
	},
	apperr.Unreadable: {
		http.StatusInternalServerError, "Stored data not readable",
		"A stored value was altered or moved, or its key is gone. The access was recorded.",
	},
	apperr.Internal: {
		http.StatusInternalServerError, "Internal error",
		"The program has a defect. The request id finds it in the log.",
	},
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
	kind := ProblemKinds[shown.Code]
	dropResourceHeaders(c.Writer.Header())
	c.Header("Cache-Control", "no-store")
	switch kind.Status {
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
	writeBody(c, kind.Status, "application/problem+json", body)
}

// presentable returns what of err may be shown.
func presentable(err error) *apperr.Error {
	var e *apperr.Error
	if errors.As(err, &e) && e.Code != apperr.Internal {
		if _, known := ProblemKinds[e.Code]; known {
			return e
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return apperr.New(apperr.Unavailable, "The request took too long. Try again.")
	}
	return apperr.New(apperr.Internal, internalDetail)
}

// statusOf returns the status that err is answered with.
func statusOf(err error) int { return ProblemKinds[presentable(err).Code].Status }

func describe(e *apperr.Error, kind ProblemKind, requestID string) problem {
	fields := make([]problemField, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = problemField(f)
	}
	return problem{
		Type: problemType + string(e.Code), Title: kind.Title, Status: kind.Status, Detail: e.Detail,
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
