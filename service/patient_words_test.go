package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

// A phone number in a search box is recognized in every notation. Words beside it are names.
func TestPhonesAmongWords(t *testing.T) {
	t.Parallel()
	for words, phone := range map[string]string{
		"2125550123":                   "2125550123",
		"(212) 555-0123 smith":         "(212) 555-0123",
		"smith 212\u2013555\u20130123": "212\u2013555\u20130123",
		"tel:+1-212-555-0123":          "tel:+1-212-555-0123",
		"212 555 0123 ext. 45":         "212 555 0123 ext. 45",
		"212/555.0123 x 45 smith":      "212/555.0123 x 45",
	} {
		q, err := service.ParsePatientWords("q", words)
		require.NoError(t, err, words)
		require.NotNil(t, q.Phone, words)
		require.Equal(t, phone, *q.Phone)
		for _, prefix := range q.Prefixes {
			require.Equal(t, "smith", prefix)
		}
	}
	q, err := service.ParsePatientWords("q", "ext smith")
	require.NoError(t, err)
	require.Nil(t, q.Phone)
	require.Equal(t, []string{"ext", "smith"}, q.Prefixes)
}
