package models

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// RowDigest returns the digest of a row as the database holds it, including sealed values. It is the SHA-256, in
// hex, over the columns that are not NULL, in the order of their names. PostgreSQL's witness computes the same
// digest (audit_row_digest).
func RowDigest(model any) (string, error) {
	l := layoutOf(model)
	row := reflect.Indirect(reflect.ValueOf(model))
	sum := sha256.New()
	for _, c := range l.byName {
		text, present, err := c.text(row)
		if err != nil {
			return "", fmt.Errorf("digest of %s.%s: %w", l.table, c.name, err)
		}
		if present {
			_, _ = io.WriteString(sum, c.name+":"+strconv.Itoa(len(text))+":"+text+";")
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// text returns a column's value as PostgreSQL's jsonb_each_text prints it, and whether there is one.
func (c column) text(row reflect.Value) (string, bool, error) {
	value := row.FieldByIndex(c.index)
	for value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return "", false, nil
		}
		value = value.Elem()
	}
	switch v := value.Interface().(type) {
	case uuid.UUID:
		return v.String(), true, nil
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.999999+00:00"), true, nil
	case storedColumn:
		return storedText(v)
	case driver.Valuer:
		return textOf(v.Value())
	case string:
		return v, true, nil
	default:
		text, err := json.Marshal(v) // numbers and booleans
		return string(text), true, err
	}
}

// storedColumn is a sealed column. A digest covers the stored value, even if somebody else wrote it.
type storedColumn interface{ Stored() (driver.Value, error) }

func storedText(v storedColumn) (string, bool, error) { return textOf(v.Stored()) }

func textOf(value driver.Value, err error) (string, bool, error) {
	if err != nil {
		return "", false, err
	}
	switch text := value.(type) {
	case nil:
		return "", false, nil
	case string:
		return spaced(text), true, nil
	case []byte:
		return spaced(string(text)), true, nil
	default:
		return "", false, fmt.Errorf("models: no digest of a %T", value)
	}
}

// spaced writes the JSON object of a sealed column as PostgreSQL prints it.
func spaced(text string) string {
	if rest, ok := strings.CutPrefix(text, `{"phi":"`); ok {
		return `{"phi": "` + rest
	}
	return text
}
