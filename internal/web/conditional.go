package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
)

// entityTag is one element of If-Match or If-None-Match (RFC 9110, section 8.8.3).
type entityTag struct {
	weak   bool
	opaque string
}

// entityTags is a parsed If-Match or If-None-Match: any version, or those listed.
type entityTags struct {
	any  bool
	tags []entityTag
}

// IfMatch is the condition of a change.
type IfMatch struct{ entityTags }

// SetETag announces the version of the resource in the answer.
func SetETag(c *gin.Context, version int64) { announce(c, opaqueTag(version)) }

func announce(c *gin.Context, opaque string) { c.Header("ETag", strconv.Quote(opaque)) }

func opaqueTag(version int64) string { return strconv.FormatInt(version, 10) }

// RequireIfMatch returns the If-Match condition. Errors: apperr.PreconditionNeeded if it is missing, apperr.Malformed
// if it is not a list of entity tags.
func RequireIfMatch(c *gin.Context) (IfMatch, error) {
	values := c.Request.Header.Values("If-Match")
	if len(values) == 0 {
		return IfMatch{}, apperr.New(apperr.PreconditionNeeded, "Send If-Match with the ETag of the version you read.")
	}
	tags, ok := parseEntityTags(strings.Join(values, ","))
	if !ok {
		e := apperr.New(apperr.Malformed, `If-Match must be an entity tag such as "3", a list of them, or *.`)
		e.Fields = []apperr.Field{{Pointer: "If-Match", Code: "invalid_format", Detail: e.Detail}}
		return IfMatch{}, e
	}
	return IfMatch{tags}, nil
}

// Matches compares strongly (RFC 9110, section 8.8.3.2): a weak tag matches nothing.
func (m IfMatch) Matches(version int64) bool {
	return m.any || slices.Contains(m.tags, entityTag{opaque: opaqueTag(version)})
}

// NotModified announces the version. If If-None-Match names the version, it answers 304 and reports true.
func NotModified(c *gin.Context, version int64) bool { return known(c, opaqueTag(version)) }

// known announces an entity tag. If If-None-Match names the tag, it answers 304 and reports true. The comparison is
// weak. A header that can't be read is ignored, since a full answer is never wrong.
func known(c *gin.Context, opaque string) bool {
	announce(c, opaque)
	if !Knows(c, opaque) {
		return false
	}
	c.Status(http.StatusNotModified)
	c.Writer.WriteHeaderNow()
	return true
}

// Knows reports whether If-None-Match names an entity tag.
func Knows(c *gin.Context, opaque string) bool {
	tags, ok := parseEntityTags(strings.Join(c.Request.Header.Values("If-None-Match"), ","))
	return ok && tags.names(opaque)
}

func (t entityTags) names(opaque string) bool {
	return t.any || slices.ContainsFunc(t.tags, func(tag entityTag) bool { return tag.opaque == opaque })
}

// parseEntityTags reads "*" or a list of at least one entity tag; empty list elements are skipped (RFC 9110, section
// 5.6.1.2).
func parseEntityTags(header string) (entityTags, bool) {
	rest := strings.Trim(header, " \t")
	if rest == "*" {
		return entityTags{any: true}, true
	}
	var parsed entityTags
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return parsed, len(parsed.tags) > 0
		}
		tag, after, ok := cutentityTag(rest)
		after = strings.TrimLeft(after, " \t")
		if !ok || (after != "" && after[0] != ',') {
			return entityTags{}, false
		}
		parsed.tags, rest = append(parsed.tags, tag), after
	}
}

// cutentityTag takes [W/]"opaque" off the front. A comma may stand inside the quotes.
func cutentityTag(s string) (tag entityTag, after string, ok bool) {
	s, tag.weak = strings.CutPrefix(s, "W/")
	s, opened := strings.CutPrefix(s, `"`)
	tag.opaque, after, ok = strings.Cut(s, `"`)
	return tag, after, opened && ok && !strings.ContainsFunc(tag.opaque, func(r rune) bool { return r <= ' ' || r == 0x7f })
}
