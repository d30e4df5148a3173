package handler

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"novamind/internal/apipage"
)

// pageOperations are the web pages and their files.
func pageOperations() []Operation {
	return []Operation{
		row("GET", "/", "Show the start page", Open, nil, file(apipage.Start)),
		row("GET", "/docs", "Show the API in a browser", Open, nil, file(apipage.Docs)),
		row("GET", "/docs/docs.js", "Get the script of the API page", Open, nil, file(apipage.Script)),
		row("GET", "/docs/swagger-ui-bundle.js", "Get the code of Swagger UI", Open, nil, file(apipage.Bundle)),
		row("GET", "/docs/swagger-ui.css", "Get the style of Swagger UI", Open, nil, file(apipage.Style)),
	}
}

// file answers a file that a browser keeps, and asks for again by its tag. It has a Content-Security-Policy of its own.
func file(f *apipage.File) Action {
	action := raw(f.Media, func(c *gin.Context, _ anything) error {
		c.Header("Cache-Control", "no-cache")
		c.Header("Content-Security-Policy", f.Policy)
		c.Header("ETag", `W/"`+f.Tag+`"`) // weak: the same for both encodings
		c.Header("Vary", "Accept-Encoding")
		switch {
		case knows(c, f.Tag):
			c.Status(http.StatusNotModified)
			c.Writer.WriteHeaderNow()
		case acceptsGzip(c):
			c.Header("Content-Encoding", "gzip")
			writeBody(c, http.StatusOK, f.Media+"; charset=utf-8", f.Zipped)
		default:
			writeBody(c, http.StatusOK, f.Media+"; charset=utf-8", f.Plain())
		}
		return nil
	})
	action.versioned = true
	return action
}

// knows reports whether If-None-Match names a tag.
func knows(c *gin.Context, tag string) bool {
	tags, ok := parseEntityTags(strings.Join(c.Request.Header.Values("If-None-Match"), ","))
	return ok && (tags.any || slices.ContainsFunc(tags.tags, func(t entityTag) bool { return t.opaque == tag }))
}

// acceptsGzip reports whether Accept-Encoding names gzip, and not with a low weight.
func acceptsGzip(c *gin.Context) bool {
	for encoding := range strings.SplitSeq(c.GetHeader("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(encoding, ";")
		if strings.TrimSpace(name) == "gzip" {
			return !strings.HasPrefix(strings.TrimSpace(weight), "q=0")
		}
	}
	return false
}
