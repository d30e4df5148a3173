package phi

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	prefix = "phi1:"
	// headerLen is the length of prefix, key id and colon.
	headerLen = len(prefix) + 8 + 1
	// minBody is the base64url length of a sealed empty value: 12 bytes of nonce and 16 of tag.
	minBody = 38
	// tinkPrefixLen is the length of the output prefix that Tink's TINK key type writes: 0x01 and the key id.
	// It is taken off, since the envelope names the key already.
	tinkPrefixLen = 5
)

// base64url without padding; Strict refuses trailing bits that aren't zero, so one ciphertext has one text.
var base64url = base64.RawURLEncoding.Strict()

// wrap makes the envelope of a ciphertext with Tink's output prefix.
func wrap(ciphertext []byte) string {
	var b strings.Builder
	b.Grow(headerLen + base64url.EncodedLen(len(ciphertext)-tinkPrefixLen))
	b.WriteString(prefix)
	b.WriteString(hex.EncodeToString(ciphertext[1:tinkPrefixLen]))
	b.WriteByte(':')
	b.WriteString(base64url.EncodeToString(ciphertext[tinkPrefixLen:]))
	return b.String()
}

// unwrap is the inverse of wrap. It takes exactly what wrap makes, and nothing else.
func unwrap(envelope string) ([]byte, error) {
	if len(envelope) < headerLen+minBody || !strings.HasPrefix(envelope, prefix) || envelope[headerLen-1] != ':' {
		return nil, fmt.Errorf("%w: not an envelope", ErrUnreadable)
	}
	id, ok := parseKeyID(envelope[len(prefix) : headerLen-1])
	if !ok {
		return nil, fmt.Errorf("%w: not a key id", ErrUnreadable)
	}
	body := envelope[headerLen:]
	// encoding/base64 skips line breaks; an envelope has none.
	if strings.ContainsAny(body, "\r\n") {
		return nil, fmt.Errorf("%w: not base64url", ErrUnreadable)
	}
	out := make([]byte, tinkPrefixLen, tinkPrefixLen+base64url.DecodedLen(len(body)))
	out[0] = 1
	binary.BigEndian.PutUint32(out[1:], id)
	out, err := base64url.AppendDecode(out, []byte(body))
	if err != nil {
		return nil, fmt.Errorf("%w: not base64url", ErrUnreadable)
	}
	return out, nil
}

// KeyID returns the key id of a sealed value, as 8 hex digits, without opening it.
func KeyID(envelope string) (string, error) {
	if _, err := unwrap(envelope); err != nil {
		return "", err
	}
	return envelope[len(prefix) : headerLen-1], nil
}

func formatKeyID(id uint32) string { return fmt.Sprintf("%08x", id) }

func parseKeyID(s string) (uint32, bool) {
	var raw [4]byte
	if len(s) != 8 || strings.ToLower(s) != s {
		return 0, false
	}
	if _, err := hex.Decode(raw[:], []byte(s)); err != nil {
		return 0, false
	}
	return binary.BigEndian.Uint32(raw[:]), true
}
