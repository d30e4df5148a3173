package cli

import (
	"encoding/json"
	"io"
	"log/slog"

	"novamind/internal/config"
)

// app is shared by the commands: the persistent flags, the streams and, if a command asks for it, the configuration.
type app struct {
	configFile string
	json       bool

	stdin          io.Reader
	stdout, stderr io.Writer

	config *config.Config
	logger *slog.Logger
}

// load reads the configuration once and logs its warnings. It returns the configuration with the logger that it asks
// for.
func (a *app) load() (*config.Config, *slog.Logger, error) {
	if a.config != nil {
		return a.config, a.logger, nil
	}
	cfg, err := config.Load(a.configFile)
	if err != nil {
		return nil, nil, err
	}
	a.config, a.logger = cfg, newLogger(a.stderr, cfg.Log)
	for _, warning := range cfg.Warnings() {
		a.logger.Warn("unsafe configuration", "setting", warning)
	}
	return a.config, a.logger, nil
}

// result is the report of a command. Its JSON form is for scripts: its names are stable.
type result interface {
	writeText(w io.Writer) error
}

// report writes a result to standard output, as JSON with --json.
func (a *app) report(r result) error {
	if !a.json {
		return r.writeText(a.stdout)
	}
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
