package rest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"novamind/internal/apperr"
	"novamind/internal/web"
	"novamind/service"
)

// Description is the text of an OpenAPI document besides the operations.
type Description struct {
	Title, Version, About string
	Contact, License      string
	LicenseID             string // of SPDX
	// Nouns are the tags of the document with their descriptions. The noun of an operation is the first part of its
	// path below /api/v1.
	Nouns [][2]string
}

// system is the noun of operations that are not below /api/v1.
const system = "system"

// noun returns the name of the noun of a pattern. It returns an error for a noun that the description does not have.
func (d Description) noun(pattern string) (string, error) {
	name := system
	if rest, ok := strings.CutPrefix(pattern, "/api/v1/"); ok {
		name, _, _ = strings.Cut(rest, "/")
	}
	if !slices.ContainsFunc(d.Nouns, func(n [2]string) bool { return n[0] == name }) {
		return "", fmt.Errorf("the description has no noun %q", name)
	}
	return name, nil
}

func (d Description) tags() []*huma.Tag {
	tags := make([]*huma.Tag, len(d.Nouns))
	for i, noun := range d.Nouns {
		tags[i] = &huma.Tag{Name: noun[0], Description: noun[1]}
	}
	return tags
}

// Document returns the OpenAPI 3.1 document of operations, as JSON.
func Document(description Description, operations []Operation, words web.Vocabularies) ([]byte, error) {
	d := &describer{newSchemas(words), description}
	document := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: description.Title, Version: description.Version, Description: description.About,
			Contact: &huma.Contact{Name: description.Contact},
			License: &huma.License{Name: description.License, Identifier: description.LicenseID},
		},
		Tags:    description.tags(),
		Servers: []*huma.Server{{URL: "/", Description: "This server"}},
		Components: &huma.Components{
			Schemas: d.registry, Headers: headers,
			SecuritySchemes: map[string]*huma.SecurityScheme{"bearer": {
				Type: "http", Scheme: "bearer", Description: "The token of POST /api/v1/auth/login, or an API key.",
			}},
		},
	}
	ids := map[string]bool{}
	for _, op := range operations {
		described, err := d.operation(op)
		if err == nil && ids[described.OperationID] {
			err = fmt.Errorf("another operation has the summary %q", op.Summary)
		}
		if err != nil {
			return nil, fmt.Errorf("openapi: %s %s: %w", op.Method, op.Pattern, err)
		}
		ids[described.OperationID] = true
		document.AddOperation(described)
	}
	if d.fault != nil {
		return nil, d.fault
	}
	return json.Marshal(document, json.Deterministic(true), jsontext.WithIndent("  "))
}

// placeholder is a path parameter as Gin writes it.
var placeholder = regexp.MustCompile(`:(\w+)`)

// describer makes the document of operations.
type describer struct {
	*schemas

	description Description
}

func (d *describer) operation(op Operation) (*huma.Operation, error) {
	noun, err := d.description.noun(op.Pattern)
	if err != nil {
		return nil, err
	}
	described := &huma.Operation{
		Method: op.Method, Path: placeholder.ReplaceAllString(op.Pattern, "{$1}"),
		Summary: op.Summary, OperationID: operationID(op.Summary), Tags: []string{noun},
		Security: []map[string][]string{}, Responses: map[string]*huma.Response{},
	}
	if op.Access.Login() {
		described.Security = append(described.Security, map[string][]string{"bearer": {}})
	}
	b, err := op.Action.binding(op.Method, d.words)
	if err != nil {
		return nil, err
	}
	d.permissions(described, op)
	described.Parameters = d.parameters(op, b)
	described.RequestBody = d.requestBody(op, b)
	d.responses(described, op, b)
	return described, nil
}

// operationID makes an id of a summary: Show a patient is showPatient.
func operationID(summary string) string {
	words := slices.DeleteFunc(strings.Fields(summary), func(word string) bool {
		return slices.Contains([]string{"a", "an", "the", "of", "that", "is"}, word)
	})
	for i, word := range words {
		if i == 0 {
			words[i] = strings.ToLower(word[:1]) + word[1:]
		} else {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// logins describes the access of operations that need no permission.
var logins = map[web.Access]string{
	web.Open:       "Needs no login.",
	web.Public:     "Needs no login. The number of requests from each address is limited.",
	web.FirstLogin: "Needs the login of a person, but works before the first password is changed or a required second factor is enrolled.",
	web.Own:        "Needs a login or an API key, but no permission.",
}

func (*describer) permissions(described *huma.Operation, op Operation) {
	if len(op.Needs) == 0 {
		described.Description = logins[op.Access]
		return
	}
	described.Extensions = map[string]any{"x-permission": op.permissions()}
	var lines []string
	when := map[service.Permission]string{}
	for _, need := range op.Needs {
		if need.When != "" {
			when[need.Permission] = need.When
			described.Extensions["x-permission-when"] = when
		}
		line := "Needs the permission `" + string(need.Permission) + "` " + need.When
		lines = append(lines, strings.TrimSuffix(line, " ")+".")
	}
	described.Description = strings.Join(lines, " ")
}

func (d *describer) parameters(op Operation, b *Binding) []*huma.Param {
	var out []*huma.Param
	header := func(name, description string, required bool) {
		out = append(out, &huma.Param{
			Name: name, In: "header", Description: description, Required: required,
			Schema: &huma.Schema{Type: huma.TypeString},
		})
	}
	for _, p := range b.parameters {
		if p.in == "header" {
			continue
		}
		out = append(out, d.parameter(p))
	}
	if op.conditional(b) {
		header("If-Match", "The ETag of the version you read, or * for any version.", true)
	}
	if op.Revalidates() {
		header("If-None-Match", "The ETag of an answer you have. If it is unchanged, the answer is 304.", false)
	}
	if op.Action.repeats {
		header("Idempotency-Key", "A key of your choice. A repeated request with the same key within 24 hours returns the first result and changes nothing.", false)
	}
	return out
}

// parameter describes a parameter of the path or the query. Several values have commas between them.
func (d *describer) parameter(p parameter) *huma.Param {
	schema := d.tagged(d.of(p.field.Type, web.Requested), p.field.Tag)
	out := &huma.Param{Name: p.name, In: p.in, Description: schema.Description, Required: p.in == "path", Schema: schema}
	schema.Description = ""
	if schema.Type == huma.TypeArray {
		out.Style, out.Explode = "form", new(false)
		schema.MinItems, schema.MaxItems = new(1), new(web.MaxValues)
		if schema.Items.Enum == nil {
			for _, value := range p.values {
				schema.Items.Enum = append(schema.Items.Enum, value)
			}
		}
	}
	return out
}

// Revalidates reports whether an operation answers 304 if If-None-Match names the present version.
func (op Operation) Revalidates() bool {
	return op.Method == http.MethodGet && (op.Action.Versioned || op.Action.digested(op.Pattern))
}

// conditional reports whether an operation takes If-Match.
func (op Operation) conditional(b *Binding) bool {
	return op.Action.Body != nil ||
		slices.ContainsFunc(b.parameters, func(p parameter) bool { return p.in == "header" })
}

func (d *describer) requestBody(op Operation, b *Binding) *huma.RequestBody {
	body := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	switch {
	case op.Action.Body != nil && op.Method == http.MethodPatch:
		patch := &huma.MediaType{Schema: d.of(op.Action.Body, web.Patched)}
		body.Content[web.MergePatchType], body.Content["application/json"] = patch, patch
	case op.Action.Body != nil:
		body.Content["application/json"] = &huma.MediaType{Schema: d.of(op.Action.Body, web.Requested)}
	case b.body:
		body.Content["application/json"] = &huma.MediaType{Schema: d.of(op.Action.Request, web.Requested)}
	default:
		return nil
	}
	return body
}

// responses describes the answer, and a problem for each status of the operation's errors.
func (d *describer) responses(described *huma.Operation, op Operation, b *Binding) {
	ok := &huma.Response{Description: op.Summary + ".", Headers: HeadersOf(op)}
	switch {
	case op.Action.status == http.StatusNoContent:
	case op.Action.Answer == nil:
		ok.Content = map[string]*huma.MediaType{op.Action.Media: {Schema: rawSchema(op.Action.Media)}}
	default:
		ok.Content = map[string]*huma.MediaType{op.Action.Media: {Schema: d.of(op.Action.Answer, web.Answered)}}
	}
	described.Responses[strconv.Itoa(op.Action.status)] = ok
	if op.Revalidates() {
		described.Responses["304"] = &huma.Response{Description: "Not modified.", Headers: HeadersOf(op)}
	}
	for status, codes := range maps.All(byStatus(op.codes(b))) {
		described.Responses[strconv.Itoa(status)] = d.problem(status, codes)
	}
}

// rawSchema describes the answer of a raw action: text, or JSON of any form.
func rawSchema(media string) *huma.Schema {
	if strings.HasPrefix(media, "text/") {
		return &huma.Schema{Type: huma.TypeString}
	}
	return &huma.Schema{}
}

// headers are the headers of answers. A required one is in each answer that lists it.
var headers = map[string]*huma.Header{
	"X-Request-Id":     header("The id of the request, which is also in the log of the server.", true),
	"Cache-Control":    header("Whether caches may keep the answer: no-store, or no-cache for the files of web pages.", true),
	"ETag":             header("The version of the answer. Send it in If-Match to change the resource, or in If-None-Match to read it again.", false),
	"Location":         header("The path of the new resource.", true),
	"Link":             header(`The next page, if there is one, with rel="next" (RFC 8288).`, false),
	"Retry-After":      header("The number of seconds to wait before the next attempt.", true),
	"WWW-Authenticate": header("The authentication scheme to use.", true),
}

func header(description string, required bool) *huma.Header {
	return &huma.Header{Description: description, Required: required, Schema: &huma.Schema{Type: huma.TypeString}}
}

// HeadersOf describes the headers of an answer that is not a problem.
func HeadersOf(op Operation) map[string]*huma.Header {
	out := referred("X-Request-Id")
	when := func(holds bool, name string) {
		if holds {
			maps.Copy(out, referred(name))
		}
	}
	when(strings.HasPrefix(op.Pattern, "/api/") || op.Action.Versioned, "Cache-Control")
	when(op.Action.Tagged || op.Revalidates(), "ETag")
	when(op.Action.located, "Location")
	when(op.Action.pages && op.Method == http.MethodGet, "Link")
	return out
}

// headersOfProblem describes the headers of a problem, which no cache keeps.
func headersOfProblem(status int) map[string]*huma.Header {
	switch status {
	case http.StatusUnauthorized:
		return referred("X-Request-Id", "Cache-Control", "WWW-Authenticate")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return referred("X-Request-Id", "Cache-Control", "Retry-After")
	default:
		return referred("X-Request-Id", "Cache-Control")
	}
}

func referred(names ...string) map[string]*huma.Header {
	out := map[string]*huma.Header{}
	for _, name := range names {
		out[name] = &huma.Header{Ref: "#/components/headers/" + name}
	}
	return out
}

func (d *describer) problem(status int, codes []apperr.Code) *huma.Response {
	words := make([]any, len(codes))
	titles := make([]string, len(codes))
	for i, code := range codes {
		words[i], titles[i] = code, web.ProblemKinds[code].Title+" (`"+string(code)+"`)"
	}
	return &huma.Response{
		Description: strings.Join(titles, ", ") + ".", Headers: headersOfProblem(status),
		Content: map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{AllOf: []*huma.Schema{
			d.of(reflect.TypeFor[web.Problem](), web.Answered),
			{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"code": {Type: huma.TypeString, Enum: words}}},
		}}}},
	}
}

func byStatus(codes []apperr.Code) map[int][]apperr.Code {
	out := map[int][]apperr.Code{}
	for _, code := range codes {
		status := web.ProblemKinds[code].Status
		out[status] = append(out[status], code)
	}
	return out
}

// codes lists the error codes of an operation: the codes of its row, and the codes that follow from the other columns.
func (op Operation) codes(b *Binding) []apperr.Code {
	codes := append([]apperr.Code{apperr.Internal}, op.Errors...)
	when := func(holds bool, more ...apperr.Code) {
		if holds {
			codes = append(codes, more...)
		}
	}
	hasBody := b.body || op.Action.Body != nil
	when(op.Access != web.Open, apperr.RateLimited, apperr.Unavailable, apperr.AuditUnavailable)
	when(op.Access.Login(), apperr.Unauthenticated, apperr.Malformed)
	when(op.Access == web.Session || op.Access == web.Own, apperr.PasswordChange, apperr.TOTPDue)
	when(len(op.Needs) > 0, apperr.Forbidden, apperr.Unreadable)
	when(!b.lenient, apperr.Malformed, apperr.Invalid)
	when(hasBody, apperr.MediaType, apperr.TooLarge)
	when(strings.Contains(op.Pattern, ":"), apperr.NotFound)
	when(op.conditional(b), apperr.PreconditionNeeded, apperr.Stale)
	when(op.Action.repeats, apperr.KeyReused, apperr.NotFound)
	slices.SortFunc(codes, func(a, b apperr.Code) int {
		return cmp.Or(cmp.Compare(web.ProblemKinds[a].Status, web.ProblemKinds[b].Status), cmp.Compare(a, b))
	})
	return slices.Compact(codes)
}
