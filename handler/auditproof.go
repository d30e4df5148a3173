package handler

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

type checkpointAnswer struct {
	Checkpoint *string  `json:"checkpoint"` // the signed note; null before the first event
	Size       int64    `json:"size"`
	Root       string   `json:"root"`
	Epoch      int64    `json:"epoch"`
	Keys       []string `json:"keys"`
}

// getCheckpoint answers the newest signed head of the log, and the keys to check it with. It is for everybody, API keys too, whatever their roles and scopes: it tells of nobody.
func (a *API) getCheckpoint(c *gin.Context) error {
	checkpoint, note, err := a.AuditTree.Checkpoint(c.Request.Context())
	if err != nil {
		return err
	}
	answer := checkpointAnswer{Size: checkpoint.Head.N, Root: checkpoint.Head.Hash.String(), Epoch: checkpoint.Epoch, Keys: a.AuditTree.VerifierKeys()}
	if note != "" {
		answer.Checkpoint = &note
	}
	return writeJSON(c, http.StatusOK, answer)
}

type proofAnswer struct {
	ID         uuid.UUID   `json:"id"`
	LeafIndex  int64       `json:"leaf_index"`
	Leaf       []byte      `json:"leaf"`  // what the tree hashes
	Proof      []tlog.Hash `json:"proof"` // RFC 6962
	Checkpoint string      `json:"checkpoint"`
	File       string      `json:"file"` // all of it as a C2SP tlog-proof, for audit verify --file
}

// getAuditLogProof answers the proof that an event is in the log.
func (a *API) getAuditLogProof(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	file, err := a.AuditTree.Prove(c.Request.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, proofAnswer{id, file.Index, file.Leaf, append([]tlog.Hash{}, file.Proof...), file.Checkpoint, file.String()})
}
