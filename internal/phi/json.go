package phi

import (
	"database/sql/driver"
	"fmt"

	"github.com/go-json-experiment/json"
	"gorm.io/datatypes"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// JSON is a sealed value in a JSON column (gorm.io/datatypes): JSONB on PostgreSQL, JSON text on SQLite. The column
// holds exactly {"phi":"phi1:…"}. The zero JSON is NULL.
type JSON[T any] struct{ Field[T] }

// JSONOf returns a JSON column that holds v, to be sealed when its model is saved.
func JSONOf[T any](v T) JSON[T] { return JSON[T]{Of(v)} }

// JSONOfOptional returns a JSON column that holds *v, or NULL.
func JSONOfOptional[T any](v *T) JSON[T] { return JSON[T]{OfOptional(v)} }

// Same is Field.Same for JSON columns.
func (j *JSON[T]) Same(other any) bool {
	o, ok := other.(*JSON[T])
	return ok && j.Field.Same(&o.Field)
}

// Value implements driver.Valuer: the wrapped sealed text, or Field's error.
func (j JSON[T]) Value() (driver.Value, error) { return wrapped(j.Field.Value()) }

// Stored is Field.Stored for JSON columns.
func (j JSON[T]) Stored() (driver.Value, error) { return wrapped(j.Field.Stored()) }

func wrapped(text driver.Value, err error) (driver.Value, error) {
	if text == nil || err != nil {
		return text, err
	}
	return datatypes.JSON(fmt.Sprintf(`{"phi":"%s"}`, text)).Value()
}

// Scan implements sql.Scanner. A column of another shape than Value writes becomes text that Open refuses.
func (j *JSON[T]) Scan(src any) error {
	j.Clear()
	if src == nil {
		return nil
	}
	var column datatypes.JSON
	if err := column.Scan(src); err != nil {
		return fmt.Errorf("%w: column of type %T", ErrUnreadable, src)
	}
	var object struct {
		PHI string `json:"phi"`
	}
	if err := json.Unmarshal(column, &object, json.RejectUnknownMembers(true)); err != nil {
		return j.Field.Scan("")
	}
	return j.Field.Scan(object.PHI)
}

// GormDataType tells GORM the column's type.
func (JSON[T]) GormDataType() string { return datatypes.JSON{}.GormDataType() }

// GormDBDataType tells GORM the column's type on the engine at hand.
func (JSON[T]) GormDBDataType(db *gorm.DB, field *schema.Field) string {
	return datatypes.JSON{}.GormDBDataType(db, field)
}
