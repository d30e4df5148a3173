package rest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"novamind/internal/web"
)

// schemas describes types in JSON Schema, from the same table that checkMembers uses. Each struct becomes a
// component.
type schemas struct {
	registry huma.Registry
	types    map[string]reflect.Type
	words    web.Vocabularies
	fault    error // the first one
}

const schemaPrefix = "#/components/schemas/"

func newSchemas(words web.Vocabularies) *schemas {
	registry := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	return &schemas{registry: registry, types: map[string]reflect.Type{}, words: words}
}

// of returns the schema of t, or a reference to its component.
func (s *schemas) of(t reflect.Type, u web.Use) *huma.Schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if several, ok := reflect.TypeAssert[interface{ Alternatives() []reflect.Type }](reflect.Zero(t)); ok {
		schema := &huma.Schema{}
		for _, one := range several.Alternatives() {
			schema.AnyOf = append(schema.AnyOf, s.of(one, u))
		}
		return schema
	}
	if part, ok := reflect.TypeAssert[interface{ Whole() reflect.Type }](reflect.Zero(t)); ok {
		return s.component(part.Whole(), web.Selected)
	}
	switch web.Shape(t) {
	case reflect.Struct:
		return s.component(t, u)
	case reflect.Map:
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: s.of(t.Elem(), u)}
	case reflect.Slice:
		return &huma.Schema{Type: huma.TypeArray, Items: s.of(t.Elem(), u)}
	default:
		return s.scalar(t)
	}
}

func (s *schemas) scalar(t reflect.Type) *huma.Schema {
	switch {
	case t == web.TimeType:
		return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	case t == web.UUIDType:
		return &huma.Schema{Type: huma.TypeString, Format: "uuid"}
	case t == web.RawType || t.Kind() == reflect.Interface:
		return &huma.Schema{}
	case reflect.PointerTo(t).Implements(web.TextType) || t.Kind() == reflect.String:
		return &huma.Schema{Type: huma.TypeString}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return &huma.Schema{Type: huma.TypeString, ContentEncoding: "base64"}
	case t.Kind() == reflect.Bool:
		return &huma.Schema{Type: huma.TypeBoolean}
	case t.Kind() == reflect.Float64:
		return &huma.Schema{Type: huma.TypeNumber, Format: "double"}
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return &huma.Schema{Type: huma.TypeInteger, Format: "int64"}
	}
	s.failf("there is no schema of %s", t)
	return &huma.Schema{}
}

func (s *schemas) failf(format string, args ...any) {
	if s.fault == nil {
		s.fault = fmt.Errorf("openapi: "+format, args...)
	}
}

// component returns a reference to the schema of a struct.
func (s *schemas) component(t reflect.Type, u web.Use) *huma.Schema {
	name := componentName(t, u)
	ref := &huma.Schema{Ref: schemaPrefix + name}
	if known, ok := s.types[name]; ok {
		if known != t {
			s.failf("%s and %s are both called %s", known, t, name)
		}
		return ref
	}
	s.types[name] = t
	schema := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	if u == web.Requested || u == web.Patched {
		schema.AdditionalProperties = false
	}
	s.registry.Map()[name] = schema
	inner := u
	if u == web.Selected { // a selected member is answered whole
		inner = web.Answered
	}
	members := web.MembersOf(t)
	for _, name := range members.Names {
		m := members.ByName[name]
		schema.Properties[name] = s.member(m, inner)
		if m.Required(u) {
			schema.Required = append(schema.Required, name)
		}
	}
	return ref
}

// member describes a member by its type, and by its tags: doc, example, max, format, and values, the name of a
// vocabulary.
func (s *schemas) member(m web.Member, u web.Use) *huma.Schema {
	schema := s.tagged(s.of(m.Typ, u), m.Tag)
	if (u == web.Requested || u == web.Patched) && m.Required(web.Requested) && schema.MaxLength != nil {
		schema.MinLength = new(1)
	}
	if !m.TakesNull(u) || schema.Type == "" && schema.Ref == "" {
		return schema
	}
	if schema.Ref != "" {
		either := &huma.Schema{AnyOf: []*huma.Schema{{Ref: schema.Ref}, {Type: "null"}}}
		either.Description, either.ReadOnly = schema.Description, schema.ReadOnly
		return either
	}
	schema.Nullable = true
	if schema.Enum != nil {
		schema.Enum = append(schema.Enum, nil)
	}
	return schema
}

func (s *schemas) tagged(schema *huma.Schema, tag reflect.StructTag) *huma.Schema {
	schema.Description, schema.ReadOnly = tag.Get("doc"), tag.Get("set") == "server"
	if format := tag.Get("format"); format != "" {
		schema.Format = format
	}
	limits(schema, tag)
	if vocabulary := tag.Get("values"); vocabulary != "" {
		s.restrict(schema, vocabulary)
	}
	if example := tag.Get("example"); example != "" {
		schema.Examples = []any{exampleOf(schema, example)}
	}
	return schema
}

// limits describes the limits of a text, a number or an array.
func limits(schema *huma.Schema, tag reflect.StructTag) {
	most, atMost := web.LimitOf(tag, "max")
	least, atLeast := web.LimitOf(tag, "min")
	number := schema.Type == huma.TypeInteger
	if items, ok := web.LimitOf(tag, "maxItems"); ok {
		schema.MaxItems = &items
	}
	if items, ok := web.LimitOf(tag, "minItems"); ok {
		schema.MinItems = &items
	}
	if atMost && number {
		schema.Maximum = new(float64(most))
	} else if atMost {
		schema.MaxLength = &most
	}
	if atLeast && number {
		schema.Minimum = new(float64(least))
	}
}

// restrict lets a string, or the strings of an array, be only words of a vocabulary.
func (s *schemas) restrict(schema *huma.Schema, vocabulary string) {
	if schema.Items != nil {
		schema = schema.Items
	}
	for _, word := range s.words[vocabulary] {
		schema.Enum = append(schema.Enum, word)
	}
	if schema.Enum == nil {
		s.failf("there is no vocabulary %q", vocabulary)
	}
}

// exampleOf reads an example: a string is written without quotes, all else in JSON.
func exampleOf(schema *huma.Schema, text string) any {
	var value any
	if schema.Type == huma.TypeString || json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	return value
}

// componentName names a struct for clients: patientAnswer is Patient, and a page of it PatientPage.
// patientReplacement as a patch is PatientPatch.
func componentName(t reflect.Type, u web.Use) string {
	if strings.HasPrefix(t.Name(), "Page[") {
		items, _ := t.FieldByName("Items")
		element := items.Type.Elem()
		if several, ok := reflect.TypeAssert[interface{ Alternatives() []reflect.Type }](reflect.Zero(element)); ok {
			element = several.Alternatives()[0]
		}
		return componentName(element, u) + "Page"
	}
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	endsIn := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(name, ending) })
	}
	switch {
	case u == web.Answered:
		return strings.TrimSuffix(name, "Answer")
	case u == web.Selected:
		return strings.TrimSuffix(name, "Answer") + "Part"
	case u == web.Patched:
		return strings.TrimSuffix(strings.TrimSuffix(name, "Replacement"), "Input") + "Patch"
	case endsIn("Request", "Input", "Replacement"):
		return name
	default:
		return name + "Input"
	}
}
