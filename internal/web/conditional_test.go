package web

import (
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
)

// conditions serves a resource of version 3.
func conditions(t *testing.T) *testBundle {
	return newBundle(t, nil,
		Route{Method: "PUT", Pattern: "/api/v1/samples/:id", Access: Public, Handler: func(c *gin.Context) error {
			match, err := RequireIfMatch(c)
			if err != nil {
				return err
			}
			if !match.Matches(3) {
				return apperr.New(apperr.Stale, "The resource has changed.")
			}
			SetETag(c, 4)
			return WriteJSON(c, 200, nil)
		}},
		Route{Method: "GET", Pattern: "/api/v1/samples/:id", Access: Public, Handler: func(c *gin.Context) error {
			if NotModified(c, 3) {
				return nil
			}
			return WriteJSON(c, 200, nil)
		}})
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	b := conditions(t)
	for header, code := range map[string]apperr.Code{
		`"3"`: "", `*`: "", ` * `: "", `"1", "3"`: "", `"1","3",`: "", `, "3"`: "", `"a,b","3"`: "", `W/"9", "3"`: "",
		`"2"`: apperr.Stale, `W/"3"`: apperr.Stale, `"03"`: apperr.Stale, `"` + canary + `"`: apperr.Stale, `""`: apperr.Stale,
		`3`: apperr.Malformed, `"3`: apperr.Malformed, `w/"3"`: apperr.Malformed, `"3""3"`: apperr.Malformed,
		`"3" x`: apperr.Malformed, `*, "3"`: apperr.Malformed, `"3", *`: apperr.Malformed, `,`: apperr.Malformed,
		``: apperr.Malformed, canary: apperr.Malformed, `"3 3"`: apperr.Malformed,
	} {
		w := b.serve(request("PUT", "/api/v1/samples/1", "", "If-Match", header))
		if code == "" {
			require.Equal(t, 200, w.Code, header)
			require.Equal(t, `"4"`, w.Header().Get("ETag"))
			continue
		}
		require.Equal(t, code, problemIn(t, w).Code, header)
	}
	require.Equal(t, 412, b.serve(request("PUT", "/api/v1/samples/1", "", "If-Match", `"2"`)).Code)
	require.Equal(t, 400, b.serve(request("PUT", "/api/v1/samples/1", "", "If-Match", `3`)).Code)
}

func TestIfMatchOnTwoLines(t *testing.T) {
	t.Parallel()
	w := conditions(t).serve(request("PUT", "/api/v1/samples/1", "", "If-Match", `"1"`, "If-Match", `"3"`))
	require.Equal(t, 200, w.Code)
}

func TestIfMatchMissing(t *testing.T) {
	t.Parallel()
	p := problemIn(t, conditions(t).serve(request("PUT", "/api/v1/samples/1", "")))
	require.Equal(t, 428, p.Status)
	require.Equal(t, apperr.PreconditionNeeded, p.Code)
}

func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	b := conditions(t)
	for header, status := range map[string]int{
		`"3"`: 304, `W/"3"`: 304, `*`: 304, `"1", W/"3"`: 304,
		`"2"`: 200, ``: 200, `3`: 200, canary: 200, `"1", "2"`: 200,
	} {
		w := b.serve(request("GET", "/api/v1/samples/1", "", "If-None-Match", header))
		require.Equal(t, status, w.Code, header)
		require.Equal(t, `"3"`, w.Header().Get("ETag"))
		if status == 304 {
			require.Empty(t, w.Body.String())
		}
	}
}
