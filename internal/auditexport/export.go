// Package auditexport writes audit events with what is needed to check them, and checks such files with the public key alone: each event comes with
// its leaf, the bytes that the Merkle tree hashes, and the proof that the leaf is in the tree of a signed checkpoint. What is readable beside the
// leaf is made from it, so that a reader can make it again and compare.
package auditexport

import (
	"bufio"
	"errors"
	"io"

	"novamind/internal/audit"
	"novamind/internal/audit/tree"
)

// Record is one event with its place in the tree.
type Record struct {
	Index int64
	Entry audit.Entry
	Proof tree.Proof
}

// Format is a kind of file.
type Format string

// The formats.
const (
	NDJSON Format = "ndjson" // a line of JSON for the checkpoint, and one for each event
	CSV    Format = "csv"    // a column for each part of an event; the checkpoint stands in the first row
	FHIR   Format = "fhir"   // NDJSON of FHIR R4: a Binary with the checkpoint, then AuditEvents with the proof as extensions
)

// Formats lists the formats.
func Formats() []Format { return []Format{NDJSON, CSV, FHIR} }

// ErrFormat: there is no such format.
var ErrFormat = errors.New("the formats are ndjson, csv and fhir")

// codec writes one format, and reads it.
type codec interface {
	begin(w *bufio.Writer, checkpoint string) error
	record(w *bufio.Writer, r Record) error
	// next returns the next record of a file, with what it must look like to be the leaf's; io.EOF at the end.
	next(r *lines) (claim, error)
	// checkpoint returns the checkpoint at the beginning of a file.
	checkpoint(r *lines) (string, error)
}

var codecs = map[Format]func() codec{
	NDJSON: func() codec { return &ndjson{} },
	CSV:    func() codec { return &table{} },
	FHIR:   func() codec { return &fhir{} },
}

// Writer writes a file.
type Writer struct {
	codec codec
	out   *bufio.Writer
}

// NewWriter begins a file on w with the checkpoint, a signed note, that all of its proofs are of. It returns ErrFormat.
func NewWriter(w io.Writer, format Format, checkpoint string) (*Writer, error) {
	newCodec, ok := codecs[format]
	if !ok {
		return nil, ErrFormat
	}
	out := &Writer{newCodec(), bufio.NewWriter(w)}
	return out, out.codec.begin(out.out, checkpoint)
}

// Write adds records, and hands them on to the underlying writer.
func (w *Writer) Write(records []Record) error {
	for _, r := range records {
		var err error
		if r.Entry, err = audit.ParseLeaf(r.Entry.Leaf()); err != nil { // what a reader sees: subjects in the leaf's order
			return err
		}
		if err := w.codec.record(w.out, r); err != nil {
			return err
		}
	}
	return w.out.Flush()
}
