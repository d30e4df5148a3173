package auditexport

import (
	"bufio"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/internal/audit/tree"
)

// event is an entry in the form of the API, with all of its content. Sealed content of the log stays sealed.
type event struct {
	ID           uuid.UUID  `json:"id"`
	OccurredAt   time.Time  `json:"occurred_at"`
	UserID       *uuid.UUID `json:"user_id"`
	ActorRoles   []string   `json:"actor_roles"`
	OnBehalfOf   *string    `json:"on_behalf_of"`
	SessionID    *uuid.UUID `json:"session_id"`
	APIKeyID     *uuid.UUID `json:"api_key_id"`
	Address      *string    `json:"address"`
	Route        *string    `json:"route"`
	Purpose      *string    `json:"purpose"`
	DataCategory *string    `json:"data_category"`
	Action       string     `json:"action"`
	EntityType   string     `json:"entity_type"`
	EntityID     *uuid.UUID `json:"entity_id"`
	Subjects     []subject  `json:"subjects"`
	Changes      changes    `json:"changes"`
	Details      *string    `json:"details"`
	Reason       *string    `json:"reason"`
	Outcome      string     `json:"outcome"`
	Origin       string     `json:"origin"`
	RequestID    *string    `json:"request_id"`
}

type subject struct {
	EntityType *string   `json:"entity_type"`
	EntityID   uuid.UUID `json:"entity_id"`
	RowVersion *int64    `json:"row_version"`
	RowDigest  *string   `json:"row_digest"`
}

type changes struct {
	Fields []string `json:"fields"`
	Diff   *string  `json:"diff"`
}

func newEvent(e audit.Entry) event {
	out := event{
		ID: e.ID, OccurredAt: e.OccurredAt.UTC(), UserID: e.UserID, ActorRoles: append([]string{}, e.ActorRoles...), OnBehalfOf: e.OnBehalfOf,
		SessionID: e.SessionID, APIKeyID: e.APIKeyID, Address: e.Address, Route: e.Route, Purpose: e.Purpose, DataCategory: e.DataCategory,
		Action: e.Action, EntityType: e.EntityType, EntityID: e.EntityID, Subjects: make([]subject, len(e.Subjects)),
		Changes: changes{append([]string{}, e.Fields...), e.Diff}, Details: e.Details, Reason: e.Reason,
		Outcome: e.Outcome, Origin: e.Origin, RequestID: e.RequestID,
	}
	for i, s := range e.Subjects {
		out.Subjects[i] = subject{s.EntityType, s.EntityID, s.RowVersion, s.RowDigest}
	}
	return out
}

// ndjson is the program's own format.
type ndjson struct{}

type ndjsonBegin struct {
	Checkpoint string `json:"checkpoint"`
}

type ndjsonRecord struct {
	Index int64    `json:"index"`
	Event event    `json:"event"`
	Leaf  []byte   `json:"leaf"`
	Proof [][]byte `json:"proof"`
}

func newNDJSONRecord(r Record) ndjsonRecord {
	return ndjsonRecord{r.Index, newEvent(r.Entry), r.Entry.Leaf(), proofBytes(r.Proof)}
}

func (ndjson) begin(w *bufio.Writer, checkpoint string) error {
	return writeLine(w, ndjsonBegin{checkpoint})
}

func (ndjson) record(w *bufio.Writer, r Record) error { return writeLine(w, newNDJSONRecord(r)) }

func (ndjson) checkpoint(r *lines) (string, error) {
	line, err := r.read()
	if err != nil {
		return "", err
	}
	var begin ndjsonBegin
	if json.Unmarshal(line, &begin) != nil || !sameLine(line, begin) {
		return "", errNoCheckpoint
	}
	return begin.Checkpoint, nil
}

func (ndjson) next(r *lines) (claim, error) {
	line, err := r.read()
	if err != nil {
		return claim{}, err
	}
	var record ndjsonRecord
	if json.Unmarshal(line, &record) != nil {
		return claim{fault: "is not a record of this format"}, nil //nolint:nilerr // the fault is the result
	}
	return newClaim(record.Index, record.Leaf, record.Proof, func(r Record) bool { return sameLine(line, newNDJSONRecord(r)) }), nil
}

func proofBytes(p tree.Proof) [][]byte {
	out := make([][]byte, len(p))
	for i, hash := range p {
		out[i] = append([]byte{}, hash[:]...)
	}
	return out
}
