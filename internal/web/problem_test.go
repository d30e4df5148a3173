package web

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
)

// declaredCodes reads the constants of type Code from the source, so that a new constant can't be forgotten here.
func declaredCodes(t *testing.T) []apperr.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../apperr/apperr.go", nil, 0)
	require.NoError(t, err)
	var codes []apperr.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			codes = append(codes, apperr.Code(text))
		}
		return true
	})
	return codes
}

func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	codes := declaredCodes(t)
	require.Greater(t, len(codes), 15)
	for _, code := range codes {
		require.Contains(t, ProblemKinds, code)
		require.NotEmpty(t, ProblemKinds[code].Title)
		require.NotEmpty(t, ProblemKinds[code].Meaning)
	}
	require.Len(t, ProblemKinds, len(codes))
}

func TestWriteProblem(t *testing.T) {
	t.Parallel()
	later := func(code apperr.Code, after time.Duration) error {
		e := apperr.Wrap(code, "Later.", errors.New("cause"))
		e.RetryAfter = after
		return e
	}
	for name, test := range map[string]struct {
		err        error
		status     int
		code       apperr.Code
		retryAfter string
	}{
		"a coded error":           {apperr.New(apperr.Duplicate, "Taken."), 409, apperr.Duplicate, ""},
		"wrapped by others":       {fmt.Errorf("%s: %w", canary, apperr.New(apperr.NotFound, "Gone.")), 404, apperr.NotFound, ""},
		"its cause stays inside":  {apperr.Wrap(apperr.Stale, "Old.", errors.New(canary)), 412, apperr.Stale, ""},
		"a foreign error":         {errors.New(canary), 500, apperr.Internal, ""},
		"an internal one's text":  {apperr.New(apperr.Internal, canary), 500, apperr.Internal, ""},
		"a code nobody declared":  {apperr.New("made.up", canary), 500, apperr.Internal, ""},
		"deadline":                {fmt.Errorf("%s: %w", canary, context.DeadlineExceeded), 503, apperr.Unavailable, "1"},
		"cancelled":               {context.Canceled, 503, apperr.Unavailable, "1"},
		"deadline in an internal": {apperr.Wrap(apperr.Internal, canary, context.DeadlineExceeded), 503, apperr.Unavailable, "1"},
		"rate limited, rounded":   {later(apperr.RateLimited, 1200*time.Millisecond), 429, apperr.RateLimited, "2"},
		"rate limited, at least":  {later(apperr.RateLimited, 0), 429, apperr.RateLimited, "1"},
		"audit unavailable":       {later(apperr.AuditUnavailable, 5*time.Second), 503, apperr.AuditUnavailable, "5"},
		"only where it belongs":   {later(apperr.Duplicate, 5*time.Second), 409, apperr.Duplicate, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := one(t, "GET", func(*gin.Context) error { return test.err }).serve(request("GET", "/api/v1/samples/1", ""))
			p := problemIn(t, w)
			require.Equal(t, test.status, w.Code)
			require.Equal(t, test.code, p.Code)
			require.Equal(t, test.retryAfter, w.Header().Get("Retry-After"))
		})
	}
}

func TestProblemNamesEachField(t *testing.T) {
	t.Parallel()
	field := apperr.Field{Pointer: "/first_name", Code: "too_long", Detail: "Must have at most 50 characters."}
	p := problemIn(t, one(t, "GET", func(*gin.Context) error { return apperr.InvalidFields(field) }).serve(request("GET", "/api/v1/samples/1", "")))
	require.Equal(t, []ProblemField{ProblemField(field)}, p.Errors)
}

func TestProblemDropsWhatWasSaidOfTheResource(t *testing.T) {
	t.Parallel()
	w := one(t, "GET", func(c *gin.Context) error {
		SetETag(c, 3)
		c.Header("Content-Type", "text/plain")
		return apperr.New(apperr.Unreadable, "Not readable.")
	}).serve(request("GET", "/api/v1/samples/1", ""))
	problemIn(t, w)
	require.Empty(t, w.Header().Get("ETag"))
}

func TestUnauthorizedNamesItsScheme(t *testing.T) {
	t.Parallel()
	w := one(t, "GET", func(*gin.Context) error { return apperr.New(apperr.BadCredentials, "No.") }).serve(request("GET", "/api/v1/samples/1", ""))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Equal(t, `Bearer realm="novamind"`, w.Header().Get("WWW-Authenticate"))
}

func TestAnAnswerThatBeganStaysAsItIs(t *testing.T) {
	t.Parallel()
	w := one(t, "GET", func(c *gin.Context) error {
		require.NoError(t, WriteJSON(c, 200, "done"))
		return errors.New("too late")
	}).serve(request("GET", "/api/v1/samples/1", ""))
	require.Equal(t, 200, w.Code)
	require.Equal(t, `"done"`, w.Body.String())
}

func TestWriteJSONMarshalsFirst(t *testing.T) {
	t.Parallel()
	w := one(t, "GET", func(c *gin.Context) error {
		return WriteJSON(c, 200, []any{"first", make(chan int)})
	}).serve(request("GET", "/api/v1/samples/1", ""))
	require.Equal(t, apperr.Internal, problemIn(t, w).Code)
}
