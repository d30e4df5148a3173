// Package auditexport writes audit events with all data needed to check them, and checks such files with the public
// key alone. Each event comes with its leaf, which is the bytes that the Merkle tree hashes. It also comes with the
// proof that the leaf is in the tree of a signed checkpoint. The readable part beside the leaf is made from the
// leaf, so that a reader can make it again and compare.
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
	CSV    Format = "csv"    // a column for each part of an event; the checkpoint is in the first row
	// FHIR is NDJSON of FHIR R4: a Binary with the checkpoint, then AuditEvents with the proof as extensions.
	FHIR Format = "fhir"
)

// Formats lists the formats.
func Formats() []Format { return []Format{NDJSON, CSV, FHIR} }

// ErrFormat is returned for an unknown format.
var ErrFormat = errors.New("the formats are ndjson, csv and fhir")

// codec writes one format, and reads it.
type codec interface {
	begin(w *bufio.Writer, checkpoint string) error
	record(w *bufio.Writer, r Record) error
	// next returns the next record of a file, with a check that its readable part matches the leaf; io.EOF at the
	// end.
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

// NewWriter begins a file on w with a checkpoint, a signed note. All proofs in the file are of that checkpoint. It
// returns ErrFormat.
func NewWriter(w io.Writer, format Format, checkpoint string) (*Writer, error) {
	newCodec, ok := codecs[format]
	if !ok {
		return nil, ErrFormat
	}
	out := &Writer{newCodec(), bufio.NewWriter(w)}
	return out, out.codec.begin(out.out, checkpoint)
}

// Write adds records, and passes them to the underlying writer.
func (w *Writer) Write(records []Record) error {
	for _, r := range records {
		var err error
		// as a reader sees it: subjects in the leaf's order
		if r.Entry, err = audit.ParseLeaf(r.Entry.Leaf()); err != nil {
			return err
		}
		if err := w.codec.record(w.out, r); err != nil {
			return err
		}
	}
	return w.out.Flush()
}
