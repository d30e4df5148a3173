package web

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"novamind/internal/apperr"
)

type sampleFilter struct {
	Email *string `json:"email"`
}

type sampleSearch struct {
	PageParams
	sampleFilter
}

var lastRow = uuid.MustParse("0190b5f4-0000-7000-8000-0000000000ff")

// lists serves two lists that always have another page. They answer with the span of the request.
func lists(t testing.TB) *testBundle {
	cursors, err := NewCursorSealer([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	answer := func(c *gin.Context, params PageParams, filter sampleFilter) error {
		span, err := cursors.Span(c, params, filter)
		if err != nil {
			return err
		}
		var after *uuid.UUID
		if span.After != nil {
			after = &span.After.ID
		}
		return WritePage(c, span, Page[any]{Items: []any{span.Limit, after}}, &Position{ID: lastRow})
	}
	list := func(c *gin.Context) error {
		q, err := ReadQuery(c, "email", "limit", "cursor")
		if err != nil {
			return err
		}
		filter := sampleFilter{Email: q.Text("email", 254)}
		params := PageParams{Limit: q.Int("limit"), Cursor: q.Text("cursor", 1000)}
		if err := q.Err(); err != nil {
			return err
		}
		return answer(c, params, filter)
	}
	search := func(c *gin.Context) error {
		var body sampleSearch
		if err := decodeBody(c, &body, nil); err != nil {
			return err
		}
		return answer(c, body.PageParams, body.sampleFilter)
	}
	return newBundle(t, nil,
		Route{Method: "GET", Pattern: "/api/v1/samples", Access: Public, Handler: list},
		Route{Method: "GET", Pattern: "/api/v1/samples/:id/parts", Access: Public, Handler: list},
		Route{Method: "POST", Pattern: "/api/v1/samples/search", Access: Public, Handler: search})
}

func pageIn(t testing.TB, w *httptest.ResponseRecorder) Page[any] {
	t.Helper()
	require.Equal(t, 200, w.Code, w.Body.String())
	var p Page[any]
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	return p
}

func TestPageLimits(t *testing.T) {
	t.Parallel()
	b := lists(t)
	for query, want := range map[string]float64{"": 50, "?limit=1": 1, "?limit=200": 200} {
		require.InDelta(t, want, pageIn(t, b.serve(request("GET", "/api/v1/samples"+query, ""))).Items[0], 0)
	}
	for query, want := range map[string]string{
		"?limit=0": "?limit out_of_range", "?limit=201": "?limit out_of_range", "?limit=-1": "?limit out_of_range", "?limit=x": "?limit wrong_type",
		"?limit=": "?limit empty", "?limit=1.5": "?limit wrong_type", "?limit=1&limit=2": "?limit repeated", "?limit=99999999999999999999": "?limit wrong_type",
	} {
		p := problemIn(t, b.serve(request("GET", "/api/v1/samples"+query, "")))
		require.Equal(t, 422, p.Status)
		require.Equal(t, []string{want}, complaints(p))
	}
	require.Equal(t, []string{"/limit out_of_range"}, complaints(problemIn(t, postSearch(b, `{"limit":0}`))))
	require.Equal(t, []string{"/cursor bad_cursor"}, complaints(problemIn(t, postSearch(b, `{"cursor":"`+canary+`"}`))))
}

func postSearch(b *testBundle, body string) *httptest.ResponseRecorder {
	return b.serve(request("POST", "/api/v1/samples/search", body, "Content-Type", "application/json"))
}

func TestEmptyPage(t *testing.T) {
	t.Parallel()
	b := one(t, "GET", func(c *gin.Context) error { return WritePage(c, PageSpan{}, Page[string]{}, nil) })
	w := b.serve(request("GET", "/api/v1/samples/1", ""))
	require.JSONEq(t, `{"items":[],"next_cursor":null}`, w.Body.String())
	require.Empty(t, w.Header().Get("Link"))
}

func TestLinkLeadsToTheNextPage(t *testing.T) {
	t.Parallel()
	b := lists(t)
	w := b.serve(request("GET", "/api/v1/samples?email=a%3E%26%22b&limit=7", ""))
	next, ok := strings.CutSuffix(strings.TrimPrefix(w.Header().Get("Link"), "<"), `>; rel="next"`)
	require.True(t, ok)
	target, err := url.Parse(next)
	require.NoError(t, err)
	require.Equal(t, "/api/v1/samples", target.Path)
	require.Equal(t, url.Values{"email": {`a>&"b`}, "limit": {"7"}, "cursor": {*pageIn(t, w).NextCursor}}, target.Query())
	require.Equal(t, []any{7.0, lastRow.String()}, pageIn(t, b.serve(request("GET", next, ""))).Items)
}

func TestSearchByPostHasNoLink(t *testing.T) {
	t.Parallel()
	b := lists(t)
	w := postSearch(b, `{"email":"a"}`)
	require.Empty(t, w.Header().Get("Link"))
	again := postSearch(b, `{"email":"a","limit":3,"cursor":"`+*pageIn(t, w).NextCursor+`"}`)
	require.Equal(t, []any{3.0, lastRow.String()}, pageIn(t, again).Items)
}

func TestCursorOfAnotherListIsRefused(t *testing.T) {
	t.Parallel()
	b := lists(t)
	cursor := *pageIn(t, b.serve(request("GET", "/api/v1/samples/1/parts?email=a", ""))).NextCursor
	require.Equal(t, 200, b.serve(request("GET", "/api/v1/samples/1/parts?email=a&limit=9&cursor="+cursor, "")).Code)
	for _, target := range []string{
		"/api/v1/samples/1/parts?email=b&cursor=" + cursor, "/api/v1/samples/1/parts?cursor=" + cursor,
		"/api/v1/samples/2/parts?email=a&cursor=" + cursor, "/api/v1/samples?email=a&cursor=" + cursor,
		"/api/v1/samples/1/parts?email=a&cursor=" + cursor[:63], "/api/v1/samples/1/parts?email=a&cursor=" + cursor + "A",
		"/api/v1/samples/1/parts?email=a&cursor=" + canary,
	} {
		p := problemIn(t, b.serve(request("GET", target, "")))
		require.Equal(t, 422, p.Status)
		require.Equal(t, []string{"?cursor bad_cursor"}, complaints(p))
	}
}

func TestCursorOfAnotherRouteIsRefused(t *testing.T) {
	t.Parallel()
	b := lists(t)
	cursor := *pageIn(t, b.serve(request("GET", "/api/v1/samples?email=a", ""))).NextCursor
	p := problemIn(t, postSearch(b, `{"email":"a","cursor":"`+cursor+`"}`))
	require.Equal(t, []string{"/cursor bad_cursor"}, complaints(p))
}

func TestCursorHoldsNoFilter(t *testing.T) {
	t.Parallel()
	b := lists(t)
	raw := func(email string) []byte {
		cursor := *pageIn(t, b.serve(request("GET", "/api/v1/samples?email="+email, ""))).NextCursor
		decoded, err := base64.RawURLEncoding.DecodeString(cursor)
		require.NoError(t, err)
		return decoded
	}
	require.Len(t, raw(canary), cursorBytes)
	require.NotContains(t, string(raw(canary)), canary)
	require.NotEqual(t, raw(canary), raw("other"))
}

func TestShortCursorKeyIsRefused(t *testing.T) {
	t.Parallel()
	_, err := NewCursorSealer(make([]byte, 31))
	require.Error(t, err)
}

func drawScope(r *rapid.T) cursorScope {
	part := rapid.SliceOfN(rapid.Byte(), 0, 20)
	return cursorScope{
		key:     rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "key"),
		context: lengthPrefixed([][]byte{part.Draw(r, "route"), part.Draw(r, "filters")}),
	}
}

func TestCursorRoundTripsAndNoFlippedBitPasses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		scope := drawScope(r)
		id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "id"))
		at := Position{ID: id}
		if rapid.Bool().Draw(r, "by time") {
			at.Time = time.UnixMicro(rapid.Int64Range(-1<<50, 1<<53).Draw(r, "time")).UTC()
		}
		cursor := scope.seal(at)
		got, ok := scope.open(cursor)
		require.True(r, ok)
		require.Equal(r, at, got)

		for bit := range len(cursor) * 8 {
			flipped := []byte(cursor)
			flipped[bit/8] ^= 1 << (bit % 8)
			_, ok = scope.open(string(flipped))
			require.False(r, ok)
		}
	})
}

func TestScopePartsDoNotRunTogether(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, lengthPrefixed([][]byte{[]byte("ab"), []byte("c")}), lengthPrefixed([][]byte{[]byte("a"), []byte("bc")}))
}

func TestFiltersThatDoNotMarshalAreOurFault(t *testing.T) {
	t.Parallel()
	cursors, err := NewCursorSealer(make([]byte, 32))
	require.NoError(t, err)
	b := one(t, "GET", func(c *gin.Context) error {
		_, err := cursors.Span(c, PageParams{}, make(chan int))
		return err
	})
	require.Equal(t, apperr.Internal, problemIn(t, b.serve(request("GET", "/api/v1/samples/1", ""))).Code)
}
