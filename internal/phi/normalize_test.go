package phi

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestNormalizeName(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"José", "jose", "JOSE\u0301", " josé ", "ＪＯＳＥ"},
		{"García López", "garcia  lopez", "GARCIA\tLÓPEZ"},
		{"Weiß", "weiss", "WEISS"},
		{"O\u2019Neil", "o\u2019neil"},
	} {
		for _, spelling := range same {
			require.Equal(t, NormalizeName(same[0]), NormalizeName(spelling), spelling)
		}
	}
	require.Equal(t, []string{"garcia", "lopez"}, NameParts("García-López"))
	require.Equal(t, []string{"garcia", "lopez"}, NameParts("García\u2010López"))
	require.Empty(t, NameParts(" - "))
	require.NotEqual(t, NormalizeName("Anna"), NormalizeName("Anne"))
}

func TestNormalizePhone(t *testing.T) {
	t.Parallel()
	x := newRing(t).Indexer()
	for _, spelling := range []string{"(212) 555-0123", "212.555.0123", "+1 212 555 0123", "1-212-555-0123", "2125550123"} {
		require.Equal(t, "+12125550123", x.NormalizePhone(spelling), spelling)
	}
	require.Equal(t, "+493012345678", x.NormalizePhone("+49 30 12345678"))
}

func TestCalendarDate(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "1980-2-3", "1980-02-30", "1980-13-01", "19800203", "1980-02-03T00:00:00Z", " 1980-02-03", "1980-02-03\n"} {
		_, err := ParseCalendarDate(bad)
		require.Error(t, err, bad)
	}
	day, err := ParseCalendarDate("2000-02-29")
	require.NoError(t, err)
	require.Equal(t, "2000-02-29", day.String())
}

func FuzzNormalize(f *testing.F) {
	f.Add("José  García-López")
	f.Add("\xff\u0301")
	f.Fuzz(func(t *testing.T, name string) {
		once := NormalizeName(name)
		require.Equal(t, once, NormalizeName(once), "normalising twice changes nothing")
		if utf8.ValidString(name) {
			require.True(t, utf8.ValidString(once))
		}
		NameParts(name)
	})
}
