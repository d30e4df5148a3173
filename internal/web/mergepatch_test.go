package web

import (
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"novamind/internal/apperr"
)

func patchRouter(t testing.TB, current sample) *testBundle {
	return one(t, "PATCH", func(c *gin.Context) error {
		body, err := readMembers(c, reflect.TypeFor[sample](), nil, MergePatchType, "application/json")
		if err != nil {
			return err
		}
		after, err := MergePatch[sample]{body}.Apply(current, nil)
		if err != nil {
			return err
		}
		return WriteJSON(c, 200, after)
	})
}

func currentSample() sample {
	note, unit := "<é\u2028😀&>", "3b"
	created := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	return sample{
		sampleTimes: sampleTimes{CreatedAt: &created},
		Name:        "before", Active: true, Count: 9007199254740993, Ratio: 0.1, Owner: uuid.MustParse("0190b5f4-0000-7000-8000-000000000001"),
		Note: &note, Hint: "hint", Address: &sampleAddress{Street: "Elm", Unit: &unit},
		Codes: []sampleCode{{System: "icd", Display: &note}}, Labels: map[string]string{"k": "v"},
	}
}

func TestMergePatchChangesWhatItNames(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patch string
		edit  func(*sample)
	}{
		"nothing":                 {`{}`, func(*sample) {}},
		"a text":                  {`{"name":"after"}`, func(s *sample) { s.Name = "after" }},
		"a large number":          {`{"count":-9223372036854775807}`, func(s *sample) { s.Count = -9223372036854775807 }},
		"a member of an object":   {`{"address":{"street":"Oak"}}`, func(s *sample) { s.Address.Street = "Oak" }},
		"removal":                 {`{"note":null}`, func(s *sample) { s.Note = nil }},
		"removal of an omitzero":  {`{"hint":null}`, func(s *sample) { s.Hint = "" }},
		"removal in an object":    {`{"address":{"unit":null}}`, func(s *sample) { s.Address.Unit = nil }},
		"removal of an object":    {`{"address":null}`, func(s *sample) { s.Address = nil }},
		"arrays as a whole":       {`{"codes":[{"system":"x","display":null}]}`, func(s *sample) { s.Codes = []sampleCode{{System: "x"}} }},
		"Unicode, either way":     {`{"name":"\ud83d\ude00é<\u2028"}`, func(s *sample) { s.Name = "😀é<\u2028" }},
		"a map's entry":           {`{"labels":{"l":"w"}}`, func(s *sample) { s.Labels = map[string]string{"k": "v", "l": "w"} }},
		"an absent object begins": {`{"any":{"a":1}}`, func(s *sample) { s.Any = map[string]any{"a": 1.0} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := patchRouter(t, currentSample()).serve(request("PATCH", "/api/v1/samples/1", test.patch, "Content-Type", "application/merge-patch+json"))
			require.Equal(t, 200, w.Code, w.Body.String())
			want := currentSample()
			test.edit(&want)
			var got sample
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			require.Equal(t, want, got)
		})
	}
}

func TestMergePatchRefuses(t *testing.T) {
	t.Parallel()
	b := patchRouter(t, currentSample())
	for name, test := range map[string]struct {
		patch  string
		status int
		want   []string
	}{
		"no object":           {`["` + canary + `"]`, 422, []string{"wrong_type"}},
		"null":                {`null`, 422, []string{"required"}},
		"not JSON":            {canary, 400, []string{"syntax"}},
		"twice":               {`{"name":"a","name":"b"}`, 400, []string{"duplicate_member"}},
		"removes a flag":      {`{"active":null}`, 422, []string{"/active required"}},
		"removes, deeper":     {`{"address":{"street":null}}`, 422, []string{"/address/street required"}},
		"unknown":             {`{"` + canary + `":1}`, 422, []string{"unknown_member"}},
		"removes an unknown":  {`{"` + canary + `":null}`, 422, []string{"unknown_member"}},
		"control character":   {`{"name":"` + canary + `\u0000"}`, 422, []string{"/name control_character"}},
		"wrong type, deeper":  {`{"address":{"street":{"` + canary + `":1}}}`, 422, []string{"/address/street wrong_type"}},
		"unknown in an array": {`{"codes":[{"` + canary + `":null}]}`, 422, []string{"/codes/0 unknown_member"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := problemIn(t, b.serve(request("PATCH", "/api/v1/samples/1", test.patch, "Content-Type", "application/merge-patch+json")))
			require.Equal(t, test.status, p.Status)
			require.Equal(t, test.want, complaints(p))
		})
	}
}

func TestMergePatchMediaType(t *testing.T) {
	t.Parallel()
	b := patchRouter(t, currentSample())
	require.Equal(t, 200, b.serve(request("PATCH", "/api/v1/samples/1", `{}`, "Content-Type", "application/json")).Code)
	p := problemIn(t, b.serve(request("PATCH", "/api/v1/samples/1", `{}`, "Content-Type", "application/json-patch+json")))
	require.Equal(t, apperr.MediaType, p.Code)
}

// TestMergePatchKeepsTheRest: members that a patch does not name keep their exact value, for any text.
func TestMergePatchKeepsTheRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		before, other := drawSample(r), drawSample(r)
		patch, err := json.Marshal(map[string]any{"name": other.Name, "count": other.Count, "codes": other.Codes})
		require.NoError(r, err)
		after, err := MergePatch[sample]{Raw: patch}.Apply(before, nil)
		require.NoError(r, err)
		before.Name, before.Count, before.Codes = other.Name, other.Count, other.Codes
		require.Equal(r, before, after)
	})
}

// rfc7396 is the pseudo code of RFC 7396, section 2, for comparison.
func rfc7396(r *rapid.T, target, patch jsontext.Value) jsontext.Value {
	if patch.Kind() != jsontext.KindBeginObject {
		return patch
	}
	members, changes := map[string]jsontext.Value{}, map[string]jsontext.Value{}
	if target.Kind() == jsontext.KindBeginObject {
		require.NoError(r, json.Unmarshal(target, &members))
	}
	require.NoError(r, json.Unmarshal(patch, &changes))
	for name, change := range maps.All(changes) {
		if change.Kind() == jsontext.KindNull {
			delete(members, name)
			continue
		}
		members[name] = rfc7396(r, members[name], change)
	}
	merged, err := json.Marshal(members)
	require.NoError(r, err)
	return merged
}

func TestMergePatchFollowsTheRFC(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		before := drawSample(r)
		patch := jsontext.Value(rapid.SampledFrom([]string{
			`{}`, `{"note":null,"hint":null}`, `{"address":{"unit":null}}`, `{"address":{"street":"x"}}`, `{"address":null}`,
			`{"codes":[]}`, `{"codes":[{"system":"","display":null}]}`, `{"labels":{"a":"b"}}`, `{"any":{"x":{"y":null}}}`,
			`{"any":[1,2]}`, `{"created_at":null,"ratio":1.50}`,
		}).Draw(r, "patch"))
		current, err := json.Marshal(before)
		require.NoError(r, err)
		var want sample
		require.NoError(r, json.Unmarshal(rfc7396(r, current, patch), &want))
		got, err := MergePatch[sample]{Raw: patch}.Apply(before, nil)
		require.NoError(r, err)
		require.Equal(r, want, got)
	})
}
