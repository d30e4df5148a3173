package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/providers/env/v2"
)

// aliases maps the variable names of the Python program's settings to keys.
var aliases = map[string]string{
	"DATABASE_URL": "database.url",
	"DB_ECHO":      "database.echo",
}

// foreign are the prefixes of our variables that are not configuration keys.
var foreign = []string{"NOVAMIND_ADMIN_", "NOVAMIND_TEST_"}

// readEnvironment reads the aliases, then the variables named after their keys, which override the aliases.
func (in *input) readEnvironment(environ func() []string) {
	byAlias, byName := map[string]key{}, map[string]key{}
	for _, k := range keys(Default()) {
		byName[k.variable()] = k
		for alias, path := range aliases {
			if path == k.path {
				byAlias[alias] = k
			}
		}
	}
	in.readVariables(byAlias, func() []string {
		// A compose file passes on an empty alias if the variable is not set.
		return slices.DeleteFunc(environ(), func(pair string) bool {
			_, value, _ := strings.Cut(pair, "=")
			return value == ""
		})
	})
	in.readVariables(byName, environ)
}

func (in *input) readVariables(known map[string]key, environ func() []string) {
	provider := env.Provider(".", env.Opt{
		EnvironFunc: environ,
		TransformFunc: func(variable, text string) (string, any) {
			k, ok := known[variable]
			if !ok {
				return "", nil
			}
			in.origins[k.path] = variable
			return k.path, k.typed(text)
		},
	})
	_ = in.values.Load(provider, nil) // reads a map: can't fail
}

// typed returns text as a value of the key's type. If that fails, it returns text unchanged, for the decoder to
// refuse.
func (k key) typed(text string) any {
	switch k.value.Interface().(type) {
	case bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case int, int64:
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	case []string:
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	case string, DSN, time.Duration, slog.Level:
		return text
	}
	return text
}

// strayVariables refuses a NOVAMIND_ variable that nothing reads: most likely a misspelt key. The variable that
// phi.kek names is read.
func strayVariables(environ []string, kek string) error {
	allowed := map[string]bool{strings.TrimPrefix(kek, "env:"): true}
	for _, k := range keys(Default()) {
		allowed[k.variable()] = true
	}
	slices.Sort(environ)
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, variablePrefix) || allowed[name] {
			continue
		}
		if !slices.ContainsFunc(foreign, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			return fmt.Errorf("%s (from the environment): names no configuration key: correct it (%s, then the key's path "+
				"in capitals with __ between levels) or unset it", name, variablePrefix)
		}
	}
	return nil
}
