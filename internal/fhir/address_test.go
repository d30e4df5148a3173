package fhir

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPostalAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		addresses string
		want      *Address
	}{
		"none":    {`[]`, nil},
		"nothing": {`[{"country":"US"},{"line":[" "],"city":""}]`, nil},
		"old":     {`[{"use":"old","line":["1 Row"],"city":"A","state":"KS","postalCode":"00001"}]`, nil},
		"home first": {
			`[{"use":"work","line":["1 Row"],"city":"A","state":"KS","postalCode":"00001"},{"use":"home","line":["2 Row"],"city":"B","state":"TX","postalCode":"00002"}]`,
			&Address{"2 Row", "B", "TX", "00002"},
		},
		"then the first": {
			`[{"use":"old","line":["0 Row"]},{"use":"home"},{"use":"work","line":["1 Row"],"city":"A","state":"KS","postalCode":"00001"},{"line":["2 Row"]}]`,
			&Address{"1 Row", "A", "KS", "00001"},
		},
		"several lines": {
			`[{"line":["1 Row",null," Flat 2 "],"city":"A","state":"KS","postalCode":"00001"}]`,
			&Address{"1 Row, Flat 2", "A", "KS", "00001"},
		},
		"no postal code": {`[{"line":["1 Row"],"city":"A","state":"KS"}]`, &Address{"1 Row", "A", "KS", "unknown"}},
		"only a state":   {`[{"state":"KS"}]`, &Address{"unknown", "unknown", "KS", "unknown"}},
		"only text":      {`[{"text":"1 Row\r\n Emberton KS\n"}]`, &Address{"1 Row, Emberton KS", "unknown", "unknown", "unknown"}},
		"text and lines": {`[{"text":"1 Row, A","line":["1 Row"],"city":"A"}]`, &Address{"1 Row", "A", "unknown", "unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, mapped(t, "address", test.addresses).Address)
		})
	}
}
