package web

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/apperr"
)

type accountKey struct{}

// SetAccount notes the id of the calling account for the access log.
func SetAccount(c *gin.Context, id uuid.UUID) { c.Set(accountKey{}, id) }

// accountOf returns the id that SetAccount noted, or "".
func accountOf(c *gin.Context) string {
	id, _ := c.Get(accountKey{})
	if id, ok := id.(uuid.UUID); ok {
		return id.String()
	}
	return ""
}

// logAccess writes one line per request. The line has the route's pattern, never the path or the query, which may be
// PHI. It has the text of an error only for a 5xx, because other refusals say nothing about the server.
func logAccess(logger *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		defer func() {
			level := slog.LevelInfo
			if c.Writer.Status() >= http.StatusInternalServerError {
				level = slog.LevelError
			}
			logger.LogAttrs(c.Request.Context(), level, "request", accessAttrs(c, time.Since(start))...)
		}()
		c.Next()
	}
}

func accessAttrs(c *gin.Context, took time.Duration) []slog.Attr {
	status := c.Writer.Status()
	attrs := []slog.Attr{
		slog.String("method", knownMethod(c.Request.Method)),
		slog.String("route", c.FullPath()),
		slog.Int("status", status),
		slog.Duration("duration", took),
		slog.Int("bytes", max(0, c.Writer.Size())),
		slog.String("request_id", RequestID(c.Request.Context())),
	}
	if id, ok := c.Get(accountKey{}); ok {
		attrs = append(attrs, slog.Any("account_id", id))
	}
	if last := c.Errors.Last(); last != nil && status >= http.StatusBadRequest {
		attrs = append(attrs, slog.String("code", string(apperr.CodeOf(last.Err))))
		if status >= http.StatusInternalServerError {
			attrs = append(attrs, slog.String("error", last.Err.Error()))
		}
	}
	return attrs
}

// knownMethod keeps invented methods, which are free text, out of the log.
func knownMethod(method string) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions,
	}
	if slices.Contains(known, method) {
		return method
	}
	return "other"
}
