package phi

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// NormalizeText returns s as an index sees it: NFKC, case-folded, trimmed, runs of white space as one space.
func NormalizeText(s string) string {
	return strings.Join(strings.Fields(cases.Fold().String(norm.NFKC.String(s))), " ")
}

// NormalizeName is NormalizeText without diacritics: José and jose are one name.
func NormalizeName(s string) string {
	bare, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), norm.NFKC), s)
	if err != nil {
		bare = s
	}
	return NormalizeText(bare)
}

// NameParts returns the normalised parts of a name: García-López has two. A single part is returned alone.
func NameParts(s string) []string {
	return strings.FieldsFunc(NormalizeName(s), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Dash, r)
	})
}

// NormalizePhone returns s in E.164 (ITU-T), read in the indexer's region where it has no country code, and its bare
// digits where it is no number that any plan could hold.
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
