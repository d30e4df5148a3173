package cli

import (
	"io"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"

	"novamind/internal/config"
)

// newLogger returns the program's logger: coloured for people on a terminal when the format is auto, else text or
// JSON.
func newLogger(w io.Writer, c config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level}
	switch {
	case c.Format == "json":
		return slog.New(slog.NewJSONHandler(w, options))
	case c.Format == "auto" && isTerminal(w):
		// NO_COLOR: https://no-color.org
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: c.Level, NoColor: os.Getenv("NO_COLOR") != ""}))
	default:
		return slog.New(slog.NewTextHandler(w, options))
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
