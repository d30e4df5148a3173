package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// limitBody makes reading more than limit bytes of the request's body fail with *http.MaxBytesError.
func limitBody(limit int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
		c.Next()
	}
}

// awaitBody reads a request's body completely, and lets later readers read it again.
func awaitBody(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	r.Body = &arrivedBody{Closer: r.Body, rest: bytes.NewReader(body), failed: err}
}

// arrivedBody is a body that was read to its end, or until reading failed.
type arrivedBody struct {
	io.Closer

	rest   *bytes.Reader
	failed error
}

// Read implements io.Reader.
func (b *arrivedBody) Read(p []byte) (int, error) {
	n, err := b.rest.Read(p)
	if err != nil && b.failed != nil {
		err = b.failed
	}
	return n, err
}

// limitTime gives the request's context a deadline. Calls that wait on the context then fail, and writeProblem answers
// 503. Nothing is interrupted by force.
func limitTime(limit time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), limit)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}
