package fhir

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

const testID = "7a9d2c10-5b1e-4f6a-9c3d-000000000001"

// patientLine returns a line that can be mapped, with some members added, replaced or (for "") left out.
func patientLine(t testing.TB, members ...string) []byte {
	t.Helper()
	object := map[string]jsontext.Value{
		"resourceType": jsontext.Value(`"Patient"`),
		"id":           jsontext.Value(`"` + testID + `"`),
		"name":         jsontext.Value(`[{"family":"Quill","given":["Ada"]}]`),
		"telecom":      jsontext.Value(`[{"system":"phone","value":"555-555-0100"}]`),
		"birthDate":    jsontext.Value(`"1980-02-03"`),
	}
	for i := 0; i < len(members); i += 2 {
		object[members[i]] = jsontext.Value(members[i+1])
		if members[i+1] == "" {
			delete(object, members[i])
		}
	}
	line, err := json.Marshal(object)
	require.NoError(t, err)
	return line
}

// mapped returns the patient of such a line.
func mapped(t testing.TB, members ...string) *Patient {
	t.Helper()
	patient, reason := parse(patientLine(t, members...))
	require.Empty(t, reason)
	return patient
}

func TestPatientLeast(t *testing.T) {
	t.Parallel()
	require.Equal(t, &Patient{
		ID: uuid.MustParse(testID), FirstName: "Ada", LastName: "Quill", BirthDate: "1980-02-03", Active: true,
		Phone: "555-555-0100",
	}, mapped(t))
}

func TestPatientRejects(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 51)
	for name, test := range map[string]struct{ member, value, reason string }{
		"no id":               {"id", ``, "id: not a UUID"},
		"id is no UUID":       {"id", `"example"`, "id: not a UUID"},
		"id without dashes":   {"id", `"7a9d2c105b1e4f6a9c3d000000000001"`, "id: not a UUID"},
		"id as a URN":         {"id", `"urn:uuid:` + testID + `"`, "id: not a UUID"},
		"nil id":              {"id", `"00000000-0000-0000-0000-000000000000"`, "id: not a UUID"},
		"no name":             {"name", ``, "name: none in use has both family and given"},
		"family alone":        {"name", `[{"family":"Quill"}]`, "name: none in use has both family and given"},
		"given alone":         {"name", `[{"given":["Ada"]}]`, "name: none in use has both family and given"},
		"blank given":         {"name", `[{"family":"Quill","given":[" ",null]}]`, "name: none in use has both family and given"},
		"only maiden name":    {"name", `[{"use":"maiden","family":"Quill","given":["Ada"]}]`, "name: none in use has both family and given"},
		"long given":          {"name", `[{"family":"Quill","given":["` + long + `"]}]`, "name.given: longer than 50 characters"},
		"long family":         {"name", `[{"family":"` + long + `","given":["Ada"]}]`, "name.family: longer than 50 characters"},
		"no birth date":       {"birthDate", ``, "birthDate: missing"},
		"year":                {"birthDate", `"1980"`, "birthDate: not a full date (YYYY-MM-DD)"},
		"year and month":      {"birthDate", `"1980-02"`, "birthDate: not a full date (YYYY-MM-DD)"},
		"no such day":         {"birthDate", `"1981-02-29"`, "birthDate: not a date"},
		"year zero":           {"birthDate", `"0000-02-29"`, "birthDate: not a date"},
		"date and time":       {"birthDate", `"1981-02-28T00:00:00Z"`, "birthDate: not a date"},
		"no telecom":          {"telecom", ``, "telecom: neither a current phone nor a current e-mail"},
		"old phone":           {"telecom", `[{"system":"phone","use":"old","value":"555-555-0100"}]`, "telecom: neither a current phone nor a current e-mail"},
		"fax":                 {"telecom", `[{"system":"fax","value":"555-555-0100"}]`, "telecom: neither a current phone nor a current e-mail"},
		"modifier extension":  {"modifierExtension", `[{"url":"http://example.org/not","valueBoolean":true}]`, "modifierExtension: changes the meaning in a way not known here"},
		"implicit rules":      {"implicitRules", `"http://example.org/rules"`, "implicitRules: rules not known here"},
		"wrong type":          {"name", `[{"family":["Quill"],"given":["Ada"]}]`, "/name/0/family: not of the type that FHIR R4 gives it"},
		"negative rank":       {"telecom", `[{"system":"phone","rank":-1}]`, "/telecom/0/rank: not of the type that FHIR R4 gives it"},
		"other resource":      {"resourceType", `"Practitioner"`, "resourceType: not Patient"},
		"no resource type":    {"resourceType", ``, "resourceType: not Patient"},
		"member names differ": {"resourcetype", `"Practitioner"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patient, reason := parse(patientLine(t, test.member, test.value))
			require.Equal(t, test.reason, reason)
			require.Equal(t, test.reason == "", patient != nil)
		})
	}
}

func TestActive(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		member, value string
		active        bool
	}{
		"not said":     {"active", ``, true},
		"true":         {"active", `true`, true},
		"false":        {"active", `false`, false},
		"dead":         {"deceasedBoolean", `true`, false},
		"not dead":     {"deceasedBoolean", `false`, true},
		"date of dead": {"deceasedDateTime", `"1989"`, false},
		"replaced":     {"link", `[{"type":"seealso"},{"type":"replaced-by"}]`, false},
		"linked":       {"link", `[{"type":"replaces"}]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.active, mapped(t, test.member, test.value).Active)
		})
	}
	require.False(t, mapped(t, "active", `true`, "deceasedBoolean", `true`).Active)
}

func TestPatientIsNotPrinted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	patient := mapped(t)
	line := Line{Number: 1, Value: patient}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		_, _ = fmt.Fprintf(&out, verb+verb+verb, patient, *patient, line)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("read", "patient", patient, "value", *patient)
	require.Contains(t, out.String(), "[PHI]")
	for _, phi := range []string{"Ada", "Quill", "1980", "555", "416461"} {
		require.NotContains(t, out.String(), phi)
	}
}
