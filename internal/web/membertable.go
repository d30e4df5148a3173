package web

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Vocabularies are the values of members and parameters that take only certain words, by the name in the tag values.
type Vocabularies map[string][]string

// Use is the use of a type: a type is stricter in a request than in an answer.
type Use int

// The uses of a type.
const (
	Answered  Use = iota // present unless tagged to be omitted; null if it is a pointer
	Requested            // as checkMembers accepts the type
	Patched              // a merge patch of a Requested type
	Selected             // an answer with the members that fields names
)

// Member is one JSON member of a struct.
type Member struct {
	name     string
	Typ      reflect.Type
	optional bool // tagged omitzero or omitempty: null means absent
	Tag      reflect.StructTag
}

// MemberTable is the members of a struct type; names are in the order of the struct, and list shows them to people.
type MemberTable struct {
	ByName map[string]Member
	Names  []string
	list   string
}

var memberTables sync.Map // reflect.Type → *MemberTable

// MembersOf reads the json tags of t as the json package does, as far as requests need it: name, "-", omitzero,
// omitempty, and embedded structs. The members of an embedded struct are promoted, unless t has a member of the same
// name.
func MembersOf(t reflect.Type) *MemberTable {
	if cached, ok := memberTables.Load(t); ok {
		return cached.(*MemberTable) //nolint:forcetypeassert // only stored below
	}
	table := &MemberTable{ByName: map[string]Member{}}
	for _, m := range structMembers(t) {
		if _, taken := table.ByName[m.name]; !taken {
			table.ByName[m.name] = m
			table.Names = append(table.Names, m.name)
		}
	}
	table.list = strings.Join(table.Names, ", ")
	memberTables.Store(t, table)
	return table
}

func structMembers(t reflect.Type) []Member {
	var own, promoted []Member
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

func newMember(field reflect.StructField, name string, options []string) Member {
	if name == "" {
		name = field.Name
	}
	optional := slices.Contains(options, "omitzero") || slices.Contains(options, "omitempty")
	return Member{name: name, Typ: field.Type, optional: optional, Tag: field.Tag}
}

// Required reports whether a member is always present. In a request, the tag required:"true" makes a pointer
// required, and required:"false" makes another value optional.
func (m Member) Required(u Use) bool {
	switch u {
	case Answered:
		return !m.optional
	case Selected:
		return m.name == "id"
	case Requested:
		if tag := m.Tag.Get("required"); tag != "" {
			return tag == "true"
		}
		return !m.optional && !nullable(m.Typ)
	default:
		return false
	}
}

// TakesNull reports whether a member may be null.
func (m Member) TakesNull(u Use) bool {
	if u == Answered || u == Selected {
		return nullable(m.Typ) && !m.optional
	}
	return (nullable(m.Typ) || m.optional) && m.Tag.Get("required") != "true"
}
