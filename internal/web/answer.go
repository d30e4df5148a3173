package web

import (
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"novamind/internal/apperr"
)

// WriteJSON answers with v. It marshals before it writes the status line, so that a value that can't be rendered
// becomes a 500 (apperr.Internal) and never half an answer.
func WriteJSON(c *gin.Context, status int, v any) error {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return apperr.Wrap(apperr.Internal, InternalDetail, err)
	}
	WriteBody(c, status, "application/json", body)
	return nil
}

// WriteBody sets Content-Type itself, because Gin keeps one that is already there.
func WriteBody(c *gin.Context, status int, contentType string, body []byte) {
	c.Header("Content-Type", contentType)
	c.Data(status, contentType, body)
}

// InUTC returns an optional time in UTC.
func InUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// ValueOr returns the value that p points to, or otherwise where p is nil.
func ValueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
