package phi

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Private is embedded in the types of values that are PHI in the clear. fmt and slog print Redacted for them, and
// gob refuses them. JSON, which sealing and responses need, contains the whole values.
type Private struct{}

// String returns Redacted.
func (Private) String() string { return Redacted }

// Format prints Redacted for every verb.
func (Private) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, Redacted) }

// LogValue returns Redacted.
func (Private) LogValue() slog.Value { return slog.StringValue(Redacted) }

// GobEncode returns an error.
func (Private) GobEncode() ([]byte, error) { return nil, errPrivate }

// GobDecode returns an error.
func (*Private) GobDecode([]byte) error { return errPrivate }

var errPrivate = errors.New("phi: a private value can't be encoded with gob")
