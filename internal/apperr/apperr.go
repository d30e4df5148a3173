// Package apperr holds the one error type that crosses layers: a stable code, a text that may be shown to a client,
// and a cause that may not.
//
// The rule: the repository turns engine errors into apperr errors, the service adds its own, and only the handler
// knows the HTTP status of a code.
package apperr

import (
	"errors"
	"time"
)

// Code is the stable, documented reason of an error (docs/errors.md). Clients may branch on it.
type Code string

// The codes.
const (
	Malformed          Code = "request.malformed"         // can't be read in its stated format
	Invalid            Code = "request.invalid"           // readable, but breaks a rule; Fields says which
	TooLarge           Code = "request.too_large"         // the body is over the limit
	MediaType          Code = "request.media_type"        // the Content-Type is not accepted here
	RouteNotFound      Code = "route.not_found"           // no such route
	MethodNotAllowed   Code = "route.method_not_allowed"  // the route exists, with other methods
	Unauthenticated    Code = "auth.required"             // no valid session
	BadCredentials     Code = "auth.invalid_credentials"  // login refused; never says which part was wrong
	PasswordChange     Code = "auth.password_change"      // the first password must be changed before anything else
	TOTPNeeded         Code = "auth.totp_needed"          // the password is right, and a code must come with it
	TOTPDue            Code = "auth.totp_due"             // a second factor must be enrolled before anything else
	Forbidden          Code = "access.denied"             // no role of the caller permits it
	NotFound           Code = "resource.not_found"        // does not exist, or is outside the caller's scope
	Duplicate          Code = "resource.duplicate"        // the id, or another unique value, is taken
	LastAdmin          Code = "account.last_admin"        // no account that can administer accounts would be left
	PossibleDuplicate  Code = "patient.duplicate"         // perhaps the same person as another patient; see Candidates
	Conflict           Code = "resource.conflict"         // the state of the resource does not allow it
	Taken              Code = "appointment.taken"         // the practitioner or the patient has another appointment then
	OutsideHours       Code = "appointment.outside_hours" // the practitioner does not see patients then
	BadTransition      Code = "appointment.transition"    // the appointment's state does not allow it
	Stale              Code = "resource.stale"            // If-Match named an older version
	PreconditionNeeded Code = "request.if_match_required" // If-Match is missing
	KeyReused          Code = "idempotency.key_reused"    // same Idempotency-Key, other request
	RateLimited        Code = "request.rate_limited"      // too many; RetryAfter says when to try again
	AuditUnavailable   Code = "audit.unavailable"         // the access can't be recorded, so it does not happen
	Unavailable        Code = "database.unavailable"      // the database can't be reached, or is too busy
	Unreadable         Code = "phi.unreadable"            // a sealed value was altered, moved, or its key is gone
	Internal           Code = "internal"                  // a defect of the program
)

// Field names one offending part of a request. It never holds the offending value.
type Field struct {
	Pointer string // JSON pointer (RFC 6901) into the body, "?" and the name of a query parameter, or a header's name
	Code    string // stable: required, too_long, unknown_member, …
	Detail  string // for people
}

// Error is an error with a stable code. Detail and Fields may be shown to a client; the cause may not.
type Error struct {
	Code       Code
	Detail     string
	Fields     []Field
	Candidates []string      // with PossibleDuplicate: ids that the caller may see
	RetryAfter time.Duration // with RateLimited, Unavailable and AuditUnavailable
	cause      error
}

// New returns an error with a code and a text for the client. The text must hold nothing that was submitted.
func New(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

// Wrap returns an error that keeps cause for the log and for errors.Is. The client does not see the cause.
func Wrap(code Code, detail string, cause error) *Error {
	return &Error{Code: code, Detail: detail, cause: cause}
}

// InvalidFields returns an Invalid error that names each offending field.
func InvalidFields(fields ...Field) *Error {
	return &Error{Code: Invalid, Detail: "The request breaks the rules listed in errors.", Fields: fields}
}

// Error implements error. The text includes the cause, because it is for logs. The layer that made the cause has
// removed row content from it.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Detail
	for _, f := range e.Fields {
		text += " [" + f.Pointer + ": " + f.Code + "]"
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// CodeOf returns the code of err, Internal if it has none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Is reports whether err has this code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
