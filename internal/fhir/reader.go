package fhir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Resource is the result of one line: a value, or the reason for rejecting the line.
type Resource[T any] struct {
	Number int    // from 1, blank lines included
	End    int64  // bytes of the stream read up to the end of this line, for showing progress
	Value  *T     // nil for a reject
	Reject string // the reason, "" for a value; holds nothing of the line's content
}

// Line is a line of a file of patients.
type Line = Resource[Patient]

// Patients reads an NDJSON stream of Patient resources line by line, in memory bounded by MaxLine. Blank lines are
// skipped, lines may end in CRLF, and the stream may begin with a UTF-8 byte order mark.
//
// A line is a Line with Reject set if it is too long, another resource, not mappable, or not valid JSON (RFC 8259,
// valid UTF-8, no duplicate members). Reading then continues. An error is an error of r, and comes with the last
// pair; its Number is the line that could not be read. Patients does not notice an id that occurs twice.
func Patients(r io.Reader) iter.Seq2[Line, error] { return resources(r, parse) }

// resources reads an NDJSON stream as Patients does.
func resources[T any](r io.Reader, parse func([]byte) (*T, string)) iter.Seq2[Resource[T], error] {
	return func(yield func(Resource[T], error) bool) {
		in := newLines(r)
		for {
			text, err := in.next()
			line := Resource[T]{Number: in.number, End: in.offset}
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.Is(err, tooLong):
				line.Reject = tooLong.Error()
			case err != nil:
				yield(line, fmt.Errorf("read line %d: %w", in.number, err))
				return
			case len(bytes.TrimSpace(text)) == 0:
				continue
			default:
				line.Value, line.Reject = parse(text)
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// parse returns a patient, or the reason for rejecting the line.
func parse(line []byte) (*Patient, string) {
	return readAs(line, "Patient", func(r *resource) (*Patient, error) { return r.patient() })
}

// readAs decodes a line as a resource R of a kind and maps it. It returns the reason if it can't.
func readAs[R, T any](line []byte, kind string, to func(*R) (*T, error)) (*T, string) {
	r, err := decode[R](line, kind)
	if err != nil {
		return nil, err.Error()
	}
	value, err := to(r)
	if err != nil {
		return nil, err.Error()
	}
	return value, ""
}
