package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"novamind/internal/apperr"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// PageParams are the parameters of paging: members of a search's body (embed it), or query parameters.
type PageParams struct {
	Limit  *int    `json:"limit" query:"limit" min:"1" max:"200" doc:"The maximum number of items on a page. Default: 50."`
	Cursor *string `json:"cursor" query:"cursor" max:"200" doc:"The next_cursor of the previous page."`
	// Of a body: see fieldsParameter.
	Fields []string `json:"fields,omitempty" doc:"The members to return of each item. id is always returned."`
}

// Paging lets the adapter of a list read the parameters of its request.
func (p PageParams) Paging() PageParams { return p }

// PageSpan is the part of a list to read: at most Limit rows after the row After, or from the start if After is nil.
type PageSpan struct {
	Limit int
	After *Position
	list  cursorScope
}

// Page is the answer to a list request.
type Page[T any] struct {
	Items      []T        `json:"items"`
	NextCursor *string    `json:"next_cursor"`
	Watermark  *time.Time `json:"watermark,omitzero" doc:"Only with updated_since: the updated_since to send next time. All pages of a list have the same watermark."`
}

// Span checks params. filters is everything else that selects rows, besides the path: a struct or map that marshals
// to JSON. Errors: apperr.Invalid at limit or cursor. A cursor that was altered, or made for another route, path or
// filters, is refused.
func (s *CursorSealer) Span(c *gin.Context, params PageParams, filters any) (PageSpan, error) {
	list, err := s.scope(c, filters)
	if err != nil {
		return PageSpan{}, err
	}
	span := PageSpan{Limit: defaultLimit, list: list}
	var fields []apperr.Field
	if params.Limit != nil {
		span.Limit = *params.Limit
		if span.Limit < 1 || span.Limit > maxLimit {
			fields = append(fields, apperr.Field{Pointer: PlaceOf(c, "limit"), Code: "out_of_range", Detail: "Must be from 1 to 200."})
		}
	}
	if params.Cursor != nil {
		last, ok := list.open(*params.Cursor)
		span.After = &last
		if !ok {
			fields = append(fields, apperr.Field{Pointer: PlaceOf(c, "cursor"), Code: "bad_cursor", Detail: "Must be a cursor of this list with the same filters. Leave it out to start from the beginning."})
		}
	}
	if len(fields) > 0 {
		return PageSpan{}, apperr.InvalidFields(fields...)
	}
	return span, nil
}

// PlaceOf names a query parameter by a question mark and its name, and a member of the body by its JSON pointer.
func PlaceOf(c *gin.Context, name string) string {
	if c.Request.Method == http.MethodGet {
		return InQuery(name)
	}
	return InBody(name)
}

// InQuery is the pointer to a query parameter.
func InQuery(name string) string { return "?" + name }

// InBody is the pointer to a member of the body.
func InBody(name string) string { return "/" + name }

// WritePage answers with a page and sets its next cursor. last is the position of the last row if more rows follow,
// else nil. A GET also gets the next page's address in Link (RFC 8288). A search by POST gets none, because its
// address does not hold its filters.
func WritePage[T any](c *gin.Context, span PageSpan, answer Page[T], last *Position) error {
	if last != nil {
		cursor := span.list.seal(*last)
		answer.NextCursor = &cursor
		if c.Request.Method == http.MethodGet {
			c.Header("Link", "<"+addressWithCursor(c, cursor)+`>; rel="next"`)
		}
	}
	return WriteList(c, span.list.key, answer)
}

// WriteList answers with a list. The ETag of a GET is a keyed digest of the answer: it reveals nothing of the
// content.
func WriteList(c *gin.Context, key []byte, answer any) error {
	body, err := json.Marshal(answer, json.Deterministic(true))
	if err != nil {
		return apperr.Wrap(apperr.Internal, InternalDetail, err)
	}
	if c.Request.Method == http.MethodGet && known(c, digestOf(key, body)) {
		return nil
	}
	WriteBody(c, http.StatusOK, "application/json", body)
	return nil
}

func addressWithCursor(c *gin.Context, cursor string) string {
	parameters := c.Request.URL.Query()
	parameters.Set("cursor", cursor)
	return c.Request.URL.EscapedPath() + "?" + parameters.Encode()
}
