package rest

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/web"
	"novamind/service"
)

// A request is bound to one type. The tags of its members name their place in the request:
//
// 	ID      uuid.UUID            `path:"id" json:"-"`
// 	Current service.Precondition `header:"If-Match" json:"-"`
// 	Status  []string             `query:"status" values:"appointment status"`
// 	Reason  string               `json:"reason"`
//
// A member with a query and a json name is in the body if the method has a body, else a parameter. A query member that
// is not a pointer has its zero value if the parameter is absent. max is the greatest length of a text. format:"date"
// makes a time a day. values names a vocabulary; a []string takes several of its words, separated by commas. A
// []uuid.UUID takes several UUIDs in the same way. A request of type uuid.UUID is only the id in the path.

// ByID is the path of one resource; embed it.
type ByID struct {
	ID uuid.UUID `path:"id" json:"-"`
}

// OfVersion is the path of one resource, and the If-Match of its change; embed it.
type OfVersion struct {
	ByID

	Current service.Precondition `header:"If-Match" json:"-"`
}

// Nothing is the request that has neither parameters nor a body.
type Nothing struct{}

// Anything is the request of a route that ignores its parameters.
type Anything struct{}

// parameter is a member of a request that is not in the body.
type parameter struct {
	in, name string
	index    []int
	field    reflect.StructField
	max      int
	values   []string
	apart    bool // not kept in the request: the adapter reads it
}

// Binding says how a request type is read.
type Binding struct {
	parameters []parameter
	query      []string // the accepted names
	body       bool
	lenient    bool // any query is accepted
	words      web.Vocabularies
	rules      service.Rules
}

// newBinding reads the tags of t. It returns an error for a member whose type or vocabulary is unknown.
func newBinding(t reflect.Type, method string, words web.Vocabularies) (*Binding, error) {
	b := &Binding{lenient: t == reflect.TypeFor[Anything](), words: words}
	switch {
	case t == web.UUIDType:
		b.parameters = []parameter{{in: "path", name: "id", field: reflect.StructField{Type: web.UUIDType}}}
		return b, nil
	case t.Kind() != reflect.Struct:
		return nil, fmt.Errorf("a request is a struct or a UUID, not %s", t)
	}
	hasBody := method != http.MethodGet && method != http.MethodDelete
	for _, field := range reflect.VisibleFields(t) {
		member, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inBody := hasBody && member != "" && member != "-"
		b.body = b.body || inBody
		for _, in := range []string{"path", "query", "header"} {
			if name := field.Tag.Get(in); name != "" && !inBody {
				p, err := newParameter(in, name, field, words)
				if err != nil {
					return nil, err
				}
				b.parameters = append(b.parameters, p)
				if in == "query" {
					b.query = append(b.query, name)
				}
			}
		}
	}
	return b, nil
}

// take adds a query parameter that the adapter itself reads.
func (b *Binding) take(p parameter) {
	p.in, p.apart = "query", true
	b.parameters, b.query = append(b.parameters, p), append(b.query, p.name)
}

var preconditionType = reflect.TypeFor[service.Precondition]()

func newParameter(in, name string, field reflect.StructField, words web.Vocabularies) (parameter, error) {
	p := parameter{in: in, name: name, index: field.Index, field: field, max: math.MaxInt}
	if text, ok := field.Tag.Lookup("max"); ok {
		limit, err := strconv.Atoi(text)
		if err != nil {
			return p, fmt.Errorf("%s: max: %w", field.Name, err)
		}
		p.max = limit
	}
	vocabulary := field.Tag.Get("values")
	p.values = words[vocabulary]
	_, readable := p.reader()
	switch {
	case vocabulary != "" && p.values == nil:
		return p, fmt.Errorf("%s: there is no vocabulary %q", field.Name, vocabulary)
	case in == "path" && field.Type != web.UUIDType && field.Type.Kind() != reflect.String,
		in == "header" && (name != "If-Match" || field.Type != preconditionType),
		in == "query" && !readable:
		return p, fmt.Errorf("%s: no %s is read into %s", field.Name, in, field.Type)
	}
	return p, nil
}

// reader returns the function that reads a query parameter, and whether there is one for the type of p. The function
// returns a pointer, which is nil if the parameter is absent or wrong.
func (p parameter) reader() (func(*web.Query) any, bool) {
	t := p.field.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == web.UUIDType:
		return func(q *web.Query) any { return q.UUID(p.name) }, true
	case t == web.TimeType && p.field.Tag.Get("format") == "date":
		return func(q *web.Query) any { return q.Date(p.name) }, true
	case t == web.TimeType:
		return func(q *web.Query) any { return q.Time(p.name) }, true
	case t.Kind() == reflect.Slice:
		return p.readerOfSeveral(t.Elem())
	case t.Kind() == reflect.String && p.values != nil:
		return func(q *web.Query) any { return q.OneOf(p.name, p.values) }, true
	case t.Kind() == reflect.String:
		return func(q *web.Query) any { return q.Text(p.name, p.max) }, true
	case t.Kind() == reflect.Bool:
		return func(q *web.Query) any { return q.Bool(p.name) }, true
	case t.Kind() == reflect.Int:
		return func(q *web.Query) any { return q.Int(p.name) }, true
	}
	return nil, false
}

// readerOfSeveral is reader for several values, by the type of one of them.
func (p parameter) readerOfSeveral(t reflect.Type) (func(*web.Query) any, bool) {
	switch {
	case t == web.UUIDType:
		return func(q *web.Query) any { return q.UUIDs(p.name) }, true
	case t.Kind() == reflect.String && p.values != nil:
		return func(q *web.Query) any { return q.Several(p.name, p.values) }, true
	}
	return nil, false
}

// bind reads a request into an In. It reports, in this order: the query together with the body, the path, and the
// headers.
func bind[In any](c *gin.Context, b *Binding) (in In, err error) {
	into := reflect.ValueOf(&in).Elem()
	q, err := b.bindQuery(c, into)
	if err != nil {
		return in, err
	}
	if b.body {
		body, faults, err := readFaults(c, into.Type(), false, b)
		if err != nil {
			return in, cmp.Or(q.Err(), err)
		}
		q.Fields = append(q.Fields, faults...)
		if err := q.Err(); err != nil {
			return in, err
		}
		if err := web.Unmarshal(body, &in); err != nil {
			return in, err
		}
	}
	if err := q.Err(); err != nil {
		return in, err
	}
	for _, p := range b.parameters {
		if err := p.bindOther(c, into); err != nil {
			return in, err
		}
	}
	return in, nil
}

// bindQuery returns the query. Call its Err before using the values.
func (b *Binding) bindQuery(c *gin.Context, into reflect.Value) (*web.Query, error) {
	if b.lenient {
		return &web.Query{}, nil
	}
	q, err := web.ReadQuery(c, b.query...)
	if err != nil {
		return nil, err
	}
	for _, p := range b.parameters {
		if p.in != "query" {
			continue
		}
		read, _ := p.reader()
		value := reflect.ValueOf(read(q))
		if p.apart {
			continue
		}
		if field := p.place(into); field.Kind() == reflect.Pointer {
			field.Set(value)
		} else if !value.IsNil() {
			field.Set(value.Elem().Convert(field.Type()))
		}
	}
	return q, nil
}

// place returns the value that holds a parameter: a member of the request, or the whole request.
func (p parameter) place(into reflect.Value) reflect.Value {
	if p.index == nil {
		return into
	}
	return into.FieldByIndex(p.index)
}

// hashed returns the parts of a bound request that distinguish it from other requests with the same path.
func (b *Binding) hashed(in any) any {
	if b.body {
		return in
	}
	return nil
}

// bindOther reads a parameter of the path, or a header.
func (p parameter) bindOther(c *gin.Context, into reflect.Value) error {
	switch p.in {
	case "path":
		if p.field.Type != web.UUIDType {
			p.place(into).SetString(c.Param(p.name))
			return nil
		}
		id, err := web.PathID(c, p.name)
		if err != nil {
			return err
		}
		p.place(into).Set(reflect.ValueOf(id))
	case "header":
		condition, err := web.RequireIfMatch(c)
		if err != nil {
			return err
		}
		p.place(into).Set(reflect.ValueOf(service.Precondition(condition.Matches)))
	}
	return nil
}
