package phi

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// fmt calls no methods on unexported members, so the guarantee is weaker there: the output does not show the value.
func TestUnexportedFieldsDontShowTheirValue(t *testing.T) {
	t.Parallel()
	v := newInvented(t)
	hidden := struct {
		name  Text
		where JSON[map[string]string]
		born  Date
		list  []Text
		inner *struct{ name Text }
	}{v.Name, v.Where, v.Born, []Text{v.Name}, &struct{ name Text }{v.Name}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, shown := range []string{fmt.Sprintf(verb, hidden), fmt.Sprintf(verb, &hidden), fmt.Sprintf(verb, []any{hidden})} {
			requireHidden(t, shown)
		}
	}
}

func requireHidden(t *testing.T, shown string) {
	t.Helper()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), "1987", "62685446400"} {
		require.NotContains(t, shown, form) // the last is the day of birth in seconds
	}
}

func TestOpenedFieldsPrintRedacted(t *testing.T) {
	t.Parallel()
	v := newInvented(t)
	s := newRing(t).Sealer(Data)
	require.NoError(t, v.Name.Seal(s, place))
	require.NoError(t, v.Where.Seal(s, place))
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x", v, v, v, v, v, v)
	require.NoError(t, json.NewEncoder(&out).Encode(v))
	require.NoError(t, xml.NewEncoder(&out).Encode(v.Name))
	fmt.Fprint(&out, v.Name.String(), v.Name.LogValue())
	requireHidden(t, out.String())
	require.NotContains(t, out.String(), "phi1:")
	for _, printed := range []string{fmt.Sprint(v.Name), fmt.Sprintf("%d", v.Name), fmt.Sprintf("%10.3s", v.Where), v.Name.String()} {
		require.Equal(t, Redacted, printed)
	}
}

// crashing makes the test binary end in a panic with a model in it.
const crashing = "NOVAMIND_TEST_CRASH"

func TestPanicsDontShowTheirValue(t *testing.T) {
	v := newInvented(t)
	switch os.Getenv(crashing) {
	case "model":
		panic(v)
	case "field":
		panic(v.Name)
	case "error":
		panic(fmt.Errorf("failed: %+v", v))
	}
	t.Parallel()
	for _, what := range []string{"model", "field", "error"} {
		crash := exec.Command(os.Args[0], "-test.run=^TestPanicsDontShowTheirValue$")
		crash.Env = append(os.Environ(), crashing+"="+what)
		out, err := crash.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "panic: ")
		requireHidden(t, string(out))
	}
}

func TestNullFields(t *testing.T) {
	t.Parallel()
	s := newRing(t).Sealer(Data)
	var name Text
	var where JSON[map[string]string]
	for range 2 {
		require.True(t, name.IsNull() && where.IsNull())
		require.Empty(t, name.Plain())
		require.Nil(t, where.Plain())
		require.Nil(t, name.Optional())
		require.NoError(t, name.Seal(s, place))
		require.NoError(t, where.Seal(s, place))
		require.NoError(t, name.Open(s, place))
		require.NoError(t, where.Open(s, place))
		for _, value := range []func() (any, error){
			func() (any, error) { return name.Value() }, func() (any, error) { return where.Value() },
		} {
			got, err := value()
			require.NoError(t, err)
			require.Nil(t, got)
		}
		name, where = OfOptional[string](nil), JSONOfOptional[map[string]string](nil)
	}

	empty := Of("")
	require.False(t, empty.IsNull(), "an empty text is none that is missing")
	require.NoError(t, empty.Seal(s, place), "and is sealed like any other")
	sealedEmpty, err := empty.Value()
	require.NoError(t, err)
	require.Regexp(t, `^phi1:`, sealedEmpty)
	value := canary
	given := OfOptional(&value)
	require.Equal(t, canary, *given.Optional())
	value = "changed later"
	require.Equal(t, canary, given.Plain(), "a field has a value of its own")
	*given.Optional() = "changed through"
	require.Equal(t, canary, given.Plain())
	given.Clear()
	require.True(t, given.IsNull())
}

func TestUnopenedFieldsGiveNothing(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	s := ring.Sealer(Data)
	written := Of(canary)
	require.NoError(t, written.Seal(s, place))
	text, err := written.Value()
	require.NoError(t, err)

	var f Text
	require.NoError(t, f.Scan(text))
	require.Panics(t, func() { f.Plain() })
	require.Panics(t, func() { f.Optional() })
	require.Panics(t, func() { f.Same(&written) })
	require.ErrorIs(t, f.Seal(s, place), ErrNotSealed, "sealed text is no value to seal")
	again, err := f.Value()
	require.NoError(t, err)
	require.Equal(t, text, again, "it goes back as it came")

	elsewhere := place
	elsewhere.Version++
	require.ErrorIs(t, f.Open(s, elsewhere), ErrUnreadable)
	require.Panics(t, func() { f.Plain() }, "a failure opens nothing")
	require.ErrorIs(t, f.Open(ring.Sealer(Log), place), ErrUnknownKey)
	require.NoError(t, f.Open(s, place))
	require.Equal(t, canary, f.Plain())

	require.NoError(t, f.Scan(nil))
	require.True(t, f.IsNull(), "what was there before a scan is gone")

	date := Date{}
	require.NoError(t, date.Scan(text))
	err = date.Open(s, place)
	require.ErrorIs(t, err, ErrUnreadable, "it holds a name, not a day")
	require.NotContains(t, err.Error(), canary)
	require.Panics(t, func() { date.Plain() })
}

func TestSame(t *testing.T) {
	t.Parallel()
	one, equal, other, null := Of(canary), Of(canary), Of("other"), Text{}
	require.NoError(t, equal.Seal(newRing(t).Sealer(Data), place))
	require.True(t, one.Same(&equal), "whether it is sealed yet doesn't matter")
	require.False(t, one.Same(&other))
	require.False(t, one.Same(&null))
	require.False(t, null.Same(&one))
	require.True(t, null.Same(&Text{}))
	blank := Of("")
	require.False(t, null.Same(&blank))
	require.False(t, one.Same(canary))
	require.False(t, one.Same(one), "a field is compared through its pointer")
	day := Date{}
	require.False(t, null.Same(&day))

	street, same := JSONOf(map[string]string{"street": canary}), JSONOf(map[string]string{"street": canary})
	moved := JSONOf(map[string]string{"street": "other"})
	require.True(t, street.Same(&same))
	require.False(t, street.Same(&moved))
	require.False(t, street.Same(&street.Field), "a JSON column is no text column")
}

func TestFieldsCantBeReadFromOutside(t *testing.T) {
	t.Parallel()
	v := newInvented(t)
	var encoded bytes.Buffer
	require.NoError(t, gob.NewEncoder(&encoded).Encode(v))
	var back invented
	require.ErrorContains(t, gob.NewDecoder(&encoded).Decode(&back), "can't be read from gob")
	for _, text := range []string{`{"Name":"Canary-Value"}`, `{"Where":{"street":"Canary-Value"}}`, `{"Born":"1987-06-05"}`, `{"Name":"[PHI]"}`} {
		err := json.Unmarshal([]byte(text), &back)
		require.ErrorContains(t, err, "can't be read from JSON")
		require.NotContains(t, err.Error(), canary)
	}
	require.True(t, back.Name.IsNull() && back.Where.IsNull() && back.Born.IsNull())
	for _, src := range []any{42, 4.2, true, []string{canary}} {
		require.ErrorIs(t, back.Name.Scan(src), ErrUnreadable)
		require.ErrorIs(t, back.Where.Scan(src), ErrUnreadable)
		require.True(t, back.Name.IsNull() && back.Where.IsNull())
	}
}
