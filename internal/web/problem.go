// Package web reads requests and writes answers by the API's conventions: routes and their guards, bodies,
// parameters, pages, entity tags, and problems. It knows no noun of the clinic. No other package knows HTTP status
// codes.
package web

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

const problemType = "urn:novamind:problem:" // followed by the code

// InternalDetail is the detail of every error with a hidden cause.
const InternalDetail = "The server failed. Give the operator the request id, which is also in the server's log."

// ProblemKind is the HTTP status, title and meaning of an error code.
type ProblemKind struct {
	Status  int
	Title   string
	Meaning string // in Markdown, for docs/errors.md
}

// ProblemKinds is the one place that maps an error code to its HTTP status, title and meaning.
var ProblemKinds = map[apperr.Code]ProblemKind{
	apperr.Malformed: {
		http.StatusBadRequest, "Request not readable",
		"The request cannot be parsed: invalid JSON, a repeated member, invalid UTF-8, or an invalid header.",
	},
	apperr.Invalid: {
		http.StatusUnprocessableEntity, "Request invalid",
		"The request breaks a rule. `errors` lists each broken rule and its place.",
	},
	apperr.TooLarge: {
		http.StatusRequestEntityTooLarge, "Body too large",
		"The body is larger than `server.max_body_bytes`.",
	},
	apperr.MediaType: {
		http.StatusUnsupportedMediaType, "Media type not supported",
		"The operation does not support this `Content-Type`.",
	},
	apperr.RouteNotFound: {
		http.StatusNotFound, "No such route",
		"This route does not exist: see GET /openapi.json.",
	},
	apperr.MethodNotAllowed: {
		http.StatusMethodNotAllowed, "Method not allowed",
		"The route does not support this method. `Allow` lists the supported methods.",
	},
	apperr.Unauthenticated: {
		http.StatusUnauthorized, "Login required",
		"The request has no valid session or API key. Log in again.",
	},
	apperr.BadCredentials: {
		http.StatusUnauthorized, "Login refused",
		"The e-mail, the password, the code or the one-time link is wrong. The answer never says which.",
	},
	apperr.PasswordChange: {
		http.StatusForbidden, "Password change required",
		"The first password must be changed before anything else. Use `POST /auth/password`.",
	},
	apperr.TOTPNeeded: {
		http.StatusUnauthorized, "Second factor required",
		"The password is right. Send a code of the second factor, or a recovery code, as `totp`.",
	},
	apperr.TOTPDue: {
		http.StatusForbidden, "Second factor enrolment required",
		"A role of yours needs a second factor. Enrol one with `POST /auth/totp`.",
	},
	apperr.Forbidden: {
		http.StatusForbidden, "Access denied",
		"None of your roles permits this, or you may not do it to this resource. `detail` says which.",
	},
	apperr.NotFound: {
		http.StatusNotFound, "Not found",
		"The resource does not exist, or you may not see it.",
	},
	apperr.Duplicate: {
		http.StatusConflict, "Already exists",
		"Another resource already has a value that must be unique.",
	},
	apperr.LastAdmin: {
		http.StatusConflict, "Last admin",
		"The change would leave no enabled account with the role `admin` and a password.",
	},
	apperr.PossibleDuplicate: {
		http.StatusConflict, "Possible duplicate patient",
		"The clinic has a patient with these names and this date of birth. `candidates` has the ids that you may see.",
	},
	apperr.Conflict: {
		http.StatusConflict, "Conflict with existing data",
		"Existing data prevents the change, for example because a record is already signed. `detail` says what to do.",
	},
	apperr.Taken: {
		http.StatusConflict, "Time already booked",
		"The practitioner or the patient has another appointment at that time. Merged rows count as one patient. " +
			"Patients with overlapping future appointments cannot be merged: move or cancel one, or allow the overlap, first. " +
			"`errors` lists the intervals.",
	},
	apperr.OutsideHours: {
		http.StatusConflict, "Outside of the practitioner's hours",
		"The practitioner does not see patients at that time.",
	},
	apperr.BadTransition: {
		http.StatusConflict, "Not possible in this state",
		"The state of the appointment does not allow the change, or it is too early for it. `arrived` and `checked-in` are " +
			"possible from the day of the appointment on, by its `time_zone`; `fulfilled` and `noshow` from its start on.",
	},
	apperr.Stale: {
		http.StatusPreconditionFailed, "Changed in the meantime",
		"The resource has changed since you read it. Read it again.",
	},
	apperr.PreconditionNeeded: {
		http.StatusPreconditionRequired, "If-Match required",
		"Send `If-Match` with the `ETag` of the version you read.",
	},
	apperr.KeyReused: {
		http.StatusUnprocessableEntity, "Idempotency key reused",
		"An earlier request with this `Idempotency-Key` had another path, body or password, or the password that it set " +
			"has been changed since. Choose a new key.",
	},
	apperr.RateLimited: {
		http.StatusTooManyRequests, "Too many requests",
		"There were too many requests. Four limits are counted separately: failed or anonymous requests from an address, " +
			"logins and redeemed links from an address, failed logins for an account, and requests of an account. " +
			"Wait for the seconds in `Retry-After`.",
	},
	apperr.AuditUnavailable: {
		http.StatusServiceUnavailable, "Audit log unavailable",
		"The access could not be recorded in the audit log, so it did not happen. " +
			"Try again after the seconds in `Retry-After`.",
	},
	apperr.Unavailable: {
		http.StatusServiceUnavailable, "Database unavailable",
		"The database is busy, cannot be reached, or has another schema version than the server. " +
			"Try again after the seconds in `Retry-After`.",
	},
	apperr.Unreadable: {
		http.StatusInternalServerError, "Stored data not readable",
		"A stored value cannot be decrypted: it was altered or moved, or its key is missing. The access was recorded.",
	},
	apperr.Internal: {
		http.StatusInternalServerError, "Internal error",
		"The server has a defect. Give the operator the `request_id`, which is also in the log.",
	},
}

// Problem is the body of every error answer (RFC 9457). Errors is [] if there are none, never absent.
type Problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Code      apperr.Code    `json:"code"`
	RequestID string         `json:"request_id"`
	Errors    []ProblemField `json:"errors"`

	Candidates []string `json:"candidates,omitzero"` // with patient.duplicate
}

// ProblemField is one fault of a request.
type ProblemField struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// writeProblem ends the request with err as application/problem+json. An error without a code becomes a 500 with a
// fixed text, an expired or cancelled context a 503. Only the access log gets the error itself. If an answer has
// begun, writeProblem only records err for the log.
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
	// The texts are ours. If a text were ever invalid UTF-8, the client would get U+FFFD rather than no answer.
	body, err := json.Marshal(describe(shown, kind, RequestID(c.Request.Context())), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	WriteBody(c, kind.Status, "application/problem+json", body)
}

// presentable returns the part of err that a client may see.
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
	return apperr.New(apperr.Internal, InternalDetail)
}

// StatusOf returns the HTTP status of the answer to err.
func StatusOf(err error) int { return ProblemKinds[presentable(err).Code].Status }

func describe(e *apperr.Error, kind ProblemKind, requestID string) Problem {
	fields := make([]ProblemField, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = ProblemField(f)
	}
	return Problem{
		Type: problemType + string(e.Code), Title: kind.Title, Status: kind.Status, Detail: e.Detail,
		Code: e.Code, RequestID: requestID, Errors: fields, Candidates: e.Candidates,
	}
}

// dropResourceHeaders removes the headers about a resource that a handler set before it failed.
func dropResourceHeaders(h http.Header) {
	for _, name := range []string{"ETag", "Link", "Location"} {
		h.Del(name)
	}
}

// wholeSeconds formats d for Retry-After, rounded up. It is at least 1, since 0 would cause a storm of retries.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
