package auditexport

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"novamind/internal/audit"
	"novamind/internal/audit/tree"
)

// Report is the result of Verify.
type Report struct {
	OK       bool      `json:"ok"`
	Origin   string    `json:"origin"` // the log's name
	Size     int64     `json:"size"`   // of the tree of the checkpoint
	Root     string    `json:"root"`
	Epoch    int64     `json:"epoch"`
	Events   int64     `json:"events"`   // number of proved events
	Complete bool      `json:"complete"` // the file has all events of the log at the checkpoint
	Findings []Finding `json:"findings"`
}

// Finding is one record that is not proved.
type Finding struct {
	Line    int        `json:"line"`
	Index   *int64     `json:"index"`
	EventID *uuid.UUID `json:"event_id"`
	Detail  string     `json:"detail"`
}

// maxFindings bounds a report.
const maxFindings = 1000

var (
	// ErrNotExport is returned if the file is not one that this package writes.
	ErrNotExport = errors.New("the file is neither an export of an audit log nor a proof")
	// ErrSigner is returned if none of the given keys signed the file's checkpoint.
	ErrSigner = errors.New("none of the keys signed the file's checkpoint: it is of another log, altered, " +
		"or signed by a newer key: see audit anchor, which prints all keys of the log")
	// ErrSignature is returned if the file's checkpoint names one of the given keys, but that key did not sign it.
	ErrSignature    = errors.New("the file's checkpoint was altered: its signature is not that of the key that it names")
	errNoCheckpoint = errors.New("the file does not begin with a checkpoint")
)

// claim is the content of a record, before it is checked.
type claim struct {
	fault string // the reason why it is no record at all
	index int64
	leaf  []byte
	proof tree.Proof
	shown func(Record) bool // whether the readable part matches the leaf
}

func newClaim(index int64, leaf []byte, proof [][]byte, shown func(Record) bool) claim {
	c := claim{index: index, leaf: leaf, shown: shown}
	for _, raw := range proof {
		if len(raw) != tlog.HashSize {
			return claim{fault: "has a malformed proof"}
		}
		c.proof = append(c.proof, tlog.Hash(raw))
	}
	return c
}

// Verify checks a file of any format against the log's public keys, and needs nothing else. It returns
// ErrNotExport, or an error if the file can't be read. If none of the keys signed the checkpoint, it returns
// ErrSigner or ErrSignature, and tree.ErrTampered: then the records can't be checked.
func Verify(r io.Reader, verifiers note.Verifiers) (Report, error) {
	in := &lines{in: bufio.NewReaderSize(r, 1<<16)}
	begin, err := in.in.Peek(64)
	if err != nil && !errors.Is(err, io.EOF) {
		return Report{}, err
	}
	if tree.IsProofFile(string(begin)) {
		return verifyProof(in, verifiers)
	}
	codec := sniff(begin)
	if codec == nil {
		return Report{}, ErrNotExport
	}
	signed, err := codec.checkpoint(in)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrNotExport, errNoCheckpoint)
	}
	checkpoint, err := openCheckpoint(signed, verifiers)
	if err != nil {
		return Report{}, err
	}
	v := &verification{Report: newReport(checkpoint), head: checkpoint.Head, seen: map[int64]bool{}}
	for {
		c, err := codec.next(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return v.Report, err
		}
		v.judge(in.number, c)
	}
	v.OK = len(v.Findings) == 0
	v.Complete = v.OK && v.Events == v.Size
	return v.Report, nil
}

// openCheckpoint is tree.OpenCheckpoint with a more precise error, ErrSigner or ErrSignature, which says where to
// look for the cause.
func openCheckpoint(signed string, verifiers note.Verifiers) (tree.Checkpoint, error) {
	checkpoint, err := tree.OpenCheckpoint(signed, verifiers)
	var unknown *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unknown):
		err = fmt.Errorf("%w (%w)", ErrSigner, err)
	case err != nil:
		err = fmt.Errorf("%w (%w)", ErrSignature, err)
	}
	return checkpoint, err
}

// sniff returns the format of a file with this beginning, or nil for an unknown format.
func sniff(begin []byte) codec {
	switch {
	case bytes.HasPrefix(begin, []byte(`{"checkpoint":`)):
		return codecs[NDJSON]()
	case bytes.HasPrefix(begin, []byte(`{"resourceType":"Binary"`)):
		return codecs[FHIR]()
	case bytes.HasPrefix(begin, []byte(columns[0]+","+columns[1]+",")):
		return codecs[CSV]()
	default:
		return nil
	}
}

func newReport(c tree.Checkpoint) Report {
	return Report{Origin: c.Origin, Size: c.Head.N, Root: c.Head.Hash.String(), Epoch: c.Epoch, Findings: []Finding{}}
}

type verification struct {
	Report
	head tree.Head
	seen map[int64]bool
}

func (v *verification) judge(line int, c claim) {
	f := Finding{Line: line, Detail: c.fault}
	if c.fault == "" {
		f.Index = &c.index
		f.EventID, f.Detail = v.fault(c)
	}
	if f.Detail == "" {
		v.seen[c.index] = true
		v.Events++
		return
	}
	if len(v.Findings) < maxFindings {
		v.Findings = append(v.Findings, f)
	}
}

// fault returns the id of the event of a claim, and the reason why the claim is not proved, or "" if it is proved.
func (v *verification) fault(c claim) (*uuid.UUID, string) {
	entry, err := audit.ParseLeaf(c.leaf)
	if err != nil {
		return nil, "has a leaf that is not an event"
	}
	switch {
	case tree.Included(c.proof, v.head, c.index, c.leaf) != nil:
		return &entry.ID, "is not in the tree that was signed"
	case v.seen[c.index]:
		return &entry.ID, "stands in the file twice"
	case !c.shown(Record{c.index, entry, c.proof}):
		return &entry.ID, "shows something else than what was signed"
	default:
		return &entry.ID, ""
	}
}

func verifyProof(in *lines, verifiers note.Verifiers) (Report, error) {
	text, err := io.ReadAll(io.LimitReader(in.in, maxLine))
	if err != nil {
		return Report{}, err
	}
	file, err := tree.ParseProofFile(string(text))
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrNotExport, err)
	}
	checkpoint, err := openCheckpoint(file.Checkpoint, verifiers)
	if err != nil {
		return Report{}, err
	}
	v := &verification{Report: newReport(checkpoint), head: checkpoint.Head, seen: map[int64]bool{}}
	v.judge(1, claim{index: file.Index, leaf: file.Leaf, proof: file.Proof, shown: func(Record) bool { return true }})
	v.OK = len(v.Findings) == 0
	v.Complete = v.OK && v.Events == v.Size
	return v.Report, nil
}

// lines reads a file line by line.
type lines struct {
	in     *bufio.Reader
	number int
}

// maxLine bounds a line. It is far more than an event with very many subjects needs.
const maxLine = 64 << 20

var errLine = errors.New("a line is longer than 64 MiB")

// read returns the next line, without its end; io.EOF after the last line.
func (l *lines) read() ([]byte, error) {
	var line []byte
	for {
		part, err := l.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, errLine
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0, err == nil:
			l.number++
			return bytes.TrimSuffix(line, []byte("\n")), nil
		default:
			return nil, err
		}
	}
}

func writeLine(w *bufio.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// sameLine reports whether a line equals the output of writeLine for v.
func sameLine(line []byte, v any) bool {
	want, err := json.Marshal(v)
	return err == nil && bytes.Equal(line, want)
}
