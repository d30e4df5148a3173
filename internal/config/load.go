package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/knadh/koanf/v2"
)

// DefaultFile is read from the working directory if no other file is named.
const DefaultFile = "config.yaml"

// Load returns the defaults, overridden by the file, overridden by the environment. If path is empty, the file is
// DefaultFile, if that exists; a named file must exist. The error is one line that names the key, the origin of its
// value and the action to take. It never holds the value, which may be a secret.
func Load(path string) (*Config, error) {
	in := &input{values: koanf.New("."), origins: map[string]string{}}
	if err := in.readFile(path); err != nil {
		return nil, err
	}
	if _, err := in.decode(); err != nil { // a variable would hide a section that is not a section
		return nil, err
	}
	in.readEnvironment(os.Environ)
	cfg, err := in.decode()
	if err != nil {
		return nil, err
	}
	if err := strayVariables(os.Environ(), cfg.PHI.KEK); err != nil {
		return nil, err
	}
	if err := in.normalise(cfg); err != nil {
		return nil, err
	}
	if err := in.check(cfg); err != nil {
		return nil, err
	}
	return cfg, nil
}

// input is the values that were set, and their origins.
type input struct {
	values  *koanf.Koanf
	origins map[string]string // key path → variable
	file    string
	lines   map[string]int // key path → line of the file
}

// refuse returns the error for one key.
func (in *input) refuse(path, advice string) error {
	return fmt.Errorf("%s (from %s): %s", path, in.origin(path), advice)
}

func (in *input) origin(path string) string {
	if variable, ok := in.origins[path]; ok {
		return variable
	}
	if in.file != "" && in.values.Exists(path) {
		return in.file
	}
	return "the defaults"
}

func (in *input) readFile(path string) error {
	name := path
	if name == "" {
		name = DefaultFile
	}
	text, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the configuration file can't be read: %w", err)
	}
	in.file = name
	return in.parseFile(text)
}
