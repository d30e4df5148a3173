package phi

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEnvelopeHasOneShape(t *testing.T) {
	t.Parallel()
	s := newRing(t).Sealer(Data)
	for length, body := range map[int]int{0: 38, 1: 39, 2: 40, 3: 42, 200: 304} {
		envelope, err := s.Seal(make([]byte, length), place)
		require.NoError(t, err)
		require.Regexp(t, `^phi1:`+s.Primary()+`:[A-Za-z0-9_-]+$`, envelope)
		require.Len(t, envelope, len("phi1:01234567:")+body)
		id, err := KeyID(envelope)
		require.NoError(t, err)
		require.Equal(t, s.Primary(), id)
	}
	one, err := s.Seal([]byte("x"), place)
	require.NoError(t, err)
	other, err := s.Seal([]byte("x"), place)
	require.NoError(t, err)
	require.NotEqual(t, one, other, "equal values must not show as equal")
}

func TestUnwrapIsTheInverseOfWrap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ciphertext := append([]byte{1}, rapid.SliceOfN(rapid.Byte(), 4+28, 4+28+300).Draw(t, "ciphertext")...)
		back, err := appendUnwrapped(nil, string(appendWrapped(nil, ciphertext)))
		require.NoError(t, err)
		require.Equal(t, ciphertext, back)
	})
}

// Every byte counts: after any change of one byte, the value is refused.
func TestEveryChangeOfAByteIsRefused(t *testing.T) {
	t.Parallel()
	s := newRing(t).Sealer(Data)
	good, err := s.Seal([]byte("12345"), place)
	require.NoError(t, err)
	for at := range good {
		for with := range 256 {
			altered := []byte(good)
			altered[at] = byte(with)
			if string(altered) == good {
				continue
			}
			plain, err := s.Open(string(altered), place)
			require.ErrorIs(t, err, ErrUnreadable, "byte %d as %#x", at, with)
			require.Nil(t, plain)
		}
		_, err := s.Open(good[:at]+good[at+1:], place)
		require.ErrorIs(t, err, ErrUnreadable, "without byte %d", at)
		_, err = s.Open(good[:at], place)
		require.ErrorIs(t, err, ErrUnreadable, "cut at %d", at)
		_, err = s.Open(good[at:], place)
		require.Truef(t, at == 0 || err != nil, "from %d on", at)
	}
}

func TestOtherSpellingsAreNoEnvelopes(t *testing.T) {
	t.Parallel()
	const id, body = "deadbeef", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" // 28 zero bytes, the minimum
	_, err := appendUnwrapped(nil, "phi1:"+id+":"+body)
	require.NoError(t, err)
	for name, spelling := range map[string]string{
		"nothing":              "",
		"too short":            "phi1:" + id + ":" + body[1:],
		"a byte too short":     "phi1:" + id + ":" + body[2:],
		"bits after the end":   "phi1:" + id + ":" + body[:37] + "B",
		"impossible length":    "phi1:" + id + ":" + body + "AAA",
		"padding":              "phi1:" + id + ":" + body + "==",
		"standard alphabet":    "phi1:" + id + ":" + body + "+/",
		"line feed":            "phi1:" + id + ":" + body + "\n",
		"line feeds inside":    "phi1:" + id + ":" + body[:20] + "\r\n" + body[20:],
		"carriage return":      "phi1:" + id + ":" + body[:20] + "\r" + body[20:],
		"space":                "phi1:" + id + ": " + body,
		"space before":         " phi1:" + id + ":" + body,
		"zero byte":            "phi1:" + id + ":" + body + "\x00",
		"byte order mark":      "\ufeffphi1:" + id + ":" + body,
		"capital key id":       "phi1:DEADBEEF:" + body,
		"key id of a word":     "phi1:deadbeer:" + body,
		"signed key id":        "phi1:+eadbeef:" + body,
		"short key id":         "phi1:deadbee:" + body + "AA",
		"full-width digits":    "phi1:dead\uff11a:" + body,
		"capital prefix":       "PHI1:" + id + ":" + body,
		"another version":      "phi2:" + id + ":" + body,
		"no second colon":      "phi1:" + id + "A" + body,
		"another second colon": "phi1:" + id + ";" + body,
	} {
		_, err := appendUnwrapped(nil, spelling)
		require.ErrorIs(t, err, ErrUnreadable, name)
		_, err = KeyID(spelling)
		require.ErrorIs(t, err, ErrUnreadable, name)
	}
}

// The key id is not a mere hint. With the id of another key of the keyset, a value doesn't open, and isn't reported
// as a value of an unknown key.
func TestKeyIDOfAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	wrapped := newKeysets(t, kek)
	var err error
	wrapped[Data], err = AddKey(Data, kek, wrapped[Data])
	require.NoError(t, err)
	ring, err := OpenKeyring(kek, wrapped, "US")
	require.NoError(t, err)
	keys, err := Keys(Data, kek, wrapped[Data])
	require.NoError(t, err)
	s := ring.Sealer(Data)
	good, err := s.Seal([]byte("x"), place)
	require.NoError(t, err)
	_, err = s.Open(strings.Replace(good, keys[0].ID, keys[1].ID, 1), place)
	require.ErrorIs(t, err, ErrUnreadable)
	require.NotErrorIs(t, err, ErrUnknownKey)
	_, err = s.Open(strings.Replace(good, keys[0].ID, "00000000", 1), place)
	require.ErrorIs(t, err, ErrUnknownKey)
}

// Two bindings never share their encoding, even if their names concatenate to the same text.
func TestBindingsDontShareAnEncoding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.StringOfN(rapid.SampledFrom([]rune("ab\x00\x01")), 0, 12, -1).Draw(t, "names")
		draw := func(label string) Binding {
			cut := rapid.IntRange(0, len(names)).Draw(t, label+" cut")
			end := rapid.IntRange(cut, len(names)).Draw(t, label+" end")
			return Binding{
				Table: names[:cut], Column: names[cut:end],
				Row:     uuid.UUID{15: rapid.ByteMax(1).Draw(t, label+" row")},
				Version: rapid.Int64Range(-1, 1).Draw(t, label+" version"),
			}
		}
		one, other := draw("one"), draw("other")
		require.Equal(t, one == other, string(one.appendAssociatedData(nil)) == string(other.appendAssociatedData(nil)))
	})
}

func FuzzOpen(f *testing.F) {
	s := newRing(f).Sealer(Data)
	good, err := s.Seal([]byte("x"), place)
	require.NoError(f, err)
	f.Add(good)
	f.Add(strings.ToUpper(good))
	f.Add(good + "\n")
	f.Fuzz(func(t *testing.T, envelope string) {
		plain, err := s.Open(envelope, place)
		if envelope != good {
			require.ErrorIs(t, err, ErrUnreadable)
			require.Nil(t, plain)
		}
	})
}

// The parser returns every accepted text unchanged: no ciphertext has two spellings.
func FuzzEnvelope(f *testing.F) {
	f.Add(prefix + "deadbeef:" + base64.RawURLEncoding.EncodeToString(make([]byte, 28)))
	f.Fuzz(func(t *testing.T, envelope string) {
		ciphertext, err := appendUnwrapped(nil, envelope)
		if err != nil {
			require.ErrorIs(t, err, ErrUnreadable)
			return
		}
		require.Equal(t, envelope, string(appendWrapped(nil, ciphertext)))
	})
}
