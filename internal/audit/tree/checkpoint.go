package tree

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is a signed head (C2SP tlog-checkpoint). Its epoch, an extension line, counts the restores from a
// backup. After each restore, the tree continues from an earlier head.
type Checkpoint struct {
	Origin string
	Head   Head
	Epoch  int64
}

const epochPrefix = "epoch "

// text returns the text to sign.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n%s%d\n", c.Origin, c.Head.N, base64.StdEncoding.EncodeToString(c.Head.Hash[:]), epochPrefix, c.Epoch)
}

// Sign returns the signed note of a checkpoint.
func (c Checkpoint) Sign(signers ...note.Signer) (string, error) {
	signed, err := note.Sign(&note.Note{Text: c.text()}, signers...)
	if err != nil {
		return "", fmt.Errorf("audit tree: sign: %w", err)
	}
	return string(signed), nil
}

// errCheckpoint is returned for the text of a signed note that is not a checkpoint.
var errCheckpoint = errors.New("not a checkpoint")

// OpenCheckpoint returns the checkpoint of a signed note. It returns ErrTampered if no key of verifiers signed the
// note.
func OpenCheckpoint(signed string, verifiers note.Verifiers) (Checkpoint, error) {
	opened, err := note.Open([]byte(signed), verifiers)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: checkpoint: %w", ErrTampered, err)
	}
	c, err := parseCheckpoint(opened.Text)
	// note accepts any bits in the padding: one checkpoint would have two texts
	for _, signature := range opened.Sigs {
		_, strict := base64.StdEncoding.Strict().DecodeString(signature.Base64)
		err = errors.Join(err, strict)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: checkpoint: %s", ErrTampered, err.Error())
	}
	return c, nil
}

func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" || lines[0] == "" {
		return Checkpoint{}, errCheckpoint
	}
	c := Checkpoint{Origin: lines[0]}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, errCheckpoint
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, errCheckpoint
	}
	c.Head = Head{N: size, Hash: tlog.Hash(root)}
	for _, extension := range lines[3 : len(lines)-1] {
		if epoch, ok := strings.CutPrefix(extension, epochPrefix); ok {
			if c.Epoch, err = strconv.ParseInt(epoch, 10, 64); err != nil {
				return Checkpoint{}, errCheckpoint
			}
		}
	}
	return c, nil
}
