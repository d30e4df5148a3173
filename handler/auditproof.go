package handler

import (
	"context"

	"github.com/google/uuid"

	"novamind/internal/audit/tree"
)

type checkpointAnswer struct {
	Checkpoint *string  `json:"checkpoint" doc:"The signed note; null before the first event."`
	Size       int64    `json:"size" doc:"The number of events in the log."`
	Root       string   `json:"root" doc:"The hash of the tree's root, in base64."`
	Epoch      int64    `json:"epoch" doc:"Grows by one where a backup of the log was put back on purpose."`
	Keys       []string `json:"keys" doc:"The public keys to check the note with."`
}

// checkpoint returns the newest signed head of the log, and the keys to check it with. It names nobody: any login may
// see it, and any API key, whatever its scopes.
func (a *API) checkpoint(ctx context.Context, _ nothing) (checkpointAnswer, error) {
	checkpoint, note, err := a.AuditTree.Checkpoint(ctx)
	if err != nil {
		return checkpointAnswer{}, err
	}
	answer := checkpointAnswer{
		Size: checkpoint.Head.N, Root: checkpoint.Head.Hash.String(), Epoch: checkpoint.Epoch,
		Keys: a.AuditTree.VerifierKeys(),
	}
	if note != "" {
		answer.Checkpoint = &note
	}
	return answer, nil
}

type proofAnswer struct {
	ID         uuid.UUID `json:"id"`
	LeafIndex  int64     `json:"leaf_index"`
	Leaf       []byte    `json:"leaf" doc:"The bytes that the tree hashes."`
	Proof      [][]byte  `json:"proof" doc:"The hashes of an inclusion proof (RFC 6962)."`
	Checkpoint string    `json:"checkpoint" doc:"The signed note of the tree that the proof leads to."`
	File       string    `json:"file" doc:"All of it as a C2SP tlog-proof, for audit verify --file."`
}

// prove returns the proof that an event is in the log.
func (a *API) prove(ctx context.Context, id uuid.UUID) (proofAnswer, error) {
	file, err := a.AuditTree.Prove(ctx, id)
	if err != nil {
		return proofAnswer{}, err
	}
	return newProofAnswer(id, file), nil
}

func newProofAnswer(id uuid.UUID, file tree.ProofFile) proofAnswer {
	answer := proofAnswer{
		ID: id, LeafIndex: file.Index, Leaf: file.Leaf, Proof: make([][]byte, len(file.Proof)),
		Checkpoint: file.Checkpoint, File: file.String(),
	}
	for i, hash := range file.Proof {
		answer.Proof[i] = hash[:]
	}
	return answer
}
