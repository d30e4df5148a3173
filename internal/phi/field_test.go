package phi

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
)

const canary = "Canary-Value"

type invented struct {
	Name  Text
	Where JSON[map[string]string]
	Born  Date
}

func newInvented(t *testing.T) invented {
	t.Helper()
	born, err := ParseCalendarDate("1987-06-05")
	require.NoError(t, err)
	return invented{Of(canary), JSONOf(map[string]string{"street": canary}), Of(born)}
}

func TestFieldsPrintRedacted(t *testing.T) {
	t.Parallel()
	v := newInvented(t)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		fmt.Fprintf(&out, verb, v)
		fmt.Fprintf(&out, verb, &v)
		fmt.Fprintf(&out, verb, v.Name)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v, "name", v.Name, "where", v.Where)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v, "name", v.Name, "where", v.Where)
	require.NoError(t, json.NewEncoder(&out).Encode(v))
	require.NoError(t, gob.NewEncoder(&out).Encode(v))
	require.NoError(t, template.Must(template.New("t").Parse("{{.}} {{.Name}} {{.Where}} {{.Born}}")).Execute(&out, v))
	fmt.Fprint(&out, fmt.Errorf("failed: %v: %w", v, errors.New("x")))
	require.NotContains(t, out.String(), canary)
	require.NotContains(t, out.String(), "1987")
	require.NotContains(t, out.String(), fmt.Sprintf("%x", canary))
	require.Contains(t, out.String(), Redacted)
}

func TestFieldRefusesPlainTextToTheDatabase(t *testing.T) {
	t.Parallel()
	v := newInvented(t)
	_, err := v.Name.Value()
	require.ErrorIs(t, err, ErrNotSealed)
	_, err = v.Where.Value()
	require.ErrorIs(t, err, ErrNotSealed)

	s := newRing(t).Sealer(Data)
	require.NoError(t, v.Name.Seal(s, place))
	require.NoError(t, v.Where.Seal(s, place))
	text, err := v.Name.Value()
	require.NoError(t, err)
	require.Regexp(t, `^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$`, text)
	column, err := v.Where.Value()
	require.NoError(t, err)
	require.Regexp(t, `^\{"phi":"phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}"\}$`, column)
	require.Equal(t, canary, v.Name.Plain(), "the plain value stays readable")

	v.Name = Of("another")
	_, err = v.Name.Value()
	require.ErrorIs(t, err, ErrNotSealed, "a new value is not covered by the old seal")
}

func TestFieldRoundTrip(t *testing.T) {
	t.Parallel()
	s := newRing(t).Sealer(Data)
	v := newInvented(t)
	require.NoError(t, v.Name.Seal(s, place))
	require.NoError(t, v.Where.Seal(s, place))
	require.NoError(t, v.Born.Seal(s, place))
	var back invented
	name, _ := v.Name.Value()
	where, _ := v.Where.Value()
	born, _ := v.Born.Value()
	require.NoError(t, back.Name.Scan(name))
	require.NoError(t, back.Where.Scan(where))
	require.NoError(t, back.Born.Scan([]byte(born.(string))))
	require.Panics(t, func() { back.Name.Plain() }, "an unopened field must not pass for an empty one")
	require.NoError(t, back.Name.Open(s, place))
	require.NoError(t, back.Where.Open(s, place))
	require.NoError(t, back.Born.Open(s, place))
	require.True(t, back.Name.Same(&v.Name) && back.Where.Same(&v.Where) && back.Born.Same(&v.Born))
	require.Equal(t, "1987-06-05", back.Born.Plain().String())

	require.NoError(t, back.Where.Scan(nil))
	require.True(t, back.Where.IsNull())
	require.Nil(t, back.Where.Optional())
	value, err := back.Where.Value()
	require.NoError(t, err)
	require.Nil(t, value)
}

// A column that was written past the program does not open in any shape.
func TestForeignColumnsDontOpen(t *testing.T) {
	t.Parallel()
	s := newRing(t).Sealer(Data)
	for _, column := range []string{`{}`, `null`, `"plain"`, `[]`, `{"phi":1}`, `{"phi":"x","street":"y"}`, `{"phi":"plain"}`, `not json`} {
		var j JSON[map[string]string]
		require.NoError(t, j.Scan(column))
		require.ErrorIs(t, j.Open(s, place), ErrUnreadable, column)
		value, err := j.Value()
		require.ErrorIs(t, err, ErrUnreadable, column)
		require.Equal(t, Redacted, value, column)
	}
	var text Text
	for _, column := range []string{"", "plain", "phi1:0123abcd:plain", "phi1:0123abcd:" + strings.Repeat("=", 40)} {
		require.NoError(t, text.Scan(column))
		require.ErrorIs(t, text.Open(s, place), ErrUnreadable)
		value, err := text.Value()
		require.ErrorIs(t, err, ErrUnreadable, "what is no sealed text is not handed out for one")
		require.Equal(t, Redacted, value)
		stored, err := text.Stored()
		require.NoError(t, err)
		require.Equal(t, column, stored, "a digest is of what is there")
	}
	require.ErrorIs(t, text.Scan(42), ErrUnreadable)
	require.Error(t, json.Unmarshal([]byte(`"x"`), &text), "a request can't fill a sealed field")
}
