package fhir

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEmergencyContact(t *testing.T) {
	t.Parallel()
	const (
		role   = `{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":`
		phone1 = `"telecom":[{"system":"phone","value":"1"}]`
		phone2 = `"telecom":[{"system":"phone","value":"2"}]`
	)
	for name, test := range map[string]struct {
		contacts string
		want     *Contact
	}{
		"none":     {`[]`, nil},
		"no phone": {`[{"relationship":[` + role + `"C"}]}],"name":{"text":"Ida"},"telecom":[{"system":"email","value":"ida@example.org"}]}]`, nil},
		"no name":  {`[{` + phone1 + `}]`, nil},
		"emergency without name": {
			`[{"relationship":[` + role + `"C"}]}],` + phone1 + `}]`, &Contact{Relationship: "Emergency Contact", Phone: "1"},
		},
		"emergency before others": {
			`[{"name":{"text":"Jon"},` + phone1 + `},{"relationship":[` + role + `"EP"}]}],"name":{"text":"Ida"},` + phone2 + `}]`,
			&Contact{Name: "Ida", Relationship: "Emergency contact person", Phone: "2"},
		},
		"code C of another system": {
			`[{"name":{"text":"Jon"},` + phone1 + `},{"relationship":[{"coding":[{"system":"http://example.org","code":"C"}]}],"name":{"text":"Ida"},` + phone2 + `}]`,
			&Contact{Name: "Jon", Phone: "1"},
		},
		"emergency without phone": {
			`[{"relationship":[` + role + `"C"}]}],"name":{"text":"Ida"}},{"relationship":[` + role + `"N"}]}],"name":{"text":"Jon"},` + phone2 + `}]`,
			&Contact{Name: "Jon", Relationship: "Next-of-Kin", Phone: "2"},
		},
		"modifier extension": {
			`[{"modifierExtension":[{"url":"http://example.org/do-not-call"}],"relationship":[` + role + `"C"}]}],"name":{"text":"Ida"},` + phone1 + `}]`,
			nil,
		},
		"all members": {
			`[{"relationship":[` + role + `"C"}]},{"text":"Aunt"}],"name":{"family":"Quill","given":["Ida","May"],"text":"Aunt Ida"},` +
				`"telecom":[{"system":"phone","use":"home","value":"2"},{"system":"phone","use":"mobile","value":"1"},{"system":"email","value":"ida@example.org"}]}]`,
			&Contact{Name: "Ida May Quill", Relationship: "Aunt", Phone: "1", AlternativePhone: "2", Email: "ida@example.org"},
		},
		"relationship by display": {
			`[{"relationship":[{"coding":[{},{"code":"AUNT","display":"aunt"}]}],"name":{"text":"Ida"},` + phone1 + `}]`,
			&Contact{Name: "Ida", Relationship: "aunt", Phone: "1"},
		},
		"relationship by code": {
			`[{"relationship":[{},{"coding":[{"code":"AUNT"}]}],"name":{"family":"Quill"},` + phone1 + `}]`,
			&Contact{Name: "Quill", Relationship: "AUNT", Phone: "1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, mapped(t, "contact", test.contacts).EmergencyContact)
		})
	}
}
