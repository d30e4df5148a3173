package phi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestNormalizeName(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"José", "jose", "JOSE\u0301", " josé ", "ＪＯＳＥ"},
		{"García López", "garcia  lopez", "GARCIA\tLÓPEZ"},
		{"Weiß", "weiss", "WEISS"},
		{"O'Neil", "o\u2019neil", "O\u02bcNEIL", "o\u2018neil", "O\u00b4Neil", "O\u2032Neil"},
		{"Łukasz", "lukasz", "ŁUKASZ"},
		{"Sørensen", "sorensen", "SØRENSEN"},
		{"Đorđević", "dordevic"},
		{"Işıl", "isil", "IŞIL", "ISIL"},
		{"Æsir", "aesir", "ÆSIR"},
		{"Smith", "Smi\u200bth", "\u2060Smith", "Smith\ufeff", "Sm\u00adith"},
	} {
		for _, spelling := range same {
			require.Equal(t, NormalizeName(same[0]), NormalizeName(spelling), spelling)
		}
	}
	require.Equal(t, []string{"garcia", "lopez"}, NameParts("García-López"))
	require.Equal(t, []string{"garcia", "lopez"}, NameParts("García\u2010López"))
	for _, same := range []string{"St. John", "St John", "st.john", "ST/JOHN", "St (John)", "John, St"} {
		require.ElementsMatch(t, []string{"st", "john"}, NameParts(same), same)
	}
	require.Empty(t, NameParts(" - "))
	require.NotEqual(t, NormalizeName("Anna"), NormalizeName("Anne"))
}

func TestNormalizeText(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"somebody@example.org", "Somebody@Example.ORG", " somebody@example.org\t", "\uff53omebody@example.org"},
		{"straße", "STRASSE", "Stra\u1e9ee"},
		{"josé", "JOSÉ", "jose\u0301"},
		{"a b", "A  B", "\u00a0a\u3000b\u2003"},
		{"fi", "\ufb01"},
		{"tel", "\u2121"}, // its compatibility form is in capitals
	} {
		for _, spelling := range same {
			require.Equal(t, NormalizeText(same[0]), NormalizeText(spelling), spelling)
		}
	}
	require.NotEqual(t, NormalizeText("josé@example.org"), NormalizeText("jose@example.org"), "another mailbox")
	require.Empty(t, NormalizeText(" \t\n"))
}

// The spelling of a name does not change its index terms: neither case, nor white space, nor the composition of
// letters.
func TestSpellingsOfNames(t *testing.T) {
	t.Parallel()
	letters := []rune("abcdefghijklmnopqrstuvwxyzäöüßéèñçåøæšžłįőđ'\u2019-. ")
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.SampledFrom(letters), 0, 20, -1).Draw(t, "name")
		normal := NormalizeName(name)
		for _, spelling := range []string{
			strings.ToUpper(name), norm.NFD.String(name), norm.NFC.String(name), " " + name + "\u00a0", strings.ReplaceAll(name, " ", " \t "),
			norm.NFD.String(strings.ToUpper(name)),
		} {
			require.Equal(t, normal, NormalizeName(spelling))
			require.Equal(t, NameParts(name), NameParts(spelling))
		}
		require.Equal(t, normal, NormalizeName(normal))
		require.Equal(t, NormalizeText(name), NormalizeText(NormalizeText(name)))
	})
}

func TestNormalizePhone(t *testing.T) {
	t.Parallel()
	x := newRing(t).Indexer()
	for _, spelling := range []string{
		"(212) 555-0123", "212.555.0123", "+1 212 555 0123", "1-212-555-0123", "2125550123", "+12125550123", " 212 555 0123 ",
		"tel:+1-212-555-0123", "+1 (212) 555\u20110123", "212\u00a0555\u00a00123", "\uff12\uff11\uff12-555-0123", "011 1 212 555 0123",
	} {
		require.Equal(t, "+12125550123", x.NormalizePhone(spelling), spelling)
	}
	for _, spelling := range []string{"+49 30 12345678", "011 49 30 12345678", "+49 (0)30 12345678", "+49-30-1234-5678"} {
		require.Equal(t, "+493012345678", x.NormalizePhone(spelling), spelling)
	}
	for spelling, digits := range map[string]string{"": "", "none": "", "ext. 7": "7", "+": ""} {
		require.Equal(t, digits, x.NormalizePhone(spelling), spelling)
	}

	kek := newKEK(t)
	german, err := OpenKeyring(kek, newKeysets(t, kek), "DE")
	require.NoError(t, err)
	for _, spelling := range []string{"030 12345678", "030/12345678", "+49 30 12345678", "0049 30 12345678"} {
		require.Equal(t, "+493012345678", german.Indexer().NormalizePhone(spelling), spelling)
	}
}

// A number is read as the same number in every form that phonenumbers itself can print.
func TestPrintedPhonesAreTheSame(t *testing.T) {
	t.Parallel()
	x := newRing(t).Indexer()
	rapid.Check(t, func(t *rapid.T) {
		area := rapid.SampledFrom([]string{"212", "415", "617", "312", "808"}).Draw(t, "area")
		number, err := phonenumbers.Parse(area+rapid.StringMatching(`[2-9][0-9]{6}`).Draw(t, "number"), "US")
		require.NoError(t, err)
		want := phonenumbers.Format(number, phonenumbers.E164)
		for _, form := range []phonenumbers.PhoneNumberFormat{
			phonenumbers.E164, phonenumbers.INTERNATIONAL, phonenumbers.NATIONAL, phonenumbers.RFC3966,
		} {
			require.Equal(t, want, x.NormalizePhone(phonenumbers.Format(number, form)))
		}
	})
}

func TestCalendarDate(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", "1980-2-3", "1980-02-30", "1900-02-29", "1980-13-01", "1980-00-01", "1980-01-00", "19800203", "1980/02/03", "03.02.1980",
		"1980-02-03T00:00:00Z", " 1980-02-03", "1980-02-03\n", "+980-02-03", "\uff11980-02-03",
	} {
		_, err := ParseCalendarDate(bad)
		require.Error(t, err, bad)
		require.True(t, bad == "" || !strings.Contains(err.Error(), bad), "what was submitted is echoed")
		day := CalendarDate{}
		require.Error(t, day.UnmarshalText([]byte(bad)))
		require.Equal(t, CalendarDate{}, day)
	}
	for _, good := range []string{"2000-02-29", "1899-12-31", "0001-01-01", "9999-12-31"} {
		day, err := ParseCalendarDate(good)
		require.NoError(t, err)
		require.Equal(t, good, day.String())
		require.Equal(t, good+"T00:00:00Z", day.Time().Format(time.RFC3339))
		text, err := json.Marshal(map[string]CalendarDate{"d": day})
		require.NoError(t, err)
		require.JSONEq(t, `{"d":"`+good+`"}`, string(text))
		var back map[string]CalendarDate
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, day, back["d"])
	}
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

// The shorter path for ASCII has the same result.
func TestNormalizeASCII(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune(" \t\n\v\f\r-AZaz09@[`{\x00\x1c\x1f\x7f"))).Draw(t, "s")
		require.Equal(t, strings.Join(strings.Fields(norm.NFKC.String(caseless(s))), " "), normalizeASCII(s))
	})
}

// The shorter path for ASCII names finds the same parts.
func TestNamePartBegins(t *testing.T) {
	t.Parallel()
	letters := rapid.RuneFrom([]rune("abCD'-. \t\u00e9\u2010"))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(letters, 0, 12, -1).Draw(t, "name")
		prefix := rapid.StringOfN(rapid.RuneFrom([]rune("abcd'e")), 1, 3, -1).Draw(t, "prefix")
		want := slices.ContainsFunc(NameParts(name), func(part string) bool { return strings.HasPrefix(part, prefix) })
		require.Equal(t, want, NamePartBegins(name, prefix))
	})
}
