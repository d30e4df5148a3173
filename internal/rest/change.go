package rest

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/web"
	"novamind/service"
)

// ServerSet are the members that the server sets in every resource; embed it in the type of a change. Members with
// the tag set:"server" may be sent back, but not changed; those with set:"false" may also become false.
type ServerSet struct {
	ID        *uuid.UUID `json:"id" set:"server"`
	Version   *int64     `json:"version" set:"server"`
	CreatedAt *time.Time `json:"created_at" set:"server"`
	UpdatedAt *time.Time `json:"updated_at" set:"server"`
}

// Change replaces a resource by PUT, or changes it by PATCH with a JSON Merge Patch, under If-Match. R is the whole
// resource as a client sends it back. Its method Input returns the members that the service accepts.
func Change[R interface{ Input() In }, P, Row, In, Out any](
	do func(context.Context, P, service.Precondition, func(Row) (In, error)) (Row, error), show func(Row) Out,
) Action {
	action, write := ActionOf[P, Out](http.StatusOK, "")
	action.Body = reflect.TypeFor[R]()
	action.Handler = func(env *Conventions, op Operation) (web.HandlerFunc, error) {
		b, err := env.binding(op)
		if err == nil {
			err = checkServerSet(action.Body, action.Answer)
		}
		return func(c *gin.Context) error {
			replaced, err := readReplacement[R, Out](c, b)
			in, unbound := bind[P](c, b)
			if err := together(err, unbound); err != nil {
				return err
			}
			condition, err := web.RequireIfMatch(c)
			if err != nil {
				return err
			}
			row, err := do(c.Request.Context(), in, condition.Matches, func(row Row) (In, error) {
				whole, err := replaced(show(row))
				return whole.Input(), err
			})
			if err != nil {
				return err
			}
			return write(c, env, show(row))
		}, err
	}
	return action
}

// readReplacement reads the body of a PUT or a PATCH. It returns a function that makes the replacement from the
// present answer. That function returns an Invalid error if a member that the server sets would change.
func readReplacement[R, Out any](c *gin.Context, b *Binding) (func(Out) (R, error), error) {
	patch := c.Request.Method == http.MethodPatch
	body, faults, err := readFaults(c, reflect.TypeFor[R](), patch, b)
	switch {
	case err != nil:
		return nil, err
	case len(faults) > 0:
		return nil, apperr.InvalidFields(faults...)
	case patch:
		return func(shown Out) (R, error) {
			current, err := sentBack[R](shown)
			if err != nil {
				return current, err
			}
			whole, err := web.MergePatch[R]{Raw: body}.Apply(current, b.words)
			if err != nil {
				return whole, err
			}
			return whole, keepServerSet(whole, shown, b.rules)
		}, nil
	}
	var whole R
	err = web.Unmarshal(body, &whole)
	return func(shown Out) (R, error) { return whole, keepServerSet(whole, shown, b.rules) }, err
}

// sentBack returns shown as a client would send it back, without the computed parts of its members. So a patch of a
// member need not name the values computed from it.
func sentBack[R any](shown any) (whole R, err error) {
	text, err := json.Marshal(shown)
	if err == nil {
		err = json.Unmarshal(text, &whole)
	}
	if err != nil {
		return whole, apperr.Wrap(apperr.Internal, web.InternalDetail, err)
	}
	members := reflect.ValueOf(&whole).Elem()
	for _, field := range reflect.VisibleFields(members.Type()) {
		if !field.Anonymous {
			clearComputed(members.FieldByIndex(field.Index))
		}
	}
	return whole, nil
}

// clearComputed clears the members with the tag set:"server" of a struct.
func clearComputed(v reflect.Value) {
	if v = reflect.Indirect(v); v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		switch field := v.Type().Field(i); {
		case field.Tag.Get("set") == "server":
			v.Field(i).SetZero()
		case field.IsExported():
			clearComputed(v.Field(i))
		}
	}
}

// keepServerSet returns an Invalid error that names the members with the tag set in which whole, a struct, differs
// from shown. The error then also names the rules that the other members break.
func keepServerSet(whole, shown any, rules service.Rules) error {
	is := map[string]reflect.Value{}
	for _, field := range reflect.VisibleFields(reflect.TypeOf(shown)) {
		is[memberName(field)] = reflect.ValueOf(shown).FieldByIndex(field.Index)
	}
	var fields []apperr.Field
	for _, field := range reflect.VisibleFields(reflect.TypeOf(whole)) {
		given := reflect.ValueOf(whole).FieldByIndex(field.Index)
		set := field.Tag.Get("set")
		if set == "" || given.IsNil() || set == "false" && given.Elem().IsZero() {
			continue
		}
		if name := memberName(field); !equalValues(given.Elem(), is[name]) {
			fields = append(fields, apperr.Field{Pointer: "/" + name, Code: "read_only", Detail: setByServer})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	if rest, ok := whole.(judged); ok {
		fields = append(fields, besides(fields, rest.Faults(rules))...)
	}
	return apperr.InvalidFields(fields...)
}

const setByServer = "The server sets this member: leave it out, or send it unchanged."

// checkServerSet returns an error if a member of whole with the tag set is not a pointer, or if shown has no member
// of the same name and type.
func checkServerSet(whole, shown reflect.Type) error {
	is := web.MembersOf(shown).ByName
	for _, field := range reflect.VisibleFields(whole) {
		t := is[memberName(field)].Typ
		if t != nil && t.Kind() != reflect.Pointer {
			t = reflect.PointerTo(t)
		}
		if field.Tag.Get("set") != "" && field.Type != t {
			return fmt.Errorf("%s: the answer does not show such a member", field.Name)
		}
	}
	return nil
}

func memberName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// equalValues compares a submitted value with a shown one. Nil equals the zero value. Times are equal if they are the
// same moment, even in different zones.
func equalValues(given, is reflect.Value) bool {
	if is.Kind() == reflect.Pointer {
		if is.IsNil() {
			return given.IsZero()
		}
		is = is.Elem()
	}
	if moment, ok := reflect.TypeAssert[time.Time](given); ok {
		shown, _ := reflect.TypeAssert[time.Time](is)
		return moment.Equal(shown)
	}
	return given.Equal(is)
}
