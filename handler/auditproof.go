package handler

import (
	"context"

	"github.com/google/uuid"

	"novamind/internal/audit/tree"
	"novamind/internal/rest"
)

type checkpointAnswer struct {
	Checkpoint *string  `json:"checkpoint" doc:"The signed checkpoint, as a note. Null before the first event."`
	Size       int64    `json:"size" doc:"The number of events in the log."`
	Root       string   `json:"root" doc:"The hash of the tree's root, in base64."`
	Epoch      int64    `json:"epoch" doc:"Increases by one each time an operator declares that the log was restored from a backup."`
	Keys       []string `json:"keys" doc:"The public keys for verifying the checkpoint."`
}

// checkpoint returns the newest checkpoint of the log, and the keys for verifying it. It identifies no person, so any
// login and any API key may see it.
func (a *API) checkpoint(ctx context.Context, _ rest.Nothing) (checkpointAnswer, error) {
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
	Leaf       []byte    `json:"leaf" doc:"The bytes of the event that the Merkle tree hashes."`
	Proof      [][]byte  `json:"proof" doc:"The hashes of the inclusion proof (RFC 6962)."`
	Checkpoint string    `json:"checkpoint" doc:"The signed checkpoint that the proof leads to, as a note."`
	File       string    `json:"file" doc:"The whole proof as a C2SP tlog-proof, for the command audit verify --file."`
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
