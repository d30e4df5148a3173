package audit

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redacted is the text that every printed form of sealed log content shows, the same as for the sealed columns
// themselves.
const redacted = "[PHI]"

// private is embedded in types that hold content that the log seals. fmt and slog print redacted for them, and gob
// refuses them.
type private struct{}

// String returns redacted.
func (private) String() string { return redacted }

// Format prints redacted for every verb.
func (private) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue returns redacted.
func (private) LogValue() slog.Value { return slog.StringValue(redacted) }

// GobEncode returns an error.
func (private) GobEncode() ([]byte, error) { return nil, errPrivate }

// GobDecode returns an error.
func (*private) GobDecode([]byte) error { return errPrivate }

// Format prints redacted for every verb.
func (Diff) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue returns redacted.
func (Diff) LogValue() slog.Value { return slog.StringValue(redacted) }

// GobEncode returns an error.
func (Diff) GobEncode() ([]byte, error) { return nil, errPrivate }

// GobDecode returns an error.
func (*Diff) GobDecode([]byte) error { return errPrivate }

var errPrivate = errors.New("audit: sealed log content can't be encoded with gob")
