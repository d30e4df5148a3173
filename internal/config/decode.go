package config

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/v2"
)

// decode puts the settings over the defaults. Types are exact: only durations and levels are converted.
func (in *input) decode() (*Config, error) {
	cfg := Default()
	var found mapstructure.Metadata
	err := in.values.UnmarshalWithConf("", cfg, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		DecodeHook: mapstructure.DecodeHookFuncValue(exact),
		MatchName:  func(key, field string) bool { return key == field },
		Metadata:   &found,
	}})
	if err != nil {
		return nil, in.refuseType(err)
	}
	if len(found.Unused) > 0 {
		slices.Sort(found.Unused)
		return nil, in.refuseUnknown(found.Unused[0])
	}
	return cfg, nil
}

// keyShaped matches the form of a key's path. Any other text more likely comes from a file that is not a
// configuration, and is not repeated.
var keyShaped = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$`)

// refuseUnknown returns the error for an unknown key of the file. It names the key if the key is in a known
// section, or is spelt as a known key. Otherwise it names only the key's line, since the file may be something else
// than a configuration.
func (in *input) refuseUnknown(path string) error {
	section, _, nested := strings.Cut(path, ".")
	ours := keyShaped.MatchString(path) && slices.ContainsFunc(keys(Default()), func(k key) bool {
		if nested {
			return strings.HasPrefix(k.path, section+".")
		}
		return k.path[strings.LastIndex(k.path, ".")+1:] == section
	})
	if ours {
		return fmt.Errorf("%s (from %s): no such key: correct its name or place, or remove it", path, in.file)
	}
	return fmt.Errorf("%s: line %d has a key that there is not: correct its name or place, or remove it; "+
		"write the file as the config.yaml that comes with the program", in.file, in.lines[path])
}

var errType = errors.New("wrong type")

// exact parses the types that YAML does not have, and refuses values that the decoder would distort: it cuts 2.5 to
// 2, and takes 30 for 30 nanoseconds.
func exact(from, to reflect.Value) (any, error) {
	raw := from.Interface()
	text, isText := raw.(string)
	switch to.Interface().(type) {
	case time.Duration:
		if raw == 0 {
			return time.Duration(0), nil
		}
		return time.ParseDuration(text)
	case slog.Level:
		var level slog.Level
		err := level.UnmarshalText([]byte(text))
		return level, err
	case int, int64:
		if _, ok := raw.(int); !ok {
			return nil, errType
		}
	case string, DSN, Webhook:
		if !isText {
			return nil, errType
		}
	}
	return raw, nil
}

// refuseType returns an error that names the first key that err is about. The decoder's own text may quote the
// value.
func (in *input) refuseType(err error) error {
	var at *mapstructure.DecodeError
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: the top level must hold sections: write them as in the config.yaml that comes with the program", in.file)
	}
	path, _, _ := strings.Cut(at.Name(), "[")
	for _, k := range keys(Default()) {
		if k.path == path {
			return in.refuse(path, "must be "+k.wants())
		}
	}
	return in.refuse(path, "must be a section with keys below it")
}

func (k key) wants() string {
	switch k.value.Interface().(type) {
	case bool:
		return "true or false"
	case int, int64:
		return "a whole number"
	case time.Duration:
		return "a duration with its unit, such as 30s, 5m or 12h"
	case slog.Level:
		return "debug, info, warn or error"
	case []string:
		return "a list of texts"
	default:
		return "a text"
	}
}
