package handler

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"novamind/internal/apipage"
	"novamind/internal/rest"
	"novamind/internal/web"
)

// pageOperations are the web pages and their files.
func pageOperations() []rest.Operation {
	return []rest.Operation{
		rest.Row("GET", "/", "Show the start page", web.Open, nil, file(apipage.Start)),
		rest.Row("GET", "/docs", "Show the API in a browser", web.Open, nil, file(apipage.Docs)),
		rest.Row("GET", "/docs/docs.js", "Get the script of the API page", web.Open, nil, file(apipage.Script)),
		rest.Row("GET", "/docs/swagger-ui-bundle.js", "Get the code of Swagger UI", web.Open, nil, file(apipage.Bundle)),
		rest.Row("GET", "/docs/swagger-ui.css", "Get the style of Swagger UI", web.Open, nil, file(apipage.Style)),
	}
}

// file answers with a file that browsers may store, if they ask by its tag whether it has changed. It has its own
// Content-Security-Policy.
func file(f *apipage.File) rest.Action {
	action := rest.Raw(f.Media, func(c *gin.Context, _ rest.Anything) error {
		c.Header("Cache-Control", "no-cache")
		c.Header("Content-Security-Policy", f.Policy)
		c.Header("ETag", `W/"`+f.Tag+`"`) // weak: the same for both encodings
		c.Header("Vary", "Accept-Encoding")
		switch {
		case web.Knows(c, f.Tag):
			c.Status(http.StatusNotModified)
			c.Writer.WriteHeaderNow()
		case acceptsGzip(c):
			c.Header("Content-Encoding", "gzip")
			web.WriteBody(c, http.StatusOK, f.Media+"; charset=utf-8", f.Zipped)
		default:
			web.WriteBody(c, http.StatusOK, f.Media+"; charset=utf-8", f.Plain())
		}
		return nil
	})
	action.Versioned = true
	return action
}

// acceptsGzip reports whether Accept-Encoding names gzip with a sufficient weight.
func acceptsGzip(c *gin.Context) bool {
	for encoding := range strings.SplitSeq(c.GetHeader("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(encoding, ";")
		if strings.TrimSpace(name) == "gzip" {
			return !strings.HasPrefix(strings.TrimSpace(weight), "q=0")
		}
	}
	return false
}
