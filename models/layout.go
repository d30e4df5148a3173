package models

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm/schema"

	"novamind/internal/phi"
)

// sealable is implemented by pointers to phi's field types.
type sealable interface {
	Seal(s *phi.Sealer, b phi.Binding) error
	Open(s *phi.Sealer, b phi.Binding) error
	Same(other any) bool
	IsNull() bool
	Reveal() any
	Clear()
}

type column struct {
	name   string
	index  []int
	sealed bool
	secret bool // tagged audit:"secret": the log records that the value changed, but not the old and new values
	closed bool // tagged phi:"closed": reading a row leaves it sealed
}

// layout describes a model for the hooks. It is computed once from the model's GORM schema.
type layout struct {
	table   string
	columns []column
	byName  []column
	sealed  []column
}

var (
	layouts     sync.Map // reflect.Type → *layout
	schemaCache sync.Map
)

func layoutOf(model any) *layout {
	t := reflect.Indirect(reflect.ValueOf(model)).Type()
	if l, ok := layouts.Load(t); ok {
		return l.(*layout) //nolint:forcetypeassert // only stored below
	}
	s, err := schema.Parse(model, &schemaCache, Naming{})
	if err != nil {
		panic("models: " + err.Error()) // a defect in a model's declaration; every test would show it
	}
	l := &layout{table: s.Table}
	for _, name := range s.DBNames {
		field := s.FieldsByDBName[name]
		_, sealed := reflect.TypeAssert[sealable](reflect.New(field.FieldType))
		c := column{name: name, index: field.StructField.Index, sealed: sealed, secret: field.Tag.Get("audit") == "secret", closed: field.Tag.Get("phi") == "closed"}
		l.columns = append(l.columns, c)
		if sealed {
			l.sealed = append(l.sealed, c)
		}
	}
	l.byName = slices.SortedFunc(slices.Values(l.columns), func(a, b column) int { return strings.Compare(a.name, b.name) })
	layouts.Store(t, l)
	return l
}

// has reports whether the table has a column of this name.
func (l *layout) has(name string) bool {
	return slices.ContainsFunc(l.columns, func(c column) bool { return c.name == name })
}

// field returns the sealed field of a row at column c.
func (c column) field(row reflect.Value) sealable {
	return row.FieldByIndex(c.index).Addr().Interface().(sealable) //nolint:forcetypeassert // layoutOf checked it
}

// plain returns the value of a row in column c, for the log to seal. It returns nil for NULL.
func (c column) plain(row reflect.Value) any {
	switch {
	case c.secret:
		return nil
	case c.sealed:
		return c.field(row).Reveal()
	default:
		return row.FieldByIndex(c.index).Interface()
	}
}

// same reports whether two rows hold the same value in column c.
func (c column) same(a, b reflect.Value) bool {
	if c.sealed {
		return c.field(a).Same(c.field(b))
	}
	return reflect.DeepEqual(a.FieldByIndex(c.index).Interface(), b.FieldByIndex(c.index).Interface())
}

// empty reports whether a row holds no value in column c.
func (c column) empty(row reflect.Value) bool {
	if c.sealed {
		return c.field(row).IsNull()
	}
	return row.FieldByIndex(c.index).IsZero()
}

// ColumnsOf returns the names of a model's columns, in the order of PointersTo.
func ColumnsOf(model any) []string {
	l := layoutOf(model)
	names := make([]string, len(l.columns))
	for i, c := range l.columns {
		names[i] = c.name
	}
	return names
}

// PointersTo returns pointers to the fields of a row, to scan its columns into. No value is opened, and no hook
// runs.
func PointersTo(model any) []any {
	l := layoutOf(model)
	row := reflect.Indirect(reflect.ValueOf(model))
	pointers := make([]any, len(l.columns))
	for i, c := range l.columns {
		pointers[i] = row.FieldByIndex(c.index).Addr().Interface()
	}
	return pointers
}
