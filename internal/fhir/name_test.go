package fhir

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPatientName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 48)
	for name, test := range map[string]struct{ names, first, last string }{
		"official first": {
			`[{"use":"nickname","family":"A","given":["A"]},{"use":"usual","family":"B","given":["B"]},{"use":"official","family":"C","given":["C"]}]`,
			"C", "C",
		},
		"then usual": {
			`[{"use":"nickname","family":"A","given":["A"]},{"use":"usual","family":"B","given":["B"]}]`, "B", "B",
		},
		"then the first": {
			`[{"use":"maiden","family":"A","given":["A"]},{"use":"old","family":"B","given":["B"]},{"family":"C","given":["C"]},{"family":"D","given":["D"]}]`,
			"C", "C",
		},
		"official that is half":  {`[{"use":"official","family":"A"},{"family":"B","given":["B"]}]`, "B", "B"},
		"all given names":        {`[{"family":" de la Quill ","given":["Ada"," María ",null,"José"]}]`, "Ada María José", "de la Quill"},
		"given names that fit":   {`[{"family":"Q","given":["` + long + `","B"]}]`, long + " B", "Q"},
		"given names that don't": {`[{"family":"Q","given":["` + long + `","BC"]}]`, long, "Q"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patient := mapped(t, "name", test.names)
			require.Equal(t, test.first, patient.FirstName)
			require.Equal(t, test.last, patient.LastName)
		})
	}
}

func TestPatientNameFitsOrIsRefused(t *testing.T) {
	t.Parallel()
	text := rapid.StringN(0, 60, -1)
	name := rapid.Custom(func(t *rapid.T) humanName {
		return humanName{
			Use:    rapid.SampledFrom([]string{"", "official", "usual", "old", "maiden", "temp"}).Draw(t, "use"),
			Family: text.Draw(t, "family"),
			Given:  rapid.SliceOfN(text, 0, 3).Draw(t, "given"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		first, last, err := patientName(rapid.SliceOfN(name, 0, 4).Draw(t, "names"))
		for _, value := range []string{first, last} {
			require.Equal(t, err != nil, value == "")
			require.LessOrEqual(t, utf8.RuneCountInString(value), maxName)
			require.Equal(t, strings.TrimSpace(value), value)
		}
	})
}
