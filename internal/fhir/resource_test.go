package fhir

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// canary stands for PHI: no reason may hold it.
const canary = "Zqxcanary"

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ line, reason string }{
		"cut off":              {`{"resourceType":"Patient","id":"` + canary, "not valid JSON"},
		"two values":           {string(patientLine(t)) + ` {"` + canary + `":1}`, "not valid JSON"},
		"two values on CR":     {string(patientLine(t)) + "\r" + string(patientLine(t)), "not valid JSON"},
		"half a surrogate":     {`{"resourceType":"Patient","id":"` + canary + `\ud800"}`, "not valid JSON"},
		"text":                 {canary, "not valid JSON"},
		"string":               {`"` + canary + `"`, "not a JSON object"},
		"array":                {`["` + canary + `"]`, "not a JSON object"},
		"null":                 {`null`, "resourceType: not Patient"},
		"member twice":         {`{"resourceType":"Patient","id":"` + canary + `","id":"b"}`, "a member occurs twice in one object"},
		"unknown member twice": {`{"resourceType":"Patient","x":{"` + canary + `":1,"` + canary + `":2}}`, "a member occurs twice in one object"},
		"bad UTF-8":            {"{\"resourceType\":\"Patient\",\"id\":\"" + canary + "\xff\"}", "not valid UTF-8"},
		"other shape":          {`{"resourceType":"Organization","name":"` + canary + `"}`, "resourceType: not Patient"},
		"type of the type":     {`{"resourceType":["` + canary + `"]}`, "/resourceType: not of the type that FHIR R4 gives it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode[resource]([]byte(test.line), "Patient")
			require.EqualError(t, err, test.reason)
		})
	}
}

// reasonText matches the allowed reasons: the elements read here, indexes, and fixed words.
var reasonText = regexp.MustCompile(`^(/[a-zA-Z]+(/\d+|/[a-zA-Z]+)*|[a-zA-Z.]+): [a-zA-Z0-9 ()-]+$|^[a-zA-Z0-9 -]+$`)

func requireReason(t require.TestingT, reason string) {
	require.Regexp(t, reasonText, reason)
	require.NotContains(t, strings.ToLower(reason), strings.ToLower(canary))
}

// The canary replaces each JSON token in turn, so every element gets it with a right and a wrong type.
func TestReasonHoldsNothingOfTheLine(t *testing.T) {
	t.Parallel()
	full := string(patientLine(t, "address", `[{"use":"home","line":["1"]}]`, "link", `[{"type":"seealso"}]`,
		"contact", `[{"relationship":[{"coding":[{"code":"C"}]}],"name":{"text":"x"}}]`, "active", `true`))
	tokens := regexp.MustCompile(`"[^"]*"|true|[{}\[\],:]`).FindAllString(full, -1)
	damage := rapid.SampledFrom([]string{
		`"` + canary + `"`, `["` + canary + `"]`, `{"` + canary + `":"` + canary + `"}`, canary,
		`"` + canary + `":1,"` + canary + `"`, `"` + canary + `":{},"resourceType"`,
	})
	rapid.Check(t, func(t *rapid.T) {
		line := append([]string{}, tokens...)
		line[rapid.IntRange(0, len(line)-1).Draw(t, "at")] = damage.Draw(t, "damage")
		patient, reason := parse([]byte(strings.Join(line, "")))
		if patient == nil {
			requireReason(t, reason)
		}
	})
}
