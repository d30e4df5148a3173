package auditexport

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// table is the CSV format, for spreadsheets.
type table struct {
	pending string   // the checkpoint, until the first row is written
	first   []string // the first row, read for its checkpoint
}

var columns = []string{
	"index", "id", "occurred_at", "user_id", "actor_roles", "on_behalf_of", "session_id", "api_key_id", "address", "route", "purpose",
	"data_category", "action", "entity_type", "entity_id", "subjects", "fields", "diff", "details", "reason", "outcome", "origin", "request_id",
	"leaf", "proof", "checkpoint",
}

// The columns that hold the proof, counted from the end.
const (
	leafColumn  = 3
	proofColumn = 2
)

// row returns the columns of a record except the checkpoint.
func row(r Record) []string {
	e := r.Entry
	subjects := make([]string, len(e.Subjects))
	for i, s := range e.Subjects {
		subjects[i] = text(s.EntityType) + "/" + s.EntityID.String()
	}
	proof := make([]string, len(r.Proof))
	for i, hash := range r.Proof {
		proof[i] = base64.StdEncoding.EncodeToString(hash[:])
	}
	out := []string{
		strconv.FormatInt(r.Index, 10), e.ID.String(), e.OccurredAt.UTC().Format(time.RFC3339Nano), id(e.UserID), strings.Join(e.ActorRoles, " "), text(e.OnBehalfOf),
		id(e.SessionID), id(e.APIKeyID), text(e.Address), text(e.Route), text(e.Purpose), text(e.DataCategory), e.Action, e.EntityType, id(e.EntityID),
		strings.Join(subjects, " "), strings.Join(e.Fields, " "), text(e.Diff), text(e.Details), text(e.Reason), e.Outcome, e.Origin, text(e.RequestID),
		base64.StdEncoding.EncodeToString(e.Leaf()), strings.Join(proof, " "),
	}
	for i := range out {
		out[i] = harmless(out[i])
	}
	return out
}

var oneLine = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// harmless keeps a cell on its line, and keeps a spreadsheet from reading it as a formula.
func harmless(cell string) string {
	cell = oneLine.Replace(cell)
	if cell != "" && strings.ContainsRune("=+-@\t", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func id(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

func (t *table) begin(w *bufio.Writer, checkpoint string) error {
	t.pending = base64.StdEncoding.EncodeToString([]byte(checkpoint))
	return writeRow(w, columns)
}

func (t *table) record(w *bufio.Writer, r Record) error {
	checkpoint := t.pending
	t.pending = ""
	return writeRow(w, append(row(r), checkpoint))
}

func writeRow(w *bufio.Writer, cells []string) error {
	out := csv.NewWriter(w)
	if err := out.Write(cells); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

func (t *table) checkpoint(r *lines) (string, error) {
	header, err := readRow(r)
	if err != nil || !slices.Equal(header, columns) {
		return "", errNoCheckpoint
	}
	if t.first, err = readRow(r); err != nil {
		return "", errNoCheckpoint
	}
	note, err := base64.StdEncoding.Strict().DecodeString(t.first[len(t.first)-1])
	if err != nil {
		return "", errNoCheckpoint
	}
	return string(note), nil
}

var errRow = errors.New("not a row of this format")

func readRow(r *lines) ([]string, error) {
	line, err := r.read()
	if err != nil {
		return nil, err
	}
	cells, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil || len(cells) != len(columns) {
		return nil, errRow
	}
	return cells, nil
}

func (t *table) next(r *lines) (claim, error) {
	cells := t.first
	t.first = nil
	if cells == nil {
		var err error
		cells, err = readRow(r)
		if errors.Is(err, errRow) {
			return claim{fault: "is not a row of this format"}, nil
		}
		if err != nil {
			return claim{}, err
		}
		if cells[len(cells)-1] != "" {
			return claim{fault: "has a checkpoint of its own"}, nil
		}
	}
	index, indexErr := strconv.ParseInt(cells[0], 10, 64)
	leaf, leafErr := base64.StdEncoding.Strict().DecodeString(cells[len(cells)-leafColumn])
	var proof [][]byte
	var proofErr error
	for hash := range strings.FieldsSeq(strings.TrimPrefix(cells[len(cells)-proofColumn], "'")) {
		raw, err := base64.StdEncoding.Strict().DecodeString(hash)
		proofErr = errors.Join(proofErr, err)
		proof = append(proof, raw)
	}
	if err := errors.Join(indexErr, leafErr, proofErr); err != nil {
		return claim{fault: "is not a row of this format"}, nil //nolint:nilerr // the fault is the result
	}
	shown := cells[:len(cells)-1]
	return newClaim(index, leaf, proof, func(r Record) bool { return slices.Equal(shown, row(r)) }), nil
}
