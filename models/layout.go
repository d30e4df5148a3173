package models

import (
	"reflect"
	"sync"

	"gorm.io/gorm/schema"

	"novamind/internal/phi"
)

// sealable is what phi's field types are, through a pointer.
type sealable interface {
	Seal(s *phi.Sealer, b phi.Binding) error
	Open(s *phi.Sealer, b phi.Binding) error
	Same(other any) bool
	IsNull() bool
	Clear()
}

type column struct {
	name   string
	index  []int
	sealed bool
}

// layout is what the hooks need to know of a model, worked out once from its GORM schema.
type layout struct {
	table   string
	columns []column
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
		c := column{name: name, index: field.StructField.Index, sealed: sealed}
		l.columns = append(l.columns, c)
		if sealed {
			l.sealed = append(l.sealed, c)
		}
	}
	layouts.Store(t, l)
	return l
}

// field returns the sealed field of a row at column c.
func (c column) field(row reflect.Value) sealable {
	return row.FieldByIndex(c.index).Addr().Interface().(sealable) //nolint:forcetypeassert // layoutOf checked it
}

// same reports whether two rows hold the same in column c.
func (c column) same(a, b reflect.Value) bool {
	if c.sealed {
		return c.field(a).Same(c.field(b))
	}
	return reflect.DeepEqual(a.FieldByIndex(c.index).Interface(), b.FieldByIndex(c.index).Interface())
}

// empty reports whether a row holds nothing in column c.
func (c column) empty(row reflect.Value) bool {
	if c.sealed {
		return c.field(row).IsNull()
	}
	return row.FieldByIndex(c.index).IsZero()
}
