package handler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"novamind/handler"
	"novamind/internal/audit"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// long says whether 20,000 requests are sent, rather than 300.
var long = os.Getenv("NOVAMIND_TEST_LONG") != ""

// requestsOfACheck is the number of requests of each of rapid's 100 checks. The short form makes 20 checks.
func requestsOfACheck() int {
	n := 3
	if long {
		n = 200
	}
	if testing.Short() {
		n *= 5
	}
	return n
}

// strayID is the id of no row. Like the canary, it must not appear in errors.
const strayID = "01890a5d-ac96-774b-bcce-ca0a21ca0a21"

// Requests that match the document, or nearly match it, get answers that the document describes. No answer is a fault
// of the server, no error repeats the request's values, and the log holds none of them.
func TestRequestsOfTheDocument(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		f := newFuzzer(s)
		rapid.Check(t, func(r *rapid.T) {
			logged := len(s.log.String())
			for range requestsOfACheck() {
				f.send(r)
			}
			require.NoError(t, repository.NewSequencer(s.store).Drain(t.Context()))
			if log := strings.ToLower(s.log.String()[logged:]); strings.Contains(log, strings.ToLower(canary)) {
				at := strings.Index(log, strings.ToLower(canary))
				r.Fatalf("the log tells what was submitted: %s", log[max(0, at-200):min(len(log), at+100)])
			}
		})
		f.report()
	})
}

// fuzzer draws requests from the document, and sends them.
type fuzzer struct {
	*stack

	contract   *contract
	operations []fuzzed
	schemas    map[string]any
	ids        map[string][]string // of existing rows, by the noun of their path
	own        map[string][]string // the last paths made for an operation, by its method and path
	me         caller              // with every role, under the name everything
	callers    map[string]string   // tokens
	names      []string            // of callers
	emails     map[string]string   // of the callers' accounts
	hash       string              // of the password of every caller
	made, sent int                 // the numbers of accounts and requests
	statuses   map[string]map[int]int
}

// fuzzed is an operation of the document.
type fuzzed struct {
	method, path string
	parameters   []any
	body         map[string]any   // the schema, if there is one
	media        string           // of the body
	known        []map[string]any // bodies that are known to be accepted, or nearly so
}

func newFuzzer(s *stack) *fuzzer {
	s.t.Helper()
	f := &fuzzer{
		stack: s, ids: map[string][]string{}, own: map[string][]string{}, callers: map[string]string{}, emails: map[string]string{},
		statuses: map[string]map[int]int{},
	}
	var err error
	f.contract, err = served()
	require.NoError(s.t, err)
	admin, err := repository.NewAccountRepository(s.store).ByEmail(s.t.Context(), "all@example.org")
	require.NoError(s.t, err)
	f.hash = admin.PasswordHash
	f.names = append([]string{"everything", "nobody", "first login", "machine", "none", "stranger"}, service.Roles()...)
	f.readDocument()
	for line, rule := range matrix {
		method, pattern := routeOf(line)
		f.know(method, pattern, rule.body)
	}
	for _, name := range f.names {
		f.renew(name)
	}
	return f
}

// furnish makes rows for requests, for the caller with every role.
func (f *fuzzer) furnish() {
	f.t.Helper()
	mine := f.as(f.callers["everything"])
	f.own = map[string][]string{}
	for line, rule := range matrix {
		if method, pattern := routeOf(line); rule.path != nil {
			f.learn(method, documented(pattern), rule.path(mine, f.me))
		}
	}
	for pattern, change := range changes {
		one := change(mine, f.me)
		f.learn(http.MethodPost, documented(pattern), one.path)
		f.know(http.MethodPost, pattern, one.body)
	}
	f.keep("practitioners", f.me.id.String())
}

// know stores up to 5 bodies of an operation.
func (f *fuzzer) know(method, pattern, text string) {
	var body map[string]any
	for i := range f.operations {
		op := &f.operations[i]
		known := op.method == method && op.path == documented(pattern) && json.Unmarshal([]byte(text), &body) == nil
		if known && len(op.known) < 5 {
			op.known = append(op.known, body)
		}
	}
}

func (f *fuzzer) readDocument() {
	f.t.Helper()
	printed, err := handler.OpenAPI()
	require.NoError(f.t, err)
	var document struct {
		Paths map[string]map[string]struct {
			Parameters  []any
			RequestBody struct {
				Content map[string]struct{ Schema map[string]any }
			}
		}
		Components struct{ Schemas map[string]any }
	}
	require.NoError(f.t, json.Unmarshal(printed, &document))
	f.schemas = document.Components.Schemas
	for path, methods := range document.Paths {
		for method, described := range methods {
			op := fuzzed{method: strings.ToUpper(method), path: path, parameters: described.Parameters}
			for media, content := range described.RequestBody.Content {
				op.media, op.body = max(media, op.media), content.Schema // a merge patch if the operation takes one
			}
			f.operations = append(f.operations, op)
		}
	}
	slices.SortFunc(f.operations, func(a, b fuzzed) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	require.NotEmpty(f.t, f.operations)
}

// renew logs a caller in again, or makes a new caller, because requests end sessions, disable accounts and change
// passwords.
func (f *fuzzer) renew(name string) {
	f.t.Helper()
	again := f.as("").do("POST", "/api/v1/auth/login", `{"email":"`+f.emails[name]+`","password":"`+password+`"}`)
	if again.status == http.StatusOK {
		f.callers[name], _ = again.at("token").(string)
		if name == "everything" {
			f.me.token = f.callers[name]
		}
		return
	}
	switch name {
	case "everything":
		f.me = f.account(name, false, service.Roles()...)
		f.furnish()
	case "nobody":
		f.account(name, false)
	case "first login":
		f.account(name, true, service.Roles()...)
	case "machine":
		f.callers[name] = f.stack.machine().token
	case "none":
		f.callers[name] = ""
	case "stranger":
		f.callers[name] = canary
	default:
		f.account(name, false, name)
	}
}

// account makes an account for a caller.
func (f *fuzzer) account(name string, first bool, roles ...string) caller {
	f.t.Helper()
	f.made++
	f.emails[name] = fmt.Sprintf("caller-%d@example.org", f.made)
	a := &models.Account{
		Email: f.emails[name], Name: "Caller", Roles: roles, PasswordHash: f.hash, MustChangePassword: first,
	}
	require.NoError(f.t, f.store.InTx(audit.System(f.t.Context(), "test"), func(ctx context.Context) error {
		return repository.NewAccountRepository(f.store).Create(ctx, a)
	}))
	f.callers[name] = f.login(f.emails[name])
	return caller{a.ID, f.callers[name]}
}

// learn stores a path that was made for an operation, and its ids.
func (f *fuzzer) learn(method, template, path string) {
	path, _, _ = strings.Cut(path, "?")
	f.own[method+" "+template] = append(f.own[method+" "+template], path)
	segments := strings.Split(path, "/")
	for i, segment := range strings.Split(template, "/") {
		if strings.HasPrefix(segment, "{") {
			f.keep(segments[i-1], segments[i])
		}
	}
}

// keep stores up to 40 ids of a noun: the newest.
func (f *fuzzer) keep(noun, id string) {
	f.ids[noun] = append(f.ids[noun], id)
	f.ids[noun] = f.ids[noun][max(0, len(f.ids[noun])-40):]
}

// send draws a request, sends it, and checks the answer.
func (f *fuzzer) send(r *rapid.T) {
	if f.sent++; f.sent%500 == 0 {
		f.renew("everything")
		f.furnish()
	}
	op := f.operations[rapid.IntRange(0, len(f.operations)-1).Draw(r, "operation")]
	who := "everything"
	if oneIn(r, 3, "another caller") {
		who = rapid.SampledFrom(f.names).Draw(r, "caller")
	}
	path := f.path(r, op) + f.query(r, op)
	headers := f.headers(r, op)
	body := f.text(r, op)
	if made := f.own[op.method+" "+op.path]; len(made) > 0 && oneIn(r, 6, "made for it") {
		who, path = "everything", rapid.SampledFrom(made).Draw(r, "path")
		headers, body = []string{"If-Match: *"}, ""
		if len(op.known) > 0 {
			text, err := json.Marshal(f.known(r, op))
			require.NoError(r, err)
			headers, body = append(headers, "Content-Type: "+op.media), string(text)
		}
	}
	reply, err := f.as(f.callers[who]).exchange(op.method, path, body, headers...)
	if err != nil {
		r.Fatalf("%s %s as %s, %v, %.2000s: %v", op.method, path, who, headers, body, err)
	}
	if fault := f.fault(op, reply); fault != "" {
		r.Fatalf("%s: %s %s as %s, %v, %.2000s: %d %s", fault, op.method, path, who, headers, body, reply.status, reply.text)
	}
	name := op.method + " " + op.path
	if f.statuses[name] == nil {
		f.statuses[name] = map[int]int{}
	}
	f.statuses[name][reply.status]++
	const unknown = http.StatusUnauthorized
	if reply.status == unknown && f.as(f.callers[who]).do("GET", "/api/v1/auth/me", "").status == unknown {
		f.renew(who)
	}
	if id, ok := reply.at("id").(string); ok && reply.status == http.StatusCreated {
		f.keep(strings.Split(op.path, "/")[3], id)
	}
}

// fault describes an answer that is never allowed, even if the document describes it; "" if there is no fault.
func (*fuzzer) fault(op fuzzed, r reply) string {
	if r.status < http.StatusBadRequest {
		return ""
	}
	if r.status >= http.StatusInternalServerError && op.path != "/readyz" {
		return "a fault of the server"
	}
	said := strings.ToLower(r.text)
	for _, values := range r.header {
		said += strings.ToLower(strings.Join(values, " "))
	}
	for _, submitted := range []string{strings.ToLower(canary), strayID, strconv.Itoa(canaryNumber)} {
		if strings.Contains(said, submitted) {
			return "what was submitted is repeated"
		}
	}
	return ""
}

// unreachable are operations that random requests complete only by luck. They need a secret, the id of the caller's
// own session, the patient of that very appointment, or a time in the next year.
var unreachable = []string{
	"POST /api/v1/auth/password", "POST /api/v1/auth/recovery-codes", "POST /api/v1/auth/redeem",
	"POST /api/v1/auth/totp", "POST /api/v1/auth/totp/confirm", "POST /api/v1/auth/totp/disable",
	"DELETE /api/v1/auth/sessions/{id}", "PUT /api/v1/appointments/{id}", "POST /api/v1/api-keys",
}

// report logs the numbers of answers. In the long form, all other operations must have succeeded, or the requests
// prove little.
func (f *fuzzer) report() {
	f.t.Helper()
	total := map[int]int{}
	var never []string
	for _, op := range f.operations {
		succeeded := false
		for status, n := range f.statuses[op.method+" "+op.path] {
			total[status] += n
			succeeded = succeeded || status < http.StatusBadRequest
		}
		if !succeeded {
			never = append(never, op.method+" "+op.path)
			f.t.Logf("%s %s never succeeded: %v", op.method, op.path, f.statuses[op.method+" "+op.path])
		}
	}
	f.t.Logf("statuses: %v", total)
	if long {
		require.Subset(f.t, unreachable, never)
	}
}

// oneIn is true once in n draws. When rapid shrinks a draw, it becomes false.
func oneIn(r *rapid.T, n int, label string) bool { return rapid.IntRange(0, n-1).Draw(r, label) == n-1 }

func (f *fuzzer) path(r *rapid.T, op fuzzed) string {
	segments := strings.Split(op.path, "/")
	for i, segment := range segments {
		if !strings.HasPrefix(segment, "{") {
			continue
		}
		if oneIn(r, 8, "odd path") {
			odd := []string{
				strayID, canary, strings.ToUpper(strayID), "%00", "..%2f", "%ff", "%20", "2024-W99", strings.Repeat("x", 300),
			}
			segments[i] = rapid.SampledFrom(odd).Draw(r, "odd id")
		} else {
			segments[i] = f.id(r, segments[i-1])
		}
	}
	return strings.Join(segments, "/")
}

// id draws the id of an existing row, mostly of that noun.
func (f *fuzzer) id(r *rapid.T, noun string) string {
	if ids := f.ids[noun]; len(ids) > 0 && !oneIn(r, 12, "another noun") {
		return ids[rapid.IntRange(0, len(ids)-1).Draw(r, "id")]
	}
	return rapid.SampledFrom(append([]string{strayID}, f.ids["patients"]...)).Draw(r, "any id")
}

func (f *fuzzer) query(r *rapid.T, op fuzzed) string {
	if oneIn(r, 40, "broken query") {
		broken := []string{"?%zz", "?" + canary + "=%ff", "?;=" + canary, "?" + canary, "?&&", "?%00=1"}
		return rapid.SampledFrom(broken).Draw(r, "query")
	}
	values := url.Values{}
	for _, parameter := range op.parameters {
		p, _ := parameter.(map[string]any)
		name, _ := p["name"].(string)
		if p["in"] != "query" || !oneIn(r, 6, name) || name == "cursor" && !oneIn(r, 4, "really") {
			continue
		}
		schema, _ := p["schema"].(map[string]any)
		values.Add(name, printed(f.value(r, name, schema, 0)))
		if oneIn(r, 6, "odd value") {
			values.Set(name, printed(f.odd(r)))
		}
		if oneIn(r, 20, "repeated") {
			values.Add(name, canary)
		}
	}
	if oneIn(r, 20, "unknown parameter") {
		values.Add(rapid.SampledFrom([]string{canary, "Limit", "id", "", "limit[]"}).Draw(r, "parameter"), canary)
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// printed returns a value in the form of a query.
func printed(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return canary
	}
	return strings.Trim(string(text), `"`)
}

func (f *fuzzer) headers(r *rapid.T, op fuzzed) []string {
	var out []string
	add := func(name string, n int, values ...string) {
		if oneIn(r, n, name) {
			out = append(out, name+": "+rapid.SampledFrom(values).Draw(r, name))
		}
	}
	if !oneIn(r, 8, "other condition") {
		out = append(out, "If-Match: *")
	} else {
		add("If-Match", 2, `"1"`, `"99"`, `W/"1"`, canary, `"`+canary+`"`, `*, "1"`, `"1`, "")
	}
	add("If-None-Match", 8, `"1"`, "*", canary, `W/"1", "`+canary+`"`)
	add("Idempotency-Key", 4, "1", "2", canary, "é"+canary, strings.Repeat("x", 256))
	add("X-Purpose-Of-Use", 12, "TREAT", canary)
	add("X-Request-Id", 12, "mine", canary+" x", strings.Repeat("x", 200))
	add("Accept", 12, "text/html", canary, "application/xml")
	if op.media != "" {
		out = append(out, "Content-Type: "+op.media)
	}
	add("Content-Type", 20, "text/plain", canary, "application/json; charset="+canary, "application/merge-patch+json")
	add("Content-Encoding", 60, "gzip", canary)
	return out
}

// text draws a body: a body that fits the schema or a known one, often with a fault added.
func (f *fuzzer) text(r *rapid.T, op fuzzed) string {
	if op.body == nil && len(op.known) == 0 {
		return rapid.SampledFrom([]string{"", "", "", "", "", `{}`, canary, `{"` + canary + `":1}`}).Draw(r, "no body")
	}
	var body any
	if op.body == nil || len(op.known) > 0 && oneIn(r, 3, "known") {
		body = f.known(r, op)
	} else {
		body = f.value(r, "", op.body, 0)
	}
	if oneIn(r, 3, "fault") {
		body = f.spoilt(r, body)
	}
	text, err := json.Marshal(body)
	if err != nil {
		r.Fatalf("%v", err)
	}
	if oneIn(r, 10, "broken") {
		return f.broken(r, string(text))
	}
	return string(text)
}

// known draws a known body of an operation, with ids of existing rows.
func (f *fuzzer) known(r *rapid.T, op fuzzed) any {
	return f.copied(r, "", rapid.SampledFrom(op.known).Draw(r, "known body"))
}

// broken draws a text that may no longer be JSON.
func (*fuzzer) broken(r *rapid.T, text string) string {
	twice := `{"` + canary + `":1,"` + canary + `":2,`
	if first, _, ok := strings.Cut(text, ":"); ok {
		twice = first + `:"` + canary + `",` // the first member twice
	}
	return rapid.SampledFrom([]string{
		"", " ", text[:len(text)/2], text + text, text + canary, "\ufeff" + text, "[" + text + "]", `"` + canary + `"`,
		"null", "7",
		twice + strings.TrimPrefix(text, "{"), strings.ReplaceAll(text, `:"`, `:"`+canary+"\xff"),
		strings.ReplaceAll(text, `:"`, `:"`+canary+`\ud800`), strings.ReplaceAll(text, `:"`, `:"`+canary+"\x00"),
		strings.Repeat("[", 10000) + strings.Repeat("]", 10000),
		strings.Repeat(`{"`+canary+`":`, 2000) + "1" + strings.Repeat("}", 2000),
		`{"` + canary + `":"` + strings.Repeat("x", 2<<20) + `"}`,
	}).Draw(r, "broken body")
}

// copied returns a copy of a known body, with ids of existing rows.
func (f *fuzzer) copied(r *rapid.T, name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, inner := range sortedNames(v) {
			out[inner] = f.copied(r, inner, v[inner])
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = f.copied(r, name, inner)
		}
		return out
	default:
		if noun := nouns[name]; noun != "" {
			return f.id(r, noun)
		}
		return v
	}
}

// place is the place of a value in a body.
type place struct {
	in   map[string]any
	name string
}

func places(v any) []place {
	var out []place
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedNames(v) {
			out = append(append(out, place{v, name}), places(v[name])...)
		}
	case []any:
		for _, inner := range v {
			out = append(out, places(inner)...)
		}
	}
	return out
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// spoilt removes a member, adds one, or replaces one with an odd value.
func (f *fuzzer) spoilt(r *rapid.T, body any) any {
	all := places(body)
	if len(all) == 0 || oneIn(r, 20, "all of it") {
		return f.odd(r)
	}
	at := rapid.SampledFrom(all).Draw(r, "place")
	switch rapid.IntRange(0, 5).Draw(r, "kind of fault") {
	case 0:
		delete(at.in, at.name)
	case 1:
		extra := []string{canary, "id", "version", strings.ToUpper(at.name), "__proto__", at.name + "\u0000", ""}
		at.in[rapid.SampledFrom(extra).Draw(r, "extra")] = f.odd(r)
	default:
		at.in[at.name] = f.odd(r)
	}
	return body
}

// canaryNumber, like the canary, must not appear in errors.
const canaryNumber = 8675309867

// odd draws a value that few members accept.
func (*fuzzer) odd(r *rapid.T) any {
	return rapid.SampledFrom([]any{
		nil, true, canaryNumber, -1, 0, 1.5,
		json.RawMessage("1e400"), json.RawMessage("9223372036854775808"), json.RawMessage("-0"),
		"", " ", canary, strayID, "null", "é" + canary, canary + "\u202e", "\u200d" + canary, canary + "\u0000",
		canary + "\n\t", "\u3164", "a\u0300\u0301\u0302" + canary, "\U0001f468\u200d\U0001f469" + canary,
		"\ufffd" + canary, "ﷺ" + canary, "İ" + canary, "ſ" + canary,
		canary + strings.Repeat("x", 201), canary + strings.Repeat("é", 255), strings.Repeat(canary, 20000),
		"' OR 1=1 --" + canary, "%" + canary, `\` + canary,
		"1899-12-31", "1980-02-30", "9999-12-31T23:59:59Z", "0000-01-01", "2035-03-05T09:00:00-99:00", "2035-03-05",
		"2035-03-05T09:00:60Z", "zcanary@example.org", "zcanary@xn--a.example", "+1 212 555 0100", canary + "@",
		"Europe/" + canary, "FREQ=SECONDLY;COUNT=999999", "javascript:" + canary,
		[]any{},
		map[string]any{},
		[]any{nil},
		[]any{canary},
		map[string]any{canary: canary},
		nested(200),
		strings.Split(strings.Repeat("x", 2000), ""),
	}).Draw(r, "odd")
}

func nested(depth int) any {
	var v any = canary
	for range depth {
		v = []any{v}
	}
	return v
}

// fitting are values of members whose schema is not exact enough: accepted texts that contain the canary.
var fitting = map[string]string{
	"email": "zcanary@example.org", "phone": "(212) 555-0123", "alternative_phone": "(212) 555-0124", "state": "NY",
	"zip_code": "10001", "time_zone": "America/New_York", "rule": "FREQ=WEEKLY;COUNT=2", "date_of_birth": "1980-02-03",
	"video_url": "https://video.example.org/zcanary", "occurred_at": "2024-03-05T10:00:00Z",
}

// nouns maps a member with an id to the noun of that id.
var nouns = map[string]string{
	"patient_id": "patients", "into_id": "patients", "practitioner_id": "practitioners", "account_id": "practitioners",
	"appointment_id": "appointments", "series_id": "appointment-series",
}

// value draws a value that fits a schema.
func (f *fuzzer) value(r *rapid.T, name string, schema map[string]any, depth int) any {
	if ref, ok := schema["$ref"].(string); ok {
		schema, _ = f.schemas[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any)
	}
	if several, ok := schema["anyOf"].([]any); ok {
		one, _ := several[rapid.IntRange(0, len(several)-1).Draw(r, "one of")].(map[string]any)
		return f.value(r, name, one, depth)
	}
	if examples, ok := schema["examples"].([]any); ok && oneIn(r, 2, "example") {
		return rapid.SampledFrom(examples).Draw(r, "example")
	}
	if words, ok := schema["enum"].([]any); ok {
		return rapid.SampledFrom(words).Draw(r, name)
	}
	switch f.kind(r, schema) {
	case "object":
		return f.object(r, schema, depth)
	case "array":
		items, _ := schema["items"].(map[string]any)
		out := make([]any, rapid.IntRange(0, 2).Draw(r, "length"))
		for i := range out {
			out[i] = f.value(r, name, items, depth+1)
		}
		return out
	case "string":
		return f.string(r, name, schema)
	case "boolean":
		return rapid.Bool().Draw(r, name)
	case "integer", "number":
		return rapid.IntRange(0, 60).Draw(r, name)
	case "null":
		return nil
	default:
		return f.odd(r)
	}
}

// kind draws one of the types of a schema.
func (*fuzzer) kind(r *rapid.T, schema map[string]any) string {
	switch kind := schema["type"].(type) {
	case string:
		return kind
	case []any:
		one, _ := rapid.SampledFrom(kind).Draw(r, "type").(string)
		return one
	default:
		return ""
	}
}

func (f *fuzzer) object(r *rapid.T, schema map[string]any, depth int) any {
	out := map[string]any{}
	members, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range sortedNames(members) {
		member, _ := members[name].(map[string]any)
		switch {
		case slices.Contains(required, any(name)):
		case member["readOnly"] == true || depth > 4 || !oneIn(r, 3, name):
			continue
		}
		out[name] = f.value(r, name, member, depth+1)
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok && oneIn(r, 2, "a key") {
		out[canary] = f.value(r, "", values, depth+1)
	}
	return out
}

func (f *fuzzer) string(r *rapid.T, name string, schema map[string]any) string {
	if text, ok := fitting[name]; ok {
		return text
	}
	switch schema["format"] {
	case "uuid":
		return f.id(r, nouns[name])
	case "date":
		return rapid.SampledFrom([]string{"1980-02-03", "2035-03-05", "2024-02-29", "1900-01-01"}).Draw(r, name)
	case "date-time":
		day, hour := rapid.IntRange(1, 28).Draw(r, name), rapid.IntRange(0, 23).Draw(r, "hour")
		return fmt.Sprintf("2035-03-%02dT%02d:00:00Z", day, hour)
	}
	text := rapid.SampledFrom([]string{
		canary, canary + " Ann", "Zoë " + canary, "O'" + canary, canary + "-Ñandú", "\u738b" + canary,
		fmt.Sprint(canary, rapid.Uint16().Draw(r, "number")),
	}).Draw(r, name)
	if limit, ok := schema["maxLength"].(float64); ok && oneIn(r, 6, "as long as may be") {
		text = (text + strings.Repeat("x", int(limit)))[:int(limit)]
		text = strings.ToValidUTF8(text, "")
	}
	return text
}
