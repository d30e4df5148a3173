package models_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// valueTypes returns the program's types that opened sealed columns hold, and the types inside them.
func valueTypes(tables []any) map[reflect.Type]bool {
	found := map[reflect.Type]bool{}
	for _, m := range tables {
		for field := range reflect.TypeOf(m).Elem().Fields() {
			if plain, sealed := reflect.PointerTo(field.Type).MethodByName("Plain"); sealed {
				collectValueTypes(plain.Type.Out(0), found)
			}
		}
	}
	return found
}

func collectValueTypes(t reflect.Type, found map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		collectValueTypes(t.Elem(), found)
	case reflect.Map:
		collectValueTypes(t.Key(), found)
		collectValueTypes(t.Elem(), found)
	case reflect.Struct:
		if found[t] || t == reflect.TypeFor[phi.CalendarDate]() || t == reflect.TypeFor[phi.Private]() {
			return // a date is a plain value, like a string
		}
		if strings.HasPrefix(t.PkgPath(), "novamind/") {
			found[t] = true
		}
		for field := range t.Fields() {
			collectValueTypes(field.Type, found)
		}
	default:
	}
}

// Opened values print as little as the columns that they come from. A new type of value embeds phi.Private.
func TestValuesPrintRedacted(t *testing.T) {
	t.Parallel()
	types := valueTypes(models.All())
	for _, t := range []reflect.Type{
		reflect.TypeFor[models.PatientQuery](), reflect.TypeFor[audit.Event](), reflect.TypeFor[audit.Intent](),
		reflect.TypeFor[audit.Change](), reflect.TypeFor[audit.Diff](), reflect.TypeFor[audit.FieldChange](),
	} {
		types[t] = true
	}
	require.Contains(t, types, reflect.TypeFor[models.ContactInfo]())
	for typ := range types {
		requireRedacted(t, reflect.Zero(typ).Interface())
		requireRedacted(t, reflect.New(typ).Interface())
	}
}

func requireRedacted(t *testing.T, v any) {
	t.Helper()
	name := fmt.Sprintf("%T: embed phi.Private in it", v)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		require.Equal(t, phi.Redacted, fmt.Sprintf(verb, v), name)
		require.Equal(t, "{"+phi.Redacted+"}", fmt.Sprintf("%v", struct{ V any }{v}), name)
	}
	require.Equal(t, phi.Redacted, slog.AnyValue(v).Resolve().String(), name)
	var out bytes.Buffer
	require.NoError(t, template.Must(template.New("t").Parse("{{.}}")).Execute(&out, v))
	require.Equal(t, phi.Redacted, out.String(), name)
	require.Error(t, gob.NewEncoder(&out).Encode(v), name)
}

// JSON, which sealing and responses need, contains the whole values.
func TestValuesInJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(models.Address{Street: canary, City: "C", State: "S", ZipCode: "Z"})
	require.NoError(t, err)
	require.JSONEq(t, `{"street":"`+canary+`","city":"C","state":"S","zip_code":"Z"}`, string(text))
	text, err = json.Marshal(audit.Diff{"first_name": {Old: canary}})
	require.NoError(t, err)
	require.JSONEq(t, `{"first_name":{"old":"`+canary+`"}}`, string(text))
	for _, v := range []any{models.PatientQuery{Prefixes: []string{canary}}, audit.Event{Reason: canary}} {
		text, err = json.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, `"`+phi.Redacted+`"`, string(text))
	}
}

// The walk finds every type that a column can hold.
func TestForgottenValueTypesAreSeen(t *testing.T) {
	t.Parallel()
	type Dose struct{ Amount string }
	type Drug struct{ Doses map[string][]*Dose }
	type Prescription struct {
		models.Base
		Drugs phi.JSON[[]Drug]
		Note  phi.Text
	}
	require.Equal(t, map[reflect.Type]bool{reflect.TypeFor[Dose](): true, reflect.TypeFor[Drug](): true}, valueTypes([]any{&Prescription{}}))
}
