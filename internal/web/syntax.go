package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"novamind/internal/apperr"
)

// maxDepth is the greatest depth of nested objects and arrays.
const maxDepth = 32

// CheckSyntax returns an error unless body is exactly one JSON text (RFC 8259) in valid UTF-8, without duplicate
// members or lone surrogates, at most maxDepth levels deep. The error is apperr.Malformed; it names the place, never
// the content. Reading stops at the first fault, so of ten thousand brackets it reads only thirty-three.
func CheckSyntax(body []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	for tokens := 0; ; tokens++ {
		complete := tokens > 0 && dec.StackDepth() == 0
		_, err := dec.ReadToken()
		switch {
		case errors.Is(err, io.EOF) && complete:
			return nil
		case errors.Is(err, io.EOF) && tokens == 0:
			return Malformed("empty", "The body is empty: send a JSON value.")
		case complete:
			return Malformed("trailing_data", fmt.Sprintf("The body has more text after the JSON value, from byte %d on: send one JSON value.", dec.InputOffset()))
		case err != nil:
			return syntaxError(err)
		case dec.StackDepth() > maxDepth:
			return Malformed("too_deep", fmt.Sprintf("The body is nested deeper than %d levels: send fewer levels.", maxDepth))
		}
	}
}

// syntaxError describes a decoder's error without wrapping it: its text quotes the body.
func syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return Malformed("syntax", "The body is not valid JSON in UTF-8.")
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return Malformed("duplicate_member", fmt.Sprintf("An object has the same member twice, at byte %d: send each member once.", syntax.ByteOffset))
	}
	return Malformed("syntax", fmt.Sprintf("The body is not valid JSON in UTF-8: see byte %d.", syntax.ByteOffset))
}

// Malformed returns a Malformed error about the request as a whole.
func Malformed(code, detail string) error { return malformedAt("", code, detail) }

func malformedAt(pointer, code, detail string) error {
	e := apperr.New(apperr.Malformed, detail)
	e.Fields = []apperr.Field{{Pointer: pointer, Code: code, Detail: detail}}
	return e
}
