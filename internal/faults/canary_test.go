package faults

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// The canaries fill every field that can hold one, and members that an import drops. Canaries with an accent, and
// phone numbers, are listed in their normalised form too.
var canaries = []string{
	"Quïbblefern", "quibblefern", "Zandromëda", "zandromeda", "Oldmaidenwick", "1931-07-23", // the patient
	"417 Moonquake Alley", "Snarkville", "Zorblaxia", "ZQ9-8XW7", // the address
	"212-555-0147", "+12125550147", "2125550147", "(212) 555-0158", "+12125550158", "2125550158", "quibble.fern@example.org",
	"Wobbleton Mutual", "POL-88123-X", "GRP-77-QX", // the insurance
	"Bramblethwaite", "Ottoline", "third cousin thrice", "212-555-0163", "+12125550163", "2125550163", "otto.line@example.org",
	"MRN-5512-ZZ", "999-31-7788", "Narratively", // dropped
	"Changedwick", "Grimblesnatch", // written, searched or refused later
}

const canaryID = "129c6ac7-8d06-89de-ad63-0204a93e76c3"

// canaryLine is a FHIR patient, in one line.
var canaryLine = strings.ReplaceAll(`{"resourceType":"Patient","id":"`+canaryID+`",
	"text":{"status":"generated","div":"<div>Narratively</div>"},
	"identifier":[{"system":"http://hospital.example","value":"MRN-5512-ZZ"},{"system":"http://hl7.org/fhir/sid/us-ssn","value":"999-31-7788"}],
	"name":[{"use":"official","family":"Zandromëda","given":["Quïbblefern"]},{"use":"maiden","family":"Oldmaidenwick"}],
	"telecom":[{"system":"phone","value":"212-555-0147"},{"system":"phone","value":"(212) 555-0158"},
		{"system":"email","value":"quibble.fern@example.org"}],
	"birthDate":"1931-07-23",
	"address":[{"line":["417 Moonquake Alley"],"city":"Snarkville","state":"Zorblaxia","postalCode":"ZQ9-8XW7"}],
	"contact":[{"relationship":[{"text":"third cousin thrice"}],"name":{"family":"Bramblethwaite","given":["Ottoline"]},
		"telecom":[{"system":"phone","value":"212-555-0163"},{"system":"email","value":"otto.line@example.org"}]}]}`, "\n", "") + "\n"

// The search finds a planted canary in every form.
func TestLeakSearchFindsAPlantedCanary(t *testing.T) {
	t.Parallel()
	for _, canary := range canaries {
		for _, planted := range []string{
			canary, strings.ToUpper(canary), strconv.QuoteToASCII(canary), url.QueryEscape(canary),
			hex.EncodeToString([]byte(canary)), strings.ToUpper(hex.EncodeToString([]byte(canary))), wide(canary),
			base64.StdEncoding.EncodeToString([]byte(canary)), base64.URLEncoding.EncodeToString([]byte("a" + canary + "bc")),
			base64.RawStdEncoding.EncodeToString([]byte("ab" + canary + "c")),
		} {
			require.Contains(t, found("\xff\x00x"+planted+"y"), canary)
		}
	}
	require.Empty(t, found("nothing to see"))
}

// found returns the canaries that content holds in any form and any letter case.
func found(content string) []string {
	content = strings.ToLower(content)
	var out []string
	for canary, forms := range sought() {
		if slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(content, form) }) {
			out = append(out, canary)
		}
	}
	return out
}

// sought are the forms of each canary in lower case, without repetitions.
var sought = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	for _, canary := range canaries {
		for _, form := range forms(canary) {
			if form = strings.ToLower(form); !slices.Contains(out[canary], form) {
				out[canary] = append(out[canary], form)
			}
		}
	}
	return out
})

// forms are the possible spellings of a stored value: plain, escaped as in JSON or in a URL, hexadecimal, UTF-16, and
// base64 at each of its three alignments.
func forms(canary string) []string {
	escaped := strconv.QuoteToASCII(canary)
	out := []string{
		canary, escaped[1 : len(escaped)-1], url.QueryEscape(canary), url.PathEscape(canary),
		hex.EncodeToString([]byte(canary)), wide(canary),
	}
	for shift := range 3 {
		shifted := []byte(strings.Repeat("\x00", shift) + canary)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(shifted)
			out = append(out, text[(shift*8+5)/6:len(text)-1]) // without the digits that depend on the neighbours
		}
	}
	return out
}

// wide returns text in UTF-16LE.
func wide(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		out.WriteByte(byte(unit))
		out.WriteByte(byte(unit >> 8))
	}
	return out.String()
}
