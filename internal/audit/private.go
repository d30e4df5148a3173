package audit

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what every printed form of what the log seals shows, as that of the sealed columns themselves.
const redacted = "[PHI]"

// private is embedded in types that hold what the log seals: fmt and slog print redacted for them, and gob refuses them.
type private struct{}

// String returns redacted.
func (private) String() string { return redacted }

// Format prints redacted for every verb.
func (private) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue returns redacted.
func (private) LogValue() slog.Value { return slog.StringValue(redacted) }

// GobEncode refuses.
func (private) GobEncode() ([]byte, error) { return nil, errPrivate }

// GobDecode refuses.
func (*private) GobDecode([]byte) error { return errPrivate }

// Format prints redacted for every verb.
func (Diff) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue returns redacted.
func (Diff) LogValue() slog.Value { return slog.StringValue(redacted) }

// GobEncode refuses.
func (Diff) GobEncode() ([]byte, error) { return nil, errPrivate }

// GobDecode refuses.
func (*Diff) GobDecode([]byte) error { return errPrivate }

var errPrivate = errors.New("audit: what the log seals is not for gob")
