package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
)

var errPanic = errors.New("panic, logged with its stack")

// recoverPanics answers a panic with a 500. It logs the panic's type and stack. It logs the panic's value, which may
// be PHI, only if the Go runtime made it. If an answer has begun, it cuts the connection, so that the client sees
// that the answer is incomplete.
func recoverPanics(logger *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(value)
			}
			logger.LogAttrs(c.Request.Context(), slog.LevelError, "panic", panicAttrs(c, value)...)
			if c.Writer.Written() {
				panic(http.ErrAbortHandler)
			}
			writeProblem(c, apperr.Wrap(apperr.Internal, InternalDetail, errPanic))
		}()
		c.Next()
	}
}

func panicAttrs(c *gin.Context, value any) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("type", fmt.Sprintf("%T", value)),
		slog.String("route", c.FullPath()),
		slog.String("request_id", RequestID(c.Request.Context())),
		slog.String("stack", string(debug.Stack())),
	}
	if ours, ok := value.(runtime.Error); ok {
		attrs = append(attrs, slog.String("panic", ours.Error()))
	}
	return attrs
}
