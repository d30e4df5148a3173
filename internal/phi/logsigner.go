package phi

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/signature"
	tinked25519 "github.com/tink-crypto/tink-go/v2/signature/ed25519"
	"github.com/tink-crypto/tink-go/v2/tink"
	"golang.org/x/mod/sumdb/note"
)

// LogSigner signs the audit log's checkpoints as notes (C2SP signed-note), with Ed25519.
type LogSigner struct {
	origin    string
	signer    tink.Signer
	primary   note.Verifier
	verifiers note.Verifiers
	keys      []string
}

func newLogSigner(handle *keyset.Handle) (*LogSigner, error) {
	signer, err := signature.NewSigner(handle)
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	public, err := handle.Public()
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	s := &LogSigner{signer: signer}
	var known []note.Verifier
	for i := range public.Len() {
		entry, err := public.Entry(i)
		if err != nil {
			return nil, fmt.Errorf("phi: %w", err)
		}
		key, ok := entry.Key().(*tinked25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("phi: %s keyset: not an Ed25519 key", LogSign)
		}
		if i == 0 { // the first key stays, and with it the log's name
			id := sha256.Sum256(key.KeyBytes())
			s.origin = "novamind/" + hex.EncodeToString(id[:8])
		}
		text, err := note.NewEd25519VerifierKey(s.origin, ed25519.PublicKey(key.KeyBytes()))
		if err != nil {
			return nil, fmt.Errorf("phi: %w", err)
		}
		verifier, err := note.NewVerifier(text)
		if err != nil {
			return nil, fmt.Errorf("phi: %w", err)
		}
		known, s.keys = append(known, verifier), append(s.keys, text)
		if entry.IsPrimary() {
			s.primary = verifier
		}
	}
	s.verifiers = note.VerifierList(known...)
	return s, nil
}

// Origin returns the name of the log in its checkpoints. It stays the same for the life of the log, and differs for
// every other log.
func (s *LogSigner) Origin() string { return s.origin }

// Verifiers returns all public keys under which this log's checkpoints were ever signed.
func (s *LogSigner) Verifiers() note.Verifiers { return s.verifiers }

// VerifierKeys returns the same keys as text (golang.org/x/mod/sumdb/note), so that others can check the log.
func (s *LogSigner) VerifierKeys() []string { return s.keys }

// Name implements note.Signer.
func (s *LogSigner) Name() string { return s.primary.Name() }

// KeyHash implements note.Signer.
func (s *LogSigner) KeyHash() uint32 { return s.primary.KeyHash() }

// Sign implements note.Signer.
func (s *LogSigner) Sign(msg []byte) ([]byte, error) { return s.signer.Sign(msg) }
