package web

import (
	"bytes"
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/schedule"
)

// maxFields bounds the answer: a body of a million wrong elements gets this many complaints.
const maxFields = 20

// memberCheck compares a JSON text with a Go type and collects the faults. Its pointers are made of member names
// the type knows and of array indexes, so that a submitted name can't get into one.
type memberCheck struct {
	dec    *jsontext.Decoder
	words  Vocabularies
	fields []apperr.Field
	absent []apperr.Field // required members that are absent
}

// checkMembers returns every place where body, which passed CheckSyntax, does not fit t. Faults are unknown members
// (names are case-sensitive), wrong types, times that are not schedule.Plausible, and control characters other than
// \n, \t and \r in any string. A null is a fault unless the member is a pointer or has an omitzero or omitempty tag.
// checkMembers does not report absent members; Inspect returns them.
func checkMembers(body []byte, t reflect.Type, words Vocabularies) []apperr.Field {
	faults, _ := Inspect(body, t, words)
	return faults
}

// Inspect returns the faults of checkMembers, and the required members that are absent.
func Inspect(body []byte, t reflect.Type, words Vocabularies) (faults, absent []apperr.Field) {
	m := &memberCheck{dec: jsontext.NewDecoder(bytes.NewBuffer(body)), words: words}
	m.value("", Member{Typ: t})
	return m.fields, m.absent
}

func (m *memberCheck) add(at jsontext.Pointer, code, detail string) {
	if len(m.fields) < maxFields {
		m.fields = append(m.fields, apperr.Field{Pointer: string(at), Code: code, Detail: detail})
	}
}

func (m *memberCheck) value(at jsontext.Pointer, of Member) {
	t := of.Typ
	if m.dec.PeekKind() == jsontext.KindNull {
		m.null(at, of.TakesNull(Requested))
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch Shape(t) {
	case reflect.Struct:
		m.object(at, t)
	case reflect.Map:
		m.dictionary(at, t)
	case reflect.Slice:
		m.array(at, t, of.Tag)
	default:
		m.scalar(at, t, of.Tag)
	}
}

func (m *memberCheck) null(at jsontext.Pointer, allowed bool) {
	_ = m.dec.SkipValue()
	if !allowed {
		m.add(at, "required", "Must not be null.")
	}
}

func (m *memberCheck) object(at jsontext.Pointer, t reflect.Type) {
	if !m.enter(at, jsontext.KindBeginObject, "Must be an object.") {
		return
	}
	known, unknown, given := MembersOf(t), false, map[string]bool{}
	for m.more() {
		name, _ := m.dec.ReadToken()
		member, ok := known.ByName[name.String()]
		given[name.String()] = true
		if !ok {
			unknown = true
			_ = m.dec.SkipValue()
			continue
		}
		m.value(at.AppendToken(member.name), member)
	}
	_, _ = m.dec.ReadToken()
	if unknown {
		m.add(at, "unknown_member", "A member is unknown. Allowed are: "+known.list+".")
	}
	for _, name := range known.Names {
		if !given[name] && known.ByName[name].Required(Requested) && len(m.absent) < maxFields {
			m.absent = append(m.absent, apperr.Field{
				Pointer: string(at.AppendToken(name)), Code: "required", Detail: "Must not be missing.",
			})
		}
	}
}

// dictionary checks a map. Its keys were submitted, so everything inside is reported at the map itself.
func (m *memberCheck) dictionary(at jsontext.Pointer, t reflect.Type) {
	if !m.enter(at, jsontext.KindBeginObject, "Must be an object.") {
		return
	}
	for m.more() {
		if name, _ := m.dec.ReadToken(); strings.ContainsFunc(name.String(), isControl) {
			m.controlCharacter(at)
		}
		m.value(at, Member{Typ: t.Elem()})
	}
	_, _ = m.dec.ReadToken()
}

func (m *memberCheck) array(at jsontext.Pointer, t reflect.Type, tag reflect.StructTag) {
	if !m.enter(at, jsontext.KindBeginArray, "Must be an array.") {
		return
	}
	n := 0
	for ; m.more(); n++ {
		m.value(at.AppendToken(strconv.Itoa(n)), Member{Typ: t.Elem(), Tag: tag})
	}
	_, _ = m.dec.ReadToken()
	if limit, limited := LimitOf(tag, "maxItems"); limited && n > limit {
		m.add(at, "too_long", "Must have at most "+strconv.Itoa(limit)+" items.")
	}
}

// enter reads the opening bracket, or reports and skips a value of another kind.
func (m *memberCheck) enter(at jsontext.Pointer, want jsontext.Kind, complaint string) bool {
	if m.dec.PeekKind() != want {
		_ = m.dec.SkipValue()
		m.add(at, "wrong_type", complaint)
		return false
	}
	_, err := m.dec.ReadToken()
	return err == nil
}

// more reports whether the object or array goes on. PeekKind is invalid after an error, so a loop always ends.
func (m *memberCheck) more() bool {
	switch m.dec.PeekKind() {
	case jsontext.KindEndObject, jsontext.KindEndArray, jsontext.KindInvalid:
		return false
	default:
		return true
	}
}

// scalar checks a value by unmarshalling it alone, which lets each type decide.
func (m *memberCheck) scalar(at jsontext.Pointer, t reflect.Type, tag reflect.StructTag) {
	raw, _ := m.dec.ReadValue()
	if hasControl(raw) {
		m.controlCharacter(at)
		return
	}
	value := reflect.New(t)
	if err := json.Unmarshal(raw, value.Interface(), json.RejectUnknownMembers(true)); err == nil {
		if t != UUIDType || len(raw) == len(`""`)+canonicalUUID {
			m.rule(at, value.Elem(), tag)
			return
		}
	}
	wanted, text := wants(t)
	code := "wrong_type"
	if wanted == jsontext.KindString && raw.Kind() == jsontext.KindString {
		code = "invalid_format"
	}
	m.add(at, code, fmt.Sprintf("Must be %s.", text))
}

// rule checks a value of the right type against the tags of its member: min, max, values, and query.
func (m *memberCheck) rule(at jsontext.Pointer, value reflect.Value, tag reflect.StructTag) {
	if moment, ok := reflect.TypeAssert[time.Time](value); ok && !schedule.Plausible(moment) {
		m.add(at, "out_of_range", outOfYears)
	}
	if least, most, ok := rangeOf(value, tag); ok && (value.Int() < least || value.Int() > most) {
		m.add(at, "out_of_range", fmt.Sprintf("Must be from %d to %d.", least, most))
	}
	if value.Kind() != reflect.String {
		return
	}
	text, vocabulary := value.String(), tag.Get("values")
	limit, limited := LimitOf(tag, "max")
	switch {
	case text == "" && tag.Get("query") != "":
		m.add(at, "empty", "Must not be empty. To leave it out, send null.")
	case vocabulary != "" && tag.Get("set") == "" && !slices.Contains(m.words[vocabulary], text):
		m.add(at, cmp.Or(tag.Get("unknown"), "unknown_value"), OneOf(m.words[vocabulary]))
	case limited && utf8.RuneCountInString(text) > limit:
		m.add(at, "too_long", "Must have at most "+strconv.Itoa(limit)+" characters.")
	}
}

// rangeOf returns the range that the tags min and max give to a whole number, if there is one.
func rangeOf(value reflect.Value, tag reflect.StructTag) (least, most int64, ok bool) {
	low, atLeast := LimitOf(tag, "min")
	high, atMost := LimitOf(tag, "max")
	return int64(low), int64(high), value.CanInt() && atLeast && atMost
}

// LimitOf returns the limit that a tag gives: max and min of characters or numbers, maxItems and minItems of arrays.
func LimitOf(tag reflect.StructTag, name string) (int, bool) {
	limit, err := strconv.Atoi(tag.Get(name))
	return limit, err == nil
}

func (m *memberCheck) controlCharacter(at jsontext.Pointer) {
	m.add(at, "control_character", "Must not contain control characters other than line feed, carriage return and tab.")
}

// hasControl reports whether any string inside raw, member names included, has a control character.
func hasControl(raw jsontext.Value) bool {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return false
		}
		if token.Kind() == jsontext.KindString && strings.ContainsFunc(token.String(), isControl) {
			return true
		}
	}
}

func isControl(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }

// The types whose JSON is a text of a special form, or any JSON.
var (
	TimeType = reflect.TypeFor[time.Time]()
	UUIDType = reflect.TypeFor[uuid.UUID]()
	RawType  = reflect.TypeFor[jsontext.Value]()
	TextType = reflect.TypeFor[encoding.TextUnmarshaler]()
	ownTypes = []reflect.Type{TextType, reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[json.UnmarshalerFrom]()}
)

// Shape says how t is walked: Struct, Map, Slice (arrays too), or Invalid for a type that is checked as one value.
func Shape(t reflect.Type) reflect.Kind {
	if t == TimeType || t == RawType || ownsItsJSON(t) {
		return reflect.Invalid
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return t.Kind()
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() != reflect.Uint8 { // bytes are a base64 string
			return reflect.Slice
		}
	}
	return reflect.Invalid
}

func ownsItsJSON(t reflect.Type) bool {
	for _, own := range ownTypes {
		if reflect.PointerTo(t).Implements(own) {
			return true
		}
	}
	return false
}

func nullable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || t == RawType
}

// wants returns the JSON kind of a scalar type, if known, and its description for people.
func wants(t reflect.Type) (jsontext.Kind, string) {
	switch {
	case t == TimeType:
		return jsontext.KindString, "an RFC 3339 time, such as 2006-01-02T15:04:05Z"
	case t == UUIDType:
		return jsontext.KindString, "a UUID"
	case reflect.PointerTo(t).Implements(TextType):
		return jsontext.KindString, "a string in the documented format"
	}
	switch t.Kind() {
	case reflect.String:
		return jsontext.KindString, "a string"
	case reflect.Slice, reflect.Array:
		return jsontext.KindString, "a base64 string"
	case reflect.Bool:
		return jsontext.KindTrue, "true or false"
	case reflect.Float32, reflect.Float64:
		return jsontext.KindNumber, "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return jsontext.KindNumber, "a whole number in range"
	}
	return jsontext.KindInvalid, "of the documented type"
}
