package web

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/schedule"
)

// Query is the request's query parameters. Its readers collect faults; call Err before using the values.
type Query struct {
	values url.Values
	Fields []apperr.Field
}

// ReadQuery parses the query strictly. Errors: apperr.Malformed for a broken percent-encoding or invalid UTF-8. Names
// not in allowed, repeated ones, empty values and control characters are reported by Err.
func ReadQuery(c *gin.Context, allowed ...string) (*Query, error) {
	values, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil || !validUTF8(values) {
		return nil, malformedAt("?", "query", "The query is not percent-encoded UTF-8.") // the cause quotes the query
	}
	q := &Query{values: values}
	q.checkNames(allowed)
	for _, name := range allowed {
		q.checkValues(name)
	}
	return q, nil
}

// checkNames reports unknown names without repeating them: they were submitted.
func (q *Query) checkNames(allowed []string) {
	for name := range q.values {
		if !slices.Contains(allowed, name) {
			q.add("", "unknown_parameter", "A parameter is unknown. "+taken(allowed))
			return
		}
	}
}

func taken(allowed []string) string {
	if len(allowed) == 0 {
		return "No parameters are allowed."
	}
	return "Allowed are: " + strings.Join(allowed, ", ") + "."
}

// checkValues drops a value that must not be read, so that each fault is reported once.
func (q *Query) checkValues(name string) {
	values, given := q.values[name]
	switch {
	case !given:
		return
	case len(values) > 1:
		q.add(name, "repeated", "Must be given once.")
	case values[0] == "":
		q.add(name, "empty", "Must not be empty: leave it out instead.")
	case strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' || r == 0x7f }):
		q.add(name, "control_character", "Must not contain control characters.")
	default:
		return
	}
	q.values.Del(name)
}

// Err returns apperr.Invalid with all faults that the readers found, or nil.
func (q *Query) Err() error {
	if len(q.Fields) == 0 {
		return nil
	}
	return apperr.InvalidFields(q.Fields...)
}

func (q *Query) add(name, code, detail string) {
	q.Fields = append(q.Fields, apperr.Field{Pointer: InQuery(name), Code: code, Detail: detail})
}

// Text returns the parameter, of at most maxLength characters, or nil if it is absent.
func (q *Query) Text(name string, maxLength int) *string {
	return readParameter(q, name, "too_long", "Must have at most "+strconv.Itoa(maxLength)+" characters.",
		func(s string) (string, bool) { return s, utf8.RuneCountInString(s) <= maxLength })
}

// Bool returns the parameter, true or false, or nil if it is absent.
func (q *Query) Bool(name string) *bool {
	return readParameter(q, name, "wrong_type", "Must be true or false.",
		func(s string) (bool, bool) { return s == "true", s == "true" || s == "false" })
}

// OneOf returns the parameter, one of values, or nil if it is absent.
func (q *Query) OneOf(name string, values []string) *string {
	return readParameter(q, name, "unknown_value", OneOf(values),
		func(s string) (string, bool) { return s, slices.Contains(values, s) })
}

// MaxValues is the greatest number of values of a parameter.
const MaxValues = 50

// Several returns the comma-separated values of the parameter. Each must be one of values. It returns nil if the
// parameter is absent.
func (q *Query) Several(name string, values []string) *[]string {
	given := q.separated(name)
	if given != nil && !AllOf(*given, values) {
		q.add(name, "unknown_value", SeveralOf(values))
		return nil
	}
	return given
}

// separated returns the comma-separated texts of the parameter, or nil if it is absent or has too many.
func (q *Query) separated(name string) *[]string {
	return readParameter(q, name, "too_many", "Must have at most "+strconv.Itoa(MaxValues)+" values.",
		func(s string) ([]string, bool) {
			several := strings.Split(s, ",")
			return several, len(several) <= MaxValues
		})
}

// AllOf reports whether each of given is one of values.
func AllOf(given, values []string) bool {
	return !slices.ContainsFunc(given, func(s string) bool { return !slices.Contains(values, s) })
}

// OneOf returns the detail of a fault: a value that is not one of values.
func OneOf(values []string) string { return "Must be one of: " + strings.Join(values, ", ") + "." }

// SeveralOf returns the detail of a fault: one of several values is not one of values.
func SeveralOf(values []string) string {
	return "Each must be one of: " + strings.Join(values, ", ") + "."
}

// UUID returns the parameter, or nil if it is absent.
func (q *Query) UUID(name string) *uuid.UUID {
	return readParameter(q, name, "wrong_type", "Must be a UUID.", ParseUUID)
}

// UUIDs returns the comma-separated UUIDs of the parameter, or nil if it is absent.
func (q *Query) UUIDs(name string) *[]uuid.UUID {
	given := q.separated(name)
	if given == nil {
		return nil
	}
	ids := make([]uuid.UUID, len(*given))
	for i, text := range *given {
		id, ok := ParseUUID(text)
		if !ok {
			q.add(name, "wrong_type", "Each must be a UUID.")
			return nil
		}
		ids[i] = id
	}
	return &ids
}

// Date returns the parameter, a day as YYYY-MM-DD, at midnight UTC, or nil if it is absent.
func (q *Query) Date(name string) *time.Time {
	return q.plausible(name, readParameter(q, name, "wrong_type", "Must be a date as YYYY-MM-DD.", func(s string) (time.Time, bool) {
		day, err := time.Parse(time.DateOnly, s)
		return day, err == nil
	}))
}

// Time returns the parameter, an RFC 3339 time, or nil if it is absent.
func (q *Query) Time(name string) *time.Time {
	return q.plausible(name, readParameter(q, name, "wrong_type", "Must be an RFC 3339 time, such as 2006-01-02T15:04:05Z.", func(s string) (time.Time, bool) {
		t, err := time.Parse(time.RFC3339Nano, s)
		_, offset := t.Zone()
		return t.UTC(), err == nil && max(offset, -offset) < int((24*time.Hour).Seconds()) // RFC 3339: at most 23:59
	}))
}

// outOfYears is the error text for a time outside of the supported years.
const outOfYears = "Must be between the years 1900 and 2200."

func (q *Query) plausible(name string, t *time.Time) *time.Time {
	if t != nil && !schedule.Plausible(*t) {
		q.add(name, "out_of_range", outOfYears)
		return nil
	}
	return t
}

// Int returns the parameter, a whole number, or nil if it is absent.
func (q *Query) Int(name string) *int {
	return readParameter(q, name, "wrong_type", "Must be a whole number.", func(s string) (int, bool) {
		n, err := strconv.Atoi(s)
		return n, err == nil
	})
}

func readParameter[T any](q *Query, name, code, detail string, parse func(string) (T, bool)) *T {
	if !q.values.Has(name) {
		return nil
	}
	value, ok := parse(q.values.Get(name))
	if !ok {
		q.add(name, code, detail)
		return nil
	}
	return &value
}

// canonicalUUID is the length of a UUID in its canonical form.
const canonicalUUID = 36

// ParseUUID accepts only the canonical form. uuid.Parse also accepts braces, URNs and bare digits.
func ParseUUID(s string) (uuid.UUID, bool) {
	id, err := uuid.Parse(s)
	return id, err == nil && len(s) == canonicalUUID
}

// PathID returns the path parameter of that name. If the parameter is not a UUID, no resource has that address:
// apperr.NotFound.
func PathID(c *gin.Context, name string) (uuid.UUID, error) {
	id, ok := ParseUUID(c.Param(name))
	if !ok {
		return uuid.Nil, apperr.New(apperr.NotFound, "The resource does not exist, or you may not see it.")
	}
	return id, nil
}

func validUTF8(values url.Values) bool {
	for name, all := range maps.All(values) {
		if !utf8.ValidString(name) || slices.ContainsFunc(all, func(s string) bool { return !utf8.ValidString(s) }) {
			return false
		}
	}
	return true
}
