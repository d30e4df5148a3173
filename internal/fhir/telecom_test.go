package fhir

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTelecom(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ telecom, phone, alternative, email string }{
		"by use": {
			`[{"system":"phone","use":"temp","value":"4"},{"system":"phone","use":"work","value":"3"},{"system":"phone","use":"home","value":"2"},{"system":"phone","use":"mobile","value":"1"}]`,
			"1", "2", "",
		},
		"by rank before use": {
			`[{"system":"phone","use":"mobile","value":"3"},{"system":"phone","use":"home","rank":2,"value":"2"},{"system":"phone","rank":1,"value":"1"}]`,
			"1", "2", "",
		},
		"as they stand": {`[{"system":"phone","value":"1"},{"system":"phone","value":"2"}]`, "1", "2", ""},
		"old ones out":  {`[{"system":"phone","use":"old","rank":1,"value":"9"},{"system":"phone","value":"1"}]`, "1", "", ""},
		"twice the same": {
			`[{"system":"phone","use":"home","value":"1"},{"system":"phone","use":"mobile","value":" 1 "},{"system":"phone","use":"work","value":"2"}]`,
			"1", "2", "",
		},
		"e-mail alone": {`[{"system":"email","use":"old","value":"a@example.org"},{"system":"email","value":"b@example.org"}]`, "", "", "b@example.org"},
		"e-mail by rank": {
			`[{"system":"email","value":"a@example.org"},{"system":"email","rank":1,"value":"b@example.org"}]`,
			"", "", "b@example.org",
		},
		"no value, other systems": {
			`[{"system":"phone","use":"mobile"},{"system":"phone","value":" "},{"system":"sms","value":"9"},{"system":"url","value":"9"},{"value":"9"},{"system":"phone","value":"1"}]`,
			"1", "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patient := mapped(t, "telecom", test.telecom)
			require.Equal(t, test.phone, patient.Phone)
			require.Equal(t, test.alternative, patient.AlternativePhone)
			require.Equal(t, test.email, patient.Email)
		})
	}
}
