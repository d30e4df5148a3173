package web

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"novamind/internal/apperr"
)

type sampleAddress struct {
	Street string  `json:"street"`
	Unit   *string `json:"unit"`
}

type sampleCode struct {
	System  string  `json:"system"`
	Display *string `json:"display"`
}

type sampleTimes struct {
	CreatedAt *time.Time `json:"created_at"`
}

// sample has one member of each kind that requests use.
type sample struct {
	sampleTimes
	Name    string            `json:"name"`
	Active  bool              `json:"active"`
	Count   int64             `json:"count"`
	Ratio   float64           `json:"ratio"`
	Owner   uuid.UUID         `json:"owner"`
	Note    *string           `json:"note"`
	Hint    string            `json:"hint,omitzero"`
	Address *sampleAddress    `json:"address"`
	Codes   []sampleCode      `json:"codes"`
	Labels  map[string]string `json:"labels"`
	Any     any               `json:"any"`
	Hidden  string            `json:"-"`
}

func decodeSample(t testing.TB) *testBundle {
	return one(t, "POST", func(c *gin.Context) error {
		var s sample
		if err := decodeBody(c, &s, nil); err != nil {
			return err
		}
		return WriteJSON(c, 200, s)
	})
}

func postJSON(b *testBundle, body string) *httptest.ResponseRecorder {
	return b.serve(request("POST", "/api/v1/samples/1", body, "Content-Type", "application/json"))
}

func TestDecodeBodyMediaType(t *testing.T) {
	t.Parallel()
	b := decodeSample(t)
	for _, accepted := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"} {
		require.Equal(t, 200, b.serve(request("POST", "/api/v1/samples/1", "{}", "Content-Type", accepted)).Code, accepted)
	}
	for _, refused := range []string{
		"text/plain", "application/json; charset=latin1", "application/json; profile=" + canary, "application/json; profile=utf-8", "application/problem+json",
		"application/merge-patch+json", "application/json, application/json", ";", "",
	} {
		p := problemIn(t, b.serve(request("POST", "/api/v1/samples/1", "{}", "Content-Type", refused)))
		require.Equal(t, apperr.MediaType, p.Code, refused)
		require.Equal(t, 415, p.Status)
	}
	require.Equal(t, 415, b.serve(request("POST", "/api/v1/samples/1", "{}")).Code)
	require.Equal(t, 415, b.serve(request("POST", "/api/v1/samples/1", "{}", "Content-Type", "application/json", "Content-Type", "text/plain")).Code)
	require.Equal(t, 415, b.serve(request("POST", "/api/v1/samples/1", "{}", "Content-Type", "application/json", "Content-Encoding", "gzip")).Code)
}

func TestDecodeBodySize(t *testing.T) {
	t.Parallel()
	b := decodeSample(t)
	fits := `{"name":"` + strings.Repeat("x", 4096-11) + `"}`
	require.Equal(t, 200, postJSON(b, fits).Code)
	p := problemIn(t, postJSON(b, fits+" "))
	require.Equal(t, apperr.TooLarge, p.Code)
	require.Equal(t, 413, p.Status)
}

func TestDecodeBodySyntax(t *testing.T) {
	t.Parallel()
	b := decodeSample(t)
	for name, test := range map[string]struct{ body, want string }{
		"empty":               {"", "empty"},
		"white space":         {" \n", "empty"},
		"not JSON":            {canary, "syntax"},
		"cut off":             {`{"name":"` + canary, "syntax"},
		"cut off in between":  {`{"name":`, "syntax"},
		"trailing comma":      {`{"name":"` + canary + `",}`, "syntax"},
		"single quotes":       {`{'` + canary + `':1}`, "syntax"},
		"comment":             {`{}//` + canary, "trailing_data"},
		"second document":     {`{}{"` + canary + `":1}`, "trailing_data"},
		"stray bracket":       {`{}}`, "trailing_data"},
		"duplicate member":    {`{"name":"a","name":"` + canary + `"}`, "duplicate_member"},
		"duplicate, unknown":  {`{"` + canary + `":1,"` + canary + `":2}`, "duplicate_member"},
		"duplicate, escaped":  {`{"name":"a","n\u0061me":"b"}`, "duplicate_member"},
		"duplicate, inside":   {`{"any":{"` + canary + `":1,"` + canary + `":2}}`, "duplicate_member"},
		"invalid UTF-8":       {`{"name":"` + canary + "\xff" + `"}`, "syntax"},
		"invalid UTF-8, name": {`{"` + canary + "\xc3" + `":1}`, "syntax"},
		"overlong NUL":        {`{"name":"` + "\xc0\x80" + `"}`, "syntax"},
		"lone surrogate":      {`{"name":"` + canary + `\ud800"}`, "syntax"},
		"lone low surrogate":  {`{"name":"\udc00` + canary + `"}`, "syntax"},
		"byte order mark":     {"\ufeff{}", "syntax"},
		"raw control":         {`{"name":"` + canary + "\x01" + `"}`, "syntax"},
		"NaN":                 {`{"ratio":NaN}`, "syntax"},
		"leading zero":        {`{"count":012345}`, "syntax"},
		"33 levels":           {`{"any":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "too_deep"},
		"deep and never shut": {strings.Repeat(`[`, 4000), "too_deep"},
		"deep objects":        {strings.Repeat(`{"`+canary[:4]+`":`, 400), "too_deep"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := problemIn(t, postJSON(b, test.body))
			require.Equal(t, 400, p.Status)
			require.Equal(t, apperr.Malformed, p.Code)
			require.Equal(t, []string{test.want}, complaints(p))
		})
	}
	require.Equal(t, 200, postJSON(b, `{"any":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)+`}`).Code)
}

func TestDecodeBodyMembers(t *testing.T) {
	t.Parallel()
	b := decodeSample(t)
	for name, test := range map[string]struct {
		body string
		want []string
	}{
		"not an object":         {`["` + canary + `"]`, []string{"wrong_type"}},
		"null":                  {`null`, []string{"required"}},
		"unknown":               {`{"` + canary + `":1}`, []string{"unknown_member"}},
		"unknown, said once":    {`{"` + canary + `":1,"b` + canary + `":{"x":[1]}}`, []string{"unknown_member"}},
		"other case":            {`{"NAME":"` + canary + `"}`, []string{"unknown_member"}},
		"the Go name":           {`{"Hidden":"` + canary + `"}`, []string{"unknown_member"}},
		"the dash":              {`{"-":"` + canary + `"}`, []string{"unknown_member"}},
		"the embedded struct":   {`{"sampleTimes":{}}`, []string{"unknown_member"}},
		"unknown, deeper":       {`{"address":{"street":"x","` + canary + `":1}}`, []string{"/address unknown_member"}},
		"unknown, in an array":  {`{"codes":[{},{"` + canary + `":1}]}`, []string{"/codes/1 unknown_member"}},
		"string for number":     {`{"count":"` + canary + `"}`, []string{"/count wrong_type"}},
		"fraction":              {`{"count":1.5}`, []string{"/count wrong_type"}},
		"too large a number":    {`{"count":9223372036854775808}`, []string{"/count wrong_type"}},
		"number for string":     {`{"name":19800203}`, []string{"/name wrong_type"}},
		"string for bool":       {`{"active":"true"}`, []string{"/active wrong_type"}},
		"object for string":     {`{"note":{"` + canary + `":1}}`, []string{"/note wrong_type"}},
		"string for object":     {`{"address":"` + canary + `"}`, []string{"/address wrong_type"}},
		"object for array":      {`{"codes":{"123456789":"` + canary + `"}}`, []string{"/codes wrong_type"}},
		"number for UUID":       {`{"owner":7}`, []string{"/owner wrong_type"}},
		"not a UUID":            {`{"owner":"` + canary + `"}`, []string{"/owner invalid_format"}},
		"not a time":            {`{"created_at":"` + canary + `"}`, []string{"/created_at invalid_format"}},
		"null text":             {`{"name":null}`, []string{"/name required"}},
		"null bool":             {`{"active":null}`, []string{"/active required"}},
		"null UUID":             {`{"owner":null}`, []string{"/owner required"}},
		"null array":            {`{"codes":null}`, []string{"/codes required"}},
		"null element":          {`{"codes":[null]}`, []string{"/codes/0 required"}},
		"null, deeper":          {`{"address":{"street":null}}`, []string{"/address/street required"}},
		"in a map, not by name": {`{"labels":{"` + canary + `":1}}`, []string{"/labels wrong_type"}},
		"control character":     {`{"name":"` + canary + `\u0000"}`, []string{"/name control_character"}},
		"backspace":             {`{"note":"\b"}`, []string{"/note control_character"}},
		"control in any":        {`{"any":[{"a":["\u001f"]}]}`, []string{"/any control_character"}},
		"control in any's name": {`{"any":{"\u0001":1}}`, []string{"/any control_character"}},
		"control in a map key":  {`{"labels":{"\u0001":"x"}}`, []string{"/labels control_character"}},
		"control in a map":      {`{"labels":{"x":"\u0001"}}`, []string{"/labels control_character"}},
		"control in a UUID":     {`{"owner":"\u0001"}`, []string{"/owner control_character"}},
		"control, unknown name": {`{"\u0000":1}`, []string{"unknown_member"}},
		"all of it": {
			`{"name":1,"owner":"` + canary + `","address":{"street":2,"zip":3},"codes":[{"system":null}]}`,
			[]string{"/name wrong_type", "/owner invalid_format", "/address/street wrong_type", "/address unknown_member", "/codes/0/system required"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := problemIn(t, postJSON(b, test.body))
			require.Equal(t, 422, p.Status)
			require.Equal(t, apperr.Invalid, p.Code)
			require.Equal(t, test.want, complaints(p))
		})
	}
}

func TestUnknownMemberSaysWhatIsTaken(t *testing.T) {
	t.Parallel()
	p := problemIn(t, postJSON(decodeSample(t), `{"address":{"`+canary+`":1}}`))
	require.Contains(t, p.Errors[0].Detail, "Allowed are: street, unit.")
}

func TestDecodeBodyAccepts(t *testing.T) {
	t.Parallel()
	b := decodeSample(t)
	for _, body := range []string{
		`{}`, ` {"name":"a\nb\r\n\tc"} `, `{"note":null,"address":null,"any":null,"created_at":null,"hint":null}`,
		`{"name":"\ud83d\ude00"}`, `{"created_at":"2026-01-02T03:04:05Z"}`, `{"labels":{"x":"y"}}`,
	} {
		require.Equal(t, 200, postJSON(b, body).Code, body)
	}
}

func TestComplaintsAreBounded(t *testing.T) {
	t.Parallel()
	p := problemIn(t, postJSON(decodeSample(t), `{"codes":[`+strings.Repeat("0,", 1000)+`0]}`))
	require.Len(t, p.Errors, maxFields)
}

func TestDecodeBodyLeavesTheTargetOnFailure(t *testing.T) {
	t.Parallel()
	kept := sample{Name: "before"}
	b := one(t, "POST", func(c *gin.Context) error { return decodeBody(c, &kept, nil) })
	require.Equal(t, 422, postJSON(b, `{"name":"after","count":"x"}`).Code)
	require.Equal(t, "before", kept.Name)
}

func drawSample(r *rapid.T) sample {
	text := rapid.StringOf(rapid.RuneFrom([]rune("aé世😀\u2028<&\"\\/\n\r\t~ \u007f")))
	optional := rapid.Ptr(text, true)
	return sample{
		Name:    text.Draw(r, "name"),
		Active:  rapid.Bool().Draw(r, "active"),
		Count:   rapid.Int64().Draw(r, "count"),
		Ratio:   rapid.Float64().Draw(r, "ratio"),
		Owner:   uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "owner")),
		Note:    optional.Draw(r, "note"),
		Hint:    text.Draw(r, "hint"),
		Address: rapid.Ptr(rapid.Custom(func(r *rapid.T) sampleAddress { return sampleAddress{text.Draw(r, "street"), optional.Draw(r, "unit")} }), true).Draw(r, "address"),
		Codes:   rapid.SliceOfN(rapid.Custom(func(r *rapid.T) sampleCode { return sampleCode{text.Draw(r, "system"), optional.Draw(r, "display")} }), 1, 3).Draw(r, "codes"),
		Labels:  rapid.MapOfN(text, text, 1, 3).Draw(r, "labels"),
	}
}

func TestDecodeAcceptsWhatEncodingProduced(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		want := drawSample(r)
		body, err := json.Marshal(want)
		require.NoError(r, err)
		var got sample
		require.NoError(r, CheckSyntax(body))
		require.NoError(r, decodeChecked(body, &got, nil))
		require.Equal(r, want, got)
	})
}

func BenchmarkDecode(b *testing.B) {
	body, err := json.Marshal(currentSample())
	require.NoError(b, err)
	for name, body := range map[string][]byte{"sample": body, "deep": []byte(strings.Repeat("[", 10_000))} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var s sample
				if CheckSyntax(body) == nil {
					require.NoError(b, decodeChecked(body, &s, nil))
				}
			}
		})
	}
}

// FuzzDecodeBody replaces every @ of the input with the canary.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		`{"name":"@"}`, `{"@":1}`, `{"name":"@","name":1}`, `{"owner":"@"}`, `{"labels":{"@":1}}`, `{"codes":[{"@":[]}]}`,
		`@`, `{"name":"@\ud800"}`, `{"any":{"@":"\u0000"}}`, `[[[[`, "", `{"address":{"street":"@"}} @`, `{"count":1e999}`,
	} {
		f.Add(seed)
	}
	b := decodeSample(f)
	f.Fuzz(func(t *testing.T, input string) {
		w := postJSON(b, strings.ReplaceAll(input, "@", canary))
		if w.Code != 200 {
			require.Contains(t, []int{400, 413, 422}, w.Code)
			problemIn(t, w)
		}
	})
}

// decodeBody reads the request's JSON body into *into, which changes only on success. No submitted value gets into an
// error. Errors: apperr.MediaType unless the Content-Type is application/json; TooLarge over the limit that limitBody
// set; Malformed for a body that is not one well-formed JSON text (see CheckSyntax); Invalid with every field that
// does not fit T (see checkMembers).
func decodeBody[T any](c *gin.Context, into *T, words Vocabularies) error {
	body, err := readMembers(c, reflect.TypeFor[T](), words, "application/json")
	if err != nil {
		return err
	}
	return Unmarshal(body, into)
}

// readMembers returns a body that passed CheckSyntax and checkMembers of t.
func readMembers(c *gin.Context, t reflect.Type, words Vocabularies, mediaTypes ...string) ([]byte, error) {
	body, err := ReadBody(c, mediaTypes...)
	if err != nil {
		return nil, err
	}
	if err := CheckSyntax(body); err != nil {
		return nil, err
	}
	if fields := checkMembers(body, t, words); len(fields) > 0 {
		return nil, apperr.InvalidFields(fields...)
	}
	return body, nil
}
