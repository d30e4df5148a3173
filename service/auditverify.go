package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"novamind/internal/audit/tree"
	"novamind/internal/plural"
	"novamind/models"
	"novamind/repository"
)

// Finding is one difference from the recorded state.
type Finding struct {
	Kind    string     `json:"kind"`
	Index   *int64     `json:"index"`    // of the leaf, if there is one
	EventID *uuid.UUID `json:"event_id"` // likewise
	Detail  string     `json:"detail"`
}

// The kinds of findings.
const (
	FoundModified   = "modified"   // an event was changed after it became a leaf
	FoundDeleted    = "deleted"    // an event is gone
	FoundReordered  = "reordered"  // an event stands at another's place
	FoundInserted   = "inserted"   // an event was added outside of the program
	FoundTile       = "tile"       // the stored hashes differ from the signed ones; the events do not
	FoundCheckpoint = "checkpoint" // a stored checkpoint was altered, or signed with another key
	FoundRewritten  = "rewritten"  // the history differs from the signed or anchored history
	FoundTruncated  = "truncated"  // the end of the log is gone, or all of it is an old copy
	FoundRow        = "row"        // a record differs from its last event
)

// maxFindings bounds a report, in case everything was tampered with.
const maxFindings = 1000

// Verification is the result of Verify.
type Verification struct {
	OK          bool      `json:"ok"`
	Events      int64     `json:"events"` // leaves that were checked
	Root        string    `json:"root"`   // of the tree, in base64
	Checkpoints int       `json:"checkpoints"`
	Anchors     int       `json:"anchors"`
	Rows        int       `json:"rows"`
	Pending     int64     `json:"pending"` // events that wait to become leaves
	Findings    []Finding `json:"findings"`
	Notes       []string  `json:"notes"` // remarks that are no findings

	logDiffers, rowsDiffer bool
}

// Diagnosis summarizes the findings in one line; it is "" if there are none.
func (v Verification) Diagnosis() string {
	switch {
	case v.logDiffers && v.rowsDiffer:
		return "the audit log was tampered with, and records differ from the log"
	case v.logDiffers:
		return "the audit log was tampered with"
	case v.rowsDiffer:
		return "the audit log is intact, but records differ from it: they were changed by another way than the program"
	default:
		return ""
	}
}

// VerifyOptions are the checks of Verify besides the tree itself.
type VerifyOptions struct {
	Since    string        // a checkpoint's signed note: only later events are checked
	Rows     bool          // compare the records with the last events on them
	Anchors  []tree.Anchor // checkpoints that were published outside of the database
	Progress func(done, total int64)
}

// AuditTreeService checks the audit log against its tree.
type AuditTreeService struct {
	store     *repository.Store
	tree      *repository.AuditTreeRepository
	sequencer *repository.Sequencer
}

// NewAuditTreeService returns the service on a store.
func NewAuditTreeService(store *repository.Store) *AuditTreeService {
	return &AuditTreeService{store: store, tree: repository.NewAuditTreeRepository(store), sequencer: repository.NewSequencer(store)}
}

// Verify compares the whole log with its signed checkpoints and returns the differences, the first bad entry first.
// It shows no event, and changes nothing, except that waiting events become leaves. An error means that the log could
// not be checked.
func (s *AuditTreeService) Verify(ctx context.Context, options VerifyOptions) (Verification, error) {
	v := &verifier{AuditTreeService: s, options: options, result: Verification{Findings: []Finding{}, Notes: []string{}}}
	if err := s.sequencer.Drain(ctx); err != nil && !errors.Is(err, tree.ErrTampered) {
		return v.result, err
	}
	err := v.run(ctx)
	v.result.OK = len(v.result.Findings) == 0
	return v.result, err
}

// verifier is one run of Verify.
type verifier struct {
	*AuditTreeService
	options VerifyOptions
	result  Verification

	start       int64             // earlier leaves are trusted as they were signed
	signed      []tree.Checkpoint // in order
	anchored    []anchored
	stored      tree.Roots // of the hashes that the tiles hold
	recomputed  tree.Roots // of the events as they are
	suspects    []suspect  // leaves that differ, until the next checkpoint says which side is right
	misformed   bool       // rows of the log are not in the form that queries expect
	firstBroken *int64     // the first checkpoint that the stored hashes don't lead to
}

type anchored struct {
	tree.Checkpoint
	at string
}

func (v *verifier) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{v.readCheckpoints, v.readAnchors, v.checkForms, v.checkLeaves, v.checkTiles, v.checkEnds, v.checkInserted, v.checkRows} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	pending, _, err := v.tree.Pending(ctx)
	v.result.Pending = pending
	return err
}

func (v *verifier) found(f Finding) {
	if f.Kind == FoundRow {
		v.result.rowsDiffer = true
	} else {
		v.result.logDiffers = true
	}
	if len(v.result.Findings) < maxFindings {
		v.result.Findings = append(v.result.Findings, f)
	}
}

func about(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// readCheckpoints reads the stored checkpoints, each of which must be signed by the log's key and match its row.
func (v *verifier) readCheckpoints(ctx context.Context) error {
	signer := v.store.Keyring().LogSigner()
	if v.options.Since != "" {
		since, err := tree.OpenCheckpoint(v.options.Since, signer.Verifiers())
		if err != nil {
			return fmt.Errorf("the checkpoint to start from is none of this log: %w", err)
		}
		v.start = since.Head.N
		v.signed = append(v.signed, since)
	}
	return v.tree.Checkpoints(ctx, v.start, func(row models.AuditCheckpoint) error {
		c, err := tree.OpenCheckpoint(row.Note, signer.Verifiers())
		if ours := err == nil && c.Head.N == row.TreeSize && c.Epoch == row.Epoch && c.Origin == signer.Origin(); !ours {
			v.found(Finding{Kind: FoundCheckpoint, Index: new(row.TreeSize - 1), Detail: fmt.Sprintf("the checkpoint at %d is not one that this log signed", row.TreeSize)})
			return nil
		}
		v.result.Checkpoints++
		v.signed = append(v.signed, c)
		return nil
	})
}

// readAnchors reads the published checkpoints. Those of an earlier epoch may go further than that epoch did before a
// backup was put back.
func (v *verifier) readAnchors(context.Context) error {
	signer := v.store.Keyring().LogSigner()
	others := 0
	for _, a := range v.options.Anchors {
		if !strings.HasPrefix(a.Checkpoint, signer.Origin()+"\n") {
			others++
			continue
		}
		c, err := tree.OpenCheckpoint(a.Checkpoint, signer.Verifiers())
		if err != nil {
			v.found(Finding{Kind: FoundCheckpoint, Detail: "an anchored checkpoint names this log, and was not signed by it"})
			continue
		}
		v.result.Anchors++
		if c.Head.N >= v.start {
			v.anchored = append(v.anchored, anchored{c, a.Time.UTC().Format("2006-01-02 15:04:05Z")})
		}
	}
	slices.SortStableFunc(v.anchored, func(a, b anchored) int { return cmp.Compare(a.Head.N, b.Head.N) })
	if others > 0 {
		v.note(plural.Count(others, "anchored checkpoint is", "anchored checkpoints are") + " of other logs")
	}
	return nil
}

func (v *verifier) note(text string) {
	v.result.Notes = append(v.result.Notes, text)
}
