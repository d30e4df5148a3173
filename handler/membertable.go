package handler

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Vocabularies are the values of members and parameters that take some words only, by the name that the tag values
// gives.
type Vocabularies map[string][]string

// use is the use of a type: a type is stricter in a request than in an answer.
type use int

const (
	answered  use = iota // absent where tagged so, else there; null where it is a pointer
	requested            // as checkMembers accepts it
	patched              // a merge patch of that
	selected             // an answer with the members that fields names
)

// member is one JSON member of a struct.
type member struct {
	name     string
	typ      reflect.Type
	optional bool // tagged omitzero or omitempty: null means absent
	tag      reflect.StructTag
}

// memberTable is the members of a struct type; names are in the order of the struct, and list shows them to people.
type memberTable struct {
	byName map[string]member
	names  []string
	list   string
}

var memberTables sync.Map // reflect.Type → *memberTable

// membersOf reads the json tags of t as the json package does, as far as requests need it: name, "-", omitzero,
// omitempty, and embedded structs, whose members are promoted unless t has one of the same name.
func membersOf(t reflect.Type) *memberTable {
	if cached, ok := memberTables.Load(t); ok {
		return cached.(*memberTable) //nolint:forcetypeassert // only stored below
	}
	table := &memberTable{byName: map[string]member{}}
	for _, m := range structMembers(t) {
		if _, taken := table.byName[m.name]; !taken {
			table.byName[m.name] = m
			table.names = append(table.names, m.name)
		}
	}
	table.list = strings.Join(table.names, ", ")
	memberTables.Store(t, table)
	return table
}

func structMembers(t reflect.Type) []member {
	var own, promoted []member
	for field := range t.Fields() {
		tag := field.Tag.Get("json")
		name, rest, _ := strings.Cut(tag, ",")
		embedded := field.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case tag == "-":
		case field.Anonymous && name == "" && embedded.Kind() == reflect.Struct:
			promoted = append(promoted, structMembers(embedded)...)
		case field.IsExported():
			own = append(own, newMember(field, name, strings.Split(rest, ",")))
		}
	}
	return append(own, promoted...)
}

func newMember(field reflect.StructField, name string, options []string) member {
	if name == "" {
		name = field.Name
	}
	optional := slices.Contains(options, "omitzero") || slices.Contains(options, "omitempty")
	return member{name: name, typ: field.Type, optional: optional, tag: field.Tag}
}

// required reports whether a member is always there. In a request, the tag required:"true" is for a pointer that is
// needed all the same, and required:"false" for a value that is not.
func (m member) required(u use) bool {
	switch u {
	case answered:
		return !m.optional
	case selected:
		return m.name == "id"
	case requested:
		if tag := m.tag.Get("required"); tag != "" {
			return tag == "true"
		}
		return !m.optional && !nullable(m.typ)
	default:
		return false
	}
}

// takesNull reports whether a member may be null.
func (m member) takesNull(u use) bool {
	if u == answered || u == selected {
		return nullable(m.typ) && !m.optional
	}
	return (nullable(m.typ) || m.optional) && m.tag.Get("required") != "true"
}
