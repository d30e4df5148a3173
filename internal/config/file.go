package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"

	"github.com/knadh/koanf/providers/confmap"
	"go.yaml.in/yaml/v3"
)

func (in *input) parseFile(text []byte) error {
	values, err := parseYAML(text)
	if err != nil {
		return fmt.Errorf("%s: %w", in.file, err)
	}
	in.lines = linesOf(text)
	if err := in.values.Load(confmap.Provider(values, ""), nil); err != nil {
		return fmt.Errorf("%s: the keys can't be read: write them as in the config.yaml that comes with the program", in.file)
	}
	for _, k := range keys(Default()) {
		if err := in.checkFileValue(k); err != nil {
			return err
		}
	}
	return nil
}

func (in *input) checkFileValue(k key) error {
	value := in.values.Get(k.path)
	if in.values.Exists(k.path) && value == nil {
		return in.refuse(k.path, "has no value: give it one, or remove the line for its default")
	}
	text, ok := value.(string)
	if _, isURL := reflect.TypeAssert[DSN](k.value); ok && isURL && DSN(text).hasPassword() {
		return in.refuse(k.path, "secrets never appear in a configuration file: set "+k.variable()+" in the environment instead")
	}
	return nil
}

// linesOf returns the line of each key in a YAML file.
func linesOf(text []byte) map[string]int {
	lines := map[string]int{}
	var walk func(prefix string, node *yaml.Node)
	walk = func(prefix string, node *yaml.Node) {
		for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
			path := prefix + node.Content[i].Value
			lines[path] = node.Content[i].Line
			walk(path+".", node.Content[i+1])
		}
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err == nil && len(document.Content) == 1 {
		walk("", document.Content[0])
	}
	return lines
}

var yamlLine = regexp.MustCompile(`line \d+`)

// parseYAML reads exactly one document: a second document would be ignored silently. The parser's own messages
// quote values, so only the line is taken from them.
func parseYAML(text []byte) (map[string]any, error) {
	var values map[string]any
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&values)
	if errors.Is(err, io.EOF) {
		return map[string]any{}, nil // only comments
	}
	if err != nil {
		where := "the file"
		if line := yamlLine.FindString(err.Error()); line != "" {
			where = line
		}
		return nil, fmt.Errorf("%s is not valid YAML, or repeats a key: correct it", where)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document: keep one")
	}
	return values, nil
}
