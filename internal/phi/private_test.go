package phi

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrivateValuesPrintRedacted(t *testing.T) {
	t.Parallel()
	type contact struct {
		Private `json:"-"`

		Email string `json:"email"`
	}
	v := struct{ Contact contact }{contact{Email: canary}}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x %v", v, v, &v, v.Contact, &v.Contact, []contact{v.Contact}, fmt.Errorf("failed: %v", v))
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v, "contact", v.Contact)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "contact", v.Contact)
	require.NotContains(t, out.String(), canary)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", canary))
	require.Error(t, gob.NewEncoder(&out).Encode(v.Contact))
	require.Error(t, gob.NewDecoder(&out).Decode(&v.Contact))

	text, err := json.Marshal(v.Contact)
	require.NoError(t, err)
	require.JSONEq(t, `{"email":"`+canary+`"}`, string(text))
	field := JSONOf(v.Contact)
	s := newRing(t).Sealer(Data)
	require.NoError(t, field.Seal(s, place))
	sealed, err := field.Value()
	require.NoError(t, err)
	require.NoError(t, field.Scan(sealed))
	require.NoError(t, field.Open(s, place))
	require.Equal(t, v.Contact, field.Plain())
}
