package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"novamind/internal/audit"
	"novamind/internal/audit/tree"
	"novamind/internal/plural"
)

// anchorInterval is how often a server publishes a checkpoint.
const anchorInterval = time.Minute

// ErrRolledBack means that the log is not the log that was anchored, or is an old copy of it.
var ErrRolledBack = errors.New("the audit log is not what was anchored")

// Checkpoint returns the newest checkpoint and its signed note, after making leaves of all events that wait. The note
// is empty before the first event.
func (s *AuditTreeService) Checkpoint(ctx context.Context) (tree.Checkpoint, string, error) {
	if err := s.sequencer.Drain(ctx); err != nil {
		return tree.Checkpoint{}, "", err
	}
	return s.tree.Latest(ctx)
}

// VerifierKeys returns the public keys of the log, for others to check it with.
func (s *AuditTreeService) VerifierKeys() []string {
	return s.store.Keyring().LogSigner().VerifierKeys()
}

// Anchor appends the newest checkpoint to the anchor file at path, unless it is the last one there.
func (s *AuditTreeService) Anchor(ctx context.Context, path string) (tree.Checkpoint, string, error) {
	checkpoint, note, err := s.Checkpoint(ctx)
	if err != nil || note == "" {
		return checkpoint, note, err
	}
	anchors, _, err := tree.ReadAnchors(path)
	if err != nil || len(anchors) > 0 && anchors[len(anchors)-1].Checkpoint == note {
		return checkpoint, note, err
	}
	return checkpoint, note, tree.AppendAnchor(path, tree.Anchor{Time: time.Now().UTC(), Checkpoint: note})
}

// CheckAnchor compares the log with its last anchored checkpoint. It returns ErrRolledBack if that checkpoint is not
// part of the log's history.
func (s *AuditTreeService) CheckAnchor(ctx context.Context, path string) error {
	anchors, _, err := tree.ReadAnchors(path)
	if err != nil {
		return err
	}
	signer := s.store.Keyring().LogSigner()
	latest, _, err := s.tree.Latest(ctx)
	if err != nil {
		return err
	}
	for _, anchor := range slices.Backward(anchors) {
		if !strings.HasPrefix(anchor.Checkpoint, signer.Origin()+"\n") {
			continue // of another log
		}
		anchored, err := tree.OpenCheckpoint(anchor.Checkpoint, signer.Verifiers())
		if err != nil {
			return fmt.Errorf("%w: the last anchored checkpoint was not signed by it", ErrRolledBack)
		}
		if anchored.Epoch < latest.Epoch {
			return nil // a backup was restored since; Verify checks that case
		}
		return s.contains(ctx, latest.Head, anchored.Head)
	}
	return nil
}

// contains returns ErrRolledBack if the tree of head did not grow from an earlier one.
func (s *AuditTreeService) contains(ctx context.Context, head, earlier tree.Head) error {
	if earlier.N > head.N {
		return fmt.Errorf("%w: it has %s, and had %d", ErrRolledBack, plural.Count(head.N, "event", "events"), earlier.N)
	}
	root, err := tlog.TreeHash(earlier.N, tree.Reader(head, s.tree.Tiles(ctx)))
	if err != nil {
		return err
	}
	if root != earlier.Hash {
		return fmt.Errorf("%w: its first %s", ErrRolledBack, plural.Count(earlier.N, "event differs", "events differ"))
	}
	return nil
}

// Restored records, as an event, that a backup was restored on purpose, and the reason. The log continues from it in
// a new epoch.
func (s *AuditTreeService) Restored(ctx context.Context, reason string) error {
	intent := audit.Intent{Action: audit.Restore, EntityType: "auditlog", Reason: reason}
	return s.store.Read(audit.WithIntent(ctx, intent), func(context.Context) error { return nil })
}

// AnchorInBackground publishes checkpoints to the file at path every minute until ctx is done, and once more at the
// end.
func (s *AuditTreeService) AnchorInBackground(ctx context.Context, path string, log *slog.Logger) {
	ticker := time.NewTicker(anchorInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		if _, _, err := s.Anchor(context.WithoutCancel(ctx), path); err != nil {
			log.ErrorContext(ctx, "the audit log can't be anchored", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}
