package phi

import (
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"

	jsonv2 "github.com/go-json-experiment/json"
)

// Text is a sealed string.
type Text = Field[string]

// Date is a sealed calendar date.
type Date = Field[CalendarDate]

type state uint8

const (
	null   state = iota
	plain        // set by the program, not sealed yet
	sealed       // came from the database, not opened yet
	open         // both forms are there, and agree
)

// Field is a column whose value is sealed in the database. The zero Field is NULL.
//
// A Field keeps the plain and the sealed form apart, so that neither can pass for the other. Value returns sealed
// text only, Plain returns plain values only, and every printed form is Redacted.
type Field[T any] struct {
	value  **T // see conceal
	sealed string
	state  state
}

// conceal hides a value from fmt. fmt calls no methods on the unexported members of a struct that it prints. It
// sometimes follows one pointer there, but never two. Nothing writes through the pointers: copies of a field share
// the value.
func conceal[T any](v T) **T {
	hidden := concealed[T]()
	**hidden = v
	return hidden
}

// concealed returns a hidden zero value, made in one allocation.
func concealed[T any]() **T {
	var place struct {
		value   T
		pointer *T
	}
	place.pointer = &place.value
	return &place.pointer
}

// Of returns a field that holds v, to be sealed when its model is saved.
func Of[T any](v T) Field[T] { return Field[T]{value: conceal(v), state: plain} }

// OfOptional returns a field that holds *v, or NULL.
func OfOptional[T any](v *T) Field[T] {
	if v == nil {
		return Field[T]{}
	}
	return Of(*v)
}

// IsNull reports whether the field is NULL.
func (f Field[T]) IsNull() bool { return f.state == null }

// Plain returns the value, and the zero T for NULL. It panics if the field was never opened. That is a defect of
// the program, and an empty value would look like an empty record.
func (f Field[T]) Plain() T {
	if f.state == sealed {
		panic("phi: Plain called on a field that was not opened")
	}
	if f.value == nil {
		return *new(T)
	}
	return **f.value
}

// Optional returns the value, or nil for NULL.
func (f Field[T]) Optional() *T {
	if f.IsNull() {
		return nil
	}
	v := f.Plain()
	return &v
}

// Reveal returns the value, or nil for NULL.
func (f Field[T]) Reveal() any {
	if f.IsNull() {
		return nil
	}
	return f.Plain()
}

// Seal seals the value for the place that b names. The plain value stays readable.
func (f *Field[T]) Seal(s *Sealer, b Binding) error {
	if f.state == null {
		return nil
	}
	if f.state == sealed {
		return fmt.Errorf("%w: %s.%s was not opened, and can't be sealed anew", ErrNotSealed, b.Table, b.Column)
	}
	text, err := encode(**f.value)
	if err != nil {
		return err
	}
	if f.sealed, err = s.Seal(text, b); err != nil {
		return err
	}
	f.state = open
	return nil
}

// Open makes the plain value readable. It returns ErrUnreadable if the sealed text was not made for the place that
// b names.
func (f *Field[T]) Open(s *Sealer, b Binding) error {
	if f.state == null {
		return nil
	}
	text, err := s.Open(f.sealed, b)
	if err != nil {
		return err
	}
	value := concealed[T]()
	if err := decode(text, *value); err != nil {
		return fmt.Errorf("%w: %s.%s holds another type", ErrUnreadable, b.Table, b.Column)
	}
	f.value, f.state = value, open
	return nil
}

// Clear forgets both forms.
func (f *Field[T]) Clear() { *f = Field[T]{} }

// Same reports whether both fields hold the same plain value. It serves to name the fields that a change touches.
func (f *Field[T]) Same(other any) bool {
	o, ok := other.(*Field[T])
	return ok && f.IsNull() == o.IsNull() && reflect.DeepEqual(f.Plain(), o.Plain())
}

// Value implements driver.Valuer. It returns the sealed text, ErrNotSealed for a plain value, or ErrUnreadable if
// the scanned text is not an envelope. With an error, it returns Redacted: GORM turns nil into the condition IS
// NULL, regardless of the error.
func (f Field[T]) Value() (driver.Value, error) {
	if f.state == sealed && !isEnvelope(f.sealed) {
		return Redacted, fmt.Errorf("%w: not an envelope", ErrUnreadable)
	}
	return f.Stored()
}

// Stored returns the value that the database holds, or is about to hold, in any form. It is for digests, which show
// the value to nobody. It returns ErrNotSealed if the value is plain.
func (f Field[T]) Stored() (driver.Value, error) {
	switch f.state {
	case null:
		return nil, nil //nolint:nilnil // NULL
	case sealed, open:
		return f.sealed, nil
	case plain:
	}
	return Redacted, ErrNotSealed
}

// Scan implements sql.Scanner. It keeps the scanned value without checking it: Open and Value check it.
func (f *Field[T]) Scan(src any) error {
	f.Clear()
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		f.sealed, f.state = v, sealed
	case []byte:
		f.sealed, f.state = string(v), sealed
	default:
		return fmt.Errorf("%w: column of type %T", ErrUnreadable, src)
	}
	return nil
}

// GormDataType tells GORM the column's type.
func (Field[T]) GormDataType() string { return "text" }

// String returns Redacted.
func (Field[T]) String() string { return Redacted }

// Format prints Redacted for every verb.
func (Field[T]) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, Redacted) }

// LogValue returns Redacted.
func (Field[T]) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalJSON returns Redacted: responses are made from types of their own, never from models.
func (Field[T]) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// UnmarshalJSON returns an error: requests are read into types of their own.
func (*Field[T]) UnmarshalJSON([]byte) error {
	return errors.New("phi: a sealed field can't be read from JSON")
}

// MarshalText returns Redacted.
func (Field[T]) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// GobEncode returns Redacted.
func (Field[T]) GobEncode() ([]byte, error) { return []byte(Redacted), nil }

// GobDecode returns an error.
func (*Field[T]) GobDecode([]byte) error {
	return errors.New("phi: a sealed field can't be read from gob")
}

func encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return []byte(v), nil
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return nil, fmt.Errorf("phi: %w", err)
		}
		return text, nil
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("phi: %w", err)
		}
		return text, nil
	}
}

func decode(text []byte, into any) error {
	switch p := into.(type) {
	case *string:
		*p = string(text)
		return nil
	case encoding.TextUnmarshaler:
		return p.UnmarshalText(text) //nolint:wrapcheck // the caller tells nobody
	default:
		return jsonv2.Unmarshal(text, p) //nolint:wrapcheck // three times as fast as encoding/json
	}
}
