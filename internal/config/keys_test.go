package config

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/knadh/koanf/v2"
	"github.com/stretchr/testify/require"
)

const shipped = "../../config.yaml"

func TestShippedFileListsEveryKeyWithItsDefault(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(shipped)
	require.NoError(t, err)
	in := &input{values: koanf.New("."), origins: map[string]string{}, file: shipped}
	require.NoError(t, in.parseFile(text))

	var inStruct []string
	for _, k := range keys(Default()) {
		inStruct = append(inStruct, k.path)
	}
	require.ElementsMatch(t, inStruct, in.values.Keys())

	cfg, err := in.decode()
	require.NoError(t, err)
	require.Equal(t, Default(), cfg)
}

func TestShippedFileExplainsEachKeyInOneLine(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(shipped)
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(text), "\n\n") // after the head of the file

	comments, explained := 0, 0
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
			comments++
		case line != "" && !strings.HasSuffix(line, ":"):
			require.Equal(t, 1, comments, line)
			explained++
			comments = 0
		}
	}
	require.Len(t, keys(Default()), explained)
}

func TestEveryNumberHasABound(t *testing.T) {
	t.Parallel()
	for _, k := range keys(Default()) {
		kind := k.value.Kind()
		if (kind == reflect.Int || kind == reflect.Int64) && k.path != "log.level" {
			_, ok := k.bound("min")
			require.True(t, ok, k.path)
		}
	}
}

func TestVariable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "NOVAMIND_AUTH__ARGON2__MEMORY_KIB", key{path: "auth.argon2.memory_kib"}.variable())
}
