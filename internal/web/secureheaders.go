package web

import (
	"strings"

	"github.com/gin-gonic/gin"
)

// strictTransport makes browsers use only HTTPS for a year (RFC 6797).
const strictTransport = "max-age=31536000"

// secureHeaders sets the security headers of every answer. It runs before the handler, so that a page with another
// policy can replace them.
func secureHeaders(c *gin.Context) {
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("X-Frame-Options", "DENY") // for browsers that don't know frame-ancestors
	c.Header("Cross-Origin-Resource-Policy", "same-origin")
	c.Header("Cross-Origin-Opener-Policy", "same-origin")
	c.Header("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	if c.Request.TLS != nil { // browsers ignore the header over plain HTTP (RFC 6797, section 8.1)
		c.Header("Strict-Transport-Security", strictTransport)
	}
	c.Header("Referrer-Policy", "no-referrer")
	c.Header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if path := c.Request.URL.Path; path == "/api" || strings.HasPrefix(path, "/api/") {
		c.Header("Cache-Control", "no-store")
	}
	c.Next()
}
