package handler

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"novamind/internal/web"
	"novamind/service"
)

// The data that distinguishes two requests is stored as a fast hash. So it holds no password, but only whether there
// is one.
func TestNoPasswordTellsRequestsApart(t *testing.T) {
	t.Parallel()
	shown := func(body string) string {
		var in accountRequest
		require.NoError(t, web.Unmarshal([]byte(body), &in))
		text, err := json.Marshal(in)
		require.NoError(t, err)
		require.NotContains(t, string(text), "passphrase")
		return string(text)
	}
	one := shown(`{"email":"a@example.org","password":"a long passphrase"}`)
	require.Equal(t, one, shown(`{"email":"a@example.org","password":"another passphrase"}`))
	require.NotEqual(t, one, shown(`{"email":"a@example.org"}`))
	require.NotEqual(t, one, shown(`{"email":"b@example.org","password":"a long passphrase"}`))

	in := accountRequest{AccountInput: service.AccountInput{Name: "Somebody"}}
	require.NoError(t, web.Unmarshal([]byte(`{"password":"a long passphrase"}`), &in))
	require.Equal(t, "a long passphrase", *in.text(), "it is read as it is")
}
