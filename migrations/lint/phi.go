package lint

import (
	"slices"
	"strings"
)

// phiWords are words in the names of columns that hold PHI.
var phiWords = []string{
	"name", "birth", "contact", "address", "street", "city", "zip", "insurance", "policy", "phone", "email", "relation", "gender",
	"reason", "note", "content", "title", "comment", "description", "details", "message", "diagnos", "medic", "code", "url",
}

func calledLikePHI(column string) bool {
	return slices.ContainsFunc(phiWords, func(word string) bool { return strings.Contains(column, word) })
}

// neverText are the types that hold no text, on either engine.
var neverText = []string{
	"bool", "boolean", "int2", "int4", "int8", "int", "integer", "smallint", "bigint", "serial", "serial4", "bigserial", "serial8", "smallserial",
	"float4", "float8", "real", "double", "numeric", "decimal", "uuid", "timestamp", "timestamptz", "datetime", "time", "timetz", "interval", "oid", "xid8",
}

func baseType(name string) string {
	base, _, _ := strings.Cut(strings.ToLower(name), "(")
	base, _, _ = strings.Cut(strings.TrimSpace(base), " ")
	return strings.TrimSuffix(base, "[]")
}

func isDate(name string) bool { return baseType(name) == "date" }

// holdsText reports whether a column of a type can hold text. SQLite keeps UUIDs as text. There, PostgreSQL's type of
// the column decides, if PostgreSQL has the column.
func (f *file) holdsText(column object, name string) bool {
	if d, ok := f.twin[column]; ok {
		name = d.Type
	}
	return !slices.Contains(neverText, baseType(name))
}
