package web

import (
	"context"
	"regexp"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
)

const requestIDHeader = "X-Request-Id"

type requestIDKey struct{}

var acceptableRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// RequestID returns the id of the request that ctx belongs to, or "" outside of a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// identifyRequest puts the caller's X-Request-Id into the request's context and the answer's header. If the id is
// missing or not acceptable, it uses a new UUIDv7.
func identifyRequest(c *gin.Context) {
	id := c.GetHeader(requestIDHeader)
	if !acceptableRequestID.MatchString(id) {
		id = uuid.Must(uuid.NewV7()).String()
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestIDKey{}, id))
	c.Header(requestIDHeader, id)
	c.Next()
}
