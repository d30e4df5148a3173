package fhir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Line is what became of one line: a patient, or the reason why it is none.
type Line struct {
	Number  int      // from 1, blank lines counted
	End     int64    // bytes of the stream read up to and with this line, for showing progress
	Patient *Patient // nil for a reject
	Reject  string   // why, "" for a patient; holds nothing of what the line says
}

// Patients reads an NDJSON stream of Patient resources line by line, in memory bounded by MaxLine. Blank lines are
// passed over, lines may end in CRLF, and the stream may begin with a UTF-8 byte order mark.
//
// A line that is too long, invalid JSON (RFC 8259, with no member twice and valid UTF-8), another resource, or not
// mappable is a Line with Reject set, and reading goes on. The error is that of r, and the last pair; Number is then
// the line that could not be read. An id that occurs twice is not noticed here.
func Patients(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		in := newLines(r)
		for {
			text, err := in.next()
			line := Line{Number: in.number, End: in.offset}
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
				line.Patient, line.Reject = parse(text)
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// parse returns a patient, or why there is none.
func parse(line []byte) (*Patient, string) {
	r, err := decode(line)
	if err != nil {
		return nil, err.Error()
	}
	patient, err := r.patient()
	if err != nil {
		return nil, err.Error()
	}
	return patient, ""
}
