package handler_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var (
	reference = regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	inline    = regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son\w+=|javascript:`)
)

// The pages load only files of this server. They need no permission for inline scripts or styles.
func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newStack(t, anyDatabase(t)).as("")
	for _, page := range []string{"/", "/docs"} {
		r := s.do("GET", page, "")
		require.Equal(t, http.StatusOK, r.status)
		require.Equal(t, "text/html; charset=utf-8", r.header.Get("Content-Type"))
		require.NotRegexp(t, inline, r.text)
		references := reference.FindAllStringSubmatch(r.text, -1)
		require.NotEmpty(t, references)
		for _, found := range references {
			if found[1] == "data:," { // no icon
				continue
			}
			require.True(t, strings.HasPrefix(found[1], "/"), found[1])
			if found[1] != "/readyz" {
				require.Equal(t, http.StatusOK, s.do("GET", found[1], "").status, found[1])
			}
		}
	}
	require.Equal(t, pagePolicy, s.do("GET", "/docs", "").header.Get("Content-Security-Policy"))
	api := s.do("GET", "/api/v1/auth/me", "")
	require.Equal(t, "default-src 'none'; frame-ancestors 'none'", api.header.Get("Content-Security-Policy"))
	for _, none := range []string{"/docs/", "/docs/docs.html", "/docs/swagger-ui.js", "/docs/../go.mod"} {
		require.Equal(t, http.StatusNotFound, s.do("GET", none, "").status, none)
	}
}

func TestFilesOfPagesAreKeptByTheirTag(t *testing.T) {
	t.Parallel()
	s := newStack(t, anyDatabase(t)).as("")
	for path, media := range map[string]string{
		"/docs/docs.js": "text/javascript", "/docs/swagger-ui-bundle.js": "text/javascript", "/docs/swagger-ui.css": "text/css",
	} {
		plain := s.do("GET", path, "", "Accept-Encoding: gzip;q=0")
		require.Equal(t, http.StatusOK, plain.status)
		require.Equal(t, media+"; charset=utf-8", plain.header.Get("Content-Type"))
		require.Equal(t, "no-cache", plain.header.Get("Cache-Control"))
		require.Equal(t, "Accept-Encoding", plain.header.Get("Vary"))
		require.Empty(t, plain.header.Get("Content-Encoding"))
		zipped := s.do("GET", path, "", "Accept-Encoding: br, gzip")
		require.Equal(t, "gzip", zipped.header.Get("Content-Encoding"))
		require.Equal(t, plain.text, unzip(t, zipped.text))
		tag := zipped.header.Get("ETag")
		require.Equal(t, plain.header.Get("ETag"), tag)
		known := s.do("GET", path, "", "If-None-Match: "+tag)
		require.Equal(t, http.StatusNotModified, known.status)
		require.Empty(t, known.text)
		require.Equal(t, tag, known.header.Get("ETag"))
		require.Equal(t, http.StatusOK, s.do("GET", path, "", `If-None-Match: "other"`).status)
	}
}

func unzip(t *testing.T, text string) string {
	t.Helper()
	reader, err := gzip.NewReader(strings.NewReader(text))
	require.NoError(t, err)
	plain, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(plain)
}
