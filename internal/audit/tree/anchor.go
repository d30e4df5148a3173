package tree

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Anchor is a line of the anchor file: a checkpoint published outside the database, where a person that alters the
// database can't alter it.
type Anchor struct {
	Time       time.Time `json:"time"`
	Checkpoint string    `json:"checkpoint"` // the signed note
}

// maxAnchorLine is far more than a checkpoint with many signatures needs.
const maxAnchorLine = 1 << 20

// AppendAnchor adds a line to the anchor file at path, and syncs it. A missing file is made, readable by its owner
// alone.
func AppendAnchor(path string, a Anchor) error {
	line, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("audit anchor: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("audit anchor: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return fmt.Errorf("audit anchor: %w", err)
	}
	// One write makes a line of its own, even after a line that a crash cut short.
	_, err = file.Write(slices.Concat([]byte("\n"), line, []byte("\n")))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("audit anchor: %w", err)
	}
	return nil
}

// ReadAnchors returns the lines of the anchor file at path, in order, and the number of lines it could not read: a
// crash may cut a line short. Without a file, it returns no lines.
func ReadAnchors(path string) (anchors []Anchor, unread int, err error) {
	file, err := os.Open(path) //nolint:gosec // the path is the operator's
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("audit anchor: %w", err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxAnchorLine)
	for lines.Scan() {
		var a Anchor
		switch err := json.Unmarshal(lines.Bytes(), &a); {
		case len(lines.Bytes()) == 0:
		case err != nil || a.Checkpoint == "":
			unread++
		default:
			anchors = append(anchors, a)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, 0, fmt.Errorf("audit anchor: %w", err)
	}
	return anchors, unread, nil
}
