package phi

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// NormalizeText returns s as an index sees it: NFKC, case-folded, trimmed, runs of white space as one space. The
// steps are those of compatibility caseless matching (Unicode Standard, D146): folding can undo a normal form, and
// a normal form can undo folding.
func NormalizeText(s string) string {
	if isASCII(s) {
		return normalizeASCII(s)
	}
	return strings.Join(strings.Fields(norm.NFKC.String(caseless(s))), " ")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// normalizeASCII does all that normalisation does to ASCII, at a tenth of the cost.
func normalizeASCII(s string) string {
	if isNormalASCII(s) {
		return s
	}
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

// isNormalASCII reports whether normalizeASCII would return s itself.
func isNormalASCII(s string) bool {
	space := true // leading white space would be removed
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' || '\t' <= c && c <= '\r' || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return !space || s == ""
}

func caseless(s string) string {
	fold := cases.Fold()
	return norm.NFKD.String(fold.String(norm.NFKD.String(fold.String(norm.NFD.String(strings.ToValidUTF8(s, "\uFFFD"))))))
}

// NormalizeName is NormalizeText without diacritics and invisible characters, and with one kind of apostrophe. José
// and jose are one name, and so are Łukasz and Lukasz.
func NormalizeName(s string) string {
	if isASCII(s) {
		return normalizeASCII(s)
	}
	var bare strings.Builder
	for _, r := range caseless(strings.ReplaceAll(s, "\u00b4", "'")) { // an acute accent would decompose to a space
		switch plain, ok := plainForms[r]; {
		case ok:
			bare.WriteString(plain)
		case !unicode.In(r, unicode.Mn, unicode.Cf):
			bare.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(norm.NFKC.String(bare.String())), " ")
}

// plainForms are the characters that decomposing leaves. Some are folded letters whose mark is not a Unicode mark,
// or that stand for two letters, as in passports (ICAO Doc 9303-3, section 6). The others are substitutes for an
// apostrophe, typed by keyboards that mean well, or decomposed from letters such as ŉ.
var plainForms = map[rune]string{
	'ł': "l", 'ø': "o", 'đ': "d", 'ð': "d", 'ħ': "h", 'ŧ': "t", 'ŋ': "n", 'ı': "i", 'ĸ': "k", 'æ': "ae", 'œ': "oe", 'þ': "th",
	'\u2018': "'", '\u2019': "'", '\u02bc': "'", '\u2032': "'",
}

// NameParts returns the normalised parts of a name: García-López has two. A name of a single part gives that part
// alone.
func NameParts(s string) []string {
	return strings.FieldsFunc(NormalizeName(s), func(r rune) bool {
		if r < utf8.RuneSelf {
			return isASCIISeparator(byte(r)) //nolint:gosec // it is ASCII
		}
		return unicode.IsSpace(r) || unicode.Is(unicode.Dash, r)
	})
}

// NamePartBegins reports whether a part of a name begins with prefix. prefix is the beginning of a normalised part.
func NamePartBegins(name, prefix string) bool {
	if !isASCII(name) {
		return slices.ContainsFunc(NameParts(name), func(part string) bool { return strings.HasPrefix(part, prefix) })
	}
	for i := 0; i+len(prefix) <= len(name); i++ {
		if begins := i == 0 || isASCIISeparator(name[i-1]); begins && strings.EqualFold(name[i:i+len(prefix)], prefix) {
			return true
		}
	}
	return false
}

// isASCIISeparator reports whether NameParts separates parts at c.
func isASCIISeparator(c byte) bool {
	return '\t' <= c && c <= '\r' || strings.IndexByte(" -./,()\"", c) >= 0
}

// NormalizePhone returns s in E.164 (ITU-T). A number without a country code is read in the indexer's region. If s
// is not a possible number, it returns the bare digits of s.
func (x *Indexer) NormalizePhone(s string) string {
	if number, err := phonenumbers.Parse(s, x.phoneRegion); err == nil {
		return phonenumbers.Format(number, phonenumbers.E164)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
