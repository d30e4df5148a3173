package handler_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	validation "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/responses"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/stretchr/testify/require"

	"novamind/handler"
)

// contract is the OpenAPI document of the program; stack.do checks every answer against it. Its copy of the document
// is stricter than the document: an answer may have only described members. Clients are told to ignore other members,
// so that an added member breaks none of them.
type contract struct {
	routes    map[string]*v3.PathItem // by their path in the form of the document
	responses responses.ResponseBodyValidator
	problem   *base.Schema
	options   config.Option
}

// served is made once, because compiling the schemas takes longer than many tests.
var served = sync.OnceValues(newContract)

func newContract() (*contract, error) {
	printed, err := handler.OpenAPI()
	if err != nil {
		return nil, err
	}
	strict, err := closed(printed)
	if err != nil {
		return nil, err
	}
	document, err := libopenapi.NewDocument(strict)
	if err != nil {
		return nil, err
	}
	model, err := document.BuildV3Model()
	if err != nil {
		return nil, err
	}
	options := config.NewValidationOptions(config.WithFormatAssertions(), config.WithContentAssertions())
	shared := config.WithExistingOpts(options)
	c := &contract{
		routes: map[string]*v3.PathItem{}, options: shared,
		responses: validator.NewValidatorFromV3Model(&model.Model, shared).GetResponseBodyValidator(),
		problem:   model.Model.Components.Schemas.GetOrZero("Problem").Schema(),
	}
	maps.Insert(c.routes, model.Model.Paths.PathItems.FromOldest())
	return c, nil
}

// closed returns the document with types that allow only their described members.
func closed(document []byte) ([]byte, error) {
	var whole map[string]any
	if err := json.Unmarshal(document, &whole); err != nil {
		return nil, err
	}
	components, _ := whole["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for _, schema := range schemas {
		if members, _ := schema.(map[string]any); members["properties"] != nil {
			members["additionalProperties"] = false
		}
	}
	return json.Marshal(whole)
}

// check returns an error that names each difference between an answer and the document.
func (c *contract) check(request *http.Request, response *http.Response, body []byte) error {
	path := c.route(request.Method, request.URL.Path)
	operation := operationOf(c.routes[path], request.Method)
	if operation == nil {
		return c.checkUnrouted(request, response, body)
	}
	described := operation.Responses.Codes.GetOrZero(strconv.Itoa(response.StatusCode))
	if described == nil {
		return fmt.Errorf("status %d is not described", response.StatusCode)
	}
	var faults []error
	known := slices.Clone(unsaid)
	for name := range described.Headers.FromOldest() {
		known = append(known, http.CanonicalHeaderKey(name))
	}
	for name := range response.Header {
		if !slices.Contains(known, name) {
			faults = append(faults, fmt.Errorf("the header %s is not described", name))
		}
	}
	if described.Content == nil && len(body) > 0 {
		faults = append(faults, errors.New("no body is described"))
	}
	withBody := *response
	withBody.Body = io.NopCloser(bytes.NewReader(body))
	_, found := c.responses.ValidateResponseBodyWithPathItem(request, &withBody, c.routes[path], path)
	return errors.Join(append(faults, plain(found)...)...)
}

// unsaid are general headers of answers that the document does not describe, because they say nothing about a
// resource.
var unsaid = []string{
	"Content-Encoding", "Content-Length", "Content-Type", "Date", "Transfer-Encoding", "Connection", "Vary",
	"X-Content-Type-Options", "X-Frame-Options", "Cross-Origin-Resource-Policy", "Cross-Origin-Opener-Policy",
	"Permissions-Policy", "Referrer-Policy", "Content-Security-Policy",
}

// checkUnrouted checks the answer to a request without an operation in the document.
func (c *contract) checkUnrouted(request *http.Request, response *http.Response, body []byte) error {
	if response.StatusCode != http.StatusNotFound && response.StatusCode != http.StatusMethodNotAllowed {
		return errors.New("the route is not described")
	}
	return c.checkProblem(request, response, body)
}

func (c *contract) checkProblem(request *http.Request, response *http.Response, body []byte) error {
	if kind := response.Header.Get("Content-Type"); kind != "application/problem+json" {
		return fmt.Errorf("an error of the type %s", kind)
	}
	withBody := *response
	withBody.Body = io.NopCloser(bytes.NewReader(body))
	_, found := responses.ValidateResponseSchema(&responses.ValidateResponseSchemaInput{
		Request: request, Response: &withBody, Schema: c.problem, Version: 3.1, Options: []config.Option{c.options},
	})
	return errors.Join(plain(found)...)
}

// plain returns the errors with all their details.
func plain(found []*validation.ValidationError) []error {
	var out []error
	for _, one := range found {
		out = append(out, errors.New(one.Message+": "+one.Reason))
		for _, detail := range one.SchemaValidationErrors {
			out = append(out, fmt.Errorf("%s: %s (%s)", detail.FieldPath, detail.Reason, detail.KeywordLocation))
		}
	}
	return out
}

// route returns the described path of a request, or "". Of several, it returns the path with the fewest parameters,
// as Gin does.
func (c *contract) route(method, path string) string {
	found, fewest := "", 0
	segments := strings.Split(path, "/")
	for template, item := range c.routes {
		parameters, ok := matches(strings.Split(template, "/"), segments)
		if ok && operationOf(item, method) != nil && (found == "" || parameters < fewest) {
			found, fewest = template, parameters
		}
	}
	return found
}

// matches reports whether a path matches a template, and with how many parameters.
func matches(template, path []string) (parameters int, ok bool) {
	if len(template) != len(path) {
		return 0, false
	}
	for i, segment := range template {
		switch {
		case strings.HasPrefix(segment, "{") && path[i] != "":
			parameters++
		case segment != path[i]:
			return 0, false
		}
	}
	return parameters, true
}

func operationOf(item *v3.PathItem, method string) *v3.Operation {
	if item == nil {
		return nil
	}
	return item.GetOperations().GetOrZero(strings.ToLower(method))
}

// documented returns a path of Gin in the form of the document.
func documented(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// Every difference between an answer and the document is found.
func TestAnswersOutsideTheDocumentAreFound(t *testing.T) {
	t.Parallel()
	s := newStack(t, anyDatabase(t))
	c, err := served()
	require.NoError(t, err)
	id := s.register(ada)
	right := s.do("GET", "/api/v1/patients/"+id, "")
	wrong := s.do("GET", "/api/v1/patients/"+canary, "")
	require.Equal(t, http.StatusNotFound, wrong.status)
	type answer struct {
		method, path string
		reply        reply
	}
	same := func(r reply) answer { return answer{"GET", "/api/v1/patients/" + id, r} }
	member := func(r reply, name string, value any) answer {
		r.body = maps.Clone(r.body)
		r.body[name] = value
		return same(rendered(t, r))
	}
	header := func(r reply, name, value string) answer {
		r.header = r.header.Clone()
		if r.header.Set(name, value); value == "" {
			r.header.Del(name)
		}
		return same(r)
	}
	missing := maps.Clone(right.body)
	delete(missing, "address")
	status := func(r reply, status int) answer {
		r.status = status
		return same(r)
	}
	for name, test := range map[string]struct {
		answer
		fault string
	}{
		"as it is":                {same(right), ""},
		"a problem as it is":      {same(wrong), ""},
		"another route":           {answer{"GET", "/api/v1/patient", right}, "route is not described"},
		"another method":          {answer{"PUT", "/api/v1/patients", right}, "route is not described"},
		"another status":          {status(right, 202), "status 202 is not described"},
		"another header":          {header(right, "X-Total", "1"), "header X-Total is not described"},
		"a header less":           {header(right, "Cache-Control", ""), "Cache-Control"},
		"another type":            {header(right, "Content-Type", "text/html"), "text/html"},
		"another member":          {member(right, "nickname", "x"), "nickname"},
		"a member within":         {member(right, "contact_info", map[string]any{"fax": "x"}), "fax"},
		"a member of a problem":   {member(wrong, "cause", "x"), "cause"},
		"another code":            {member(wrong, "code", "patient.odd"), "/code"},
		"a member less":           {same(rendered(t, reply{status: 200, header: right.header, body: missing})), "address"},
		"null":                    {member(right, "first_name", nil), "first_name"},
		"another format":          {member(right, "created_at", "yesterday"), "created_at"},
		"a status with a problem": {status(wrong, 418), "status 418 is not described"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), test.method, "http://localhost"+test.path, http.NoBody)
		require.NoError(t, err)
		response := &http.Response{StatusCode: test.reply.status, Header: test.reply.header}
		err = c.check(request, response, []byte(test.reply.text))
		if test.fault == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, test.fault, name)
		}
	}
}

// rendered returns a reply whose text is that of its body.
func rendered(t *testing.T, r reply) reply {
	t.Helper()
	text, err := json.Marshal(r.body)
	require.NoError(t, err)
	r.text = string(text)
	return r
}
