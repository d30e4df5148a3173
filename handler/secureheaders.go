package handler

import (
	"strings"

	"github.com/gin-gonic/gin"
)

// secureHeaders sets what every answer carries, before the handler, so that a page which needs another policy can
// replace it.
func secureHeaders(c *gin.Context) {
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Referrer-Policy", "no-referrer")
	c.Header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if path := c.Request.URL.Path; path == "/api" || strings.HasPrefix(path, "/api/") {
		c.Header("Cache-Control", "no-store")
	}
	c.Next()
}
