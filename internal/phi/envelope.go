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

// base64url is base64url without padding. Strict refuses trailing bits that aren't zero, so that one ciphertext has
// one text.
var base64url = base64.RawURLEncoding.Strict()

// appendWrapped appends the envelope of a ciphertext with Tink's output prefix.
func appendWrapped(out, ciphertext []byte) []byte {
	out = append(out, prefix...)
	out = hex.AppendEncode(out, ciphertext[1:tinkPrefixLen])
	out = append(out, ':')
	return base64url.AppendEncode(out, ciphertext[tinkPrefixLen:])
}

// appendUnwrapped is the inverse of appendWrapped. It accepts exactly the output of appendWrapped, and nothing
// else.
func appendUnwrapped(out []byte, envelope string) ([]byte, error) {
	if len(envelope) < headerLen+minBody || !strings.HasPrefix(envelope, prefix) || envelope[headerLen-1] != ':' {
		return nil, fmt.Errorf("%w: not an envelope", ErrUnreadable)
	}
	id, ok := parseKeyID(envelope[len(prefix) : headerLen-1])
	if !ok {
		return nil, fmt.Errorf("%w: not a key id", ErrUnreadable)
	}
	body := envelope[headerLen:]
	start := len(out)
	out = binary.BigEndian.AppendUint32(append(out, 1), id)
	out, err := base64url.AppendDecode(out, []byte(body))
	// encoding/base64 skips line breaks, but an envelope has none. Skipping leaves fewer bytes than the length
	// promises. The exception is a length of 4n+1, which encodes nothing.
	if err != nil || len(body)%4 == 1 || len(out)-start-tinkPrefixLen != base64url.DecodedLen(len(body)) {
		return nil, fmt.Errorf("%w: not base64url", ErrUnreadable)
	}
	return out, nil
}

// isEnvelope reports whether text has the form of a sealed value.
func isEnvelope(text string) bool {
	_, err := appendUnwrapped(nil, text)
	return err == nil
}

// KeyID returns the key id of a sealed value, as 8 hex digits, without opening it.
func KeyID(envelope string) (string, error) {
	if _, err := appendUnwrapped(nil, envelope); err != nil {
		return "", err
	}
	return envelope[len(prefix) : headerLen-1], nil
}

func formatKeyID(id uint32) string { return fmt.Sprintf("%08x", id) }

func parseKeyID(s string) (uint32, bool) {
	if len(s) != 8 {
		return 0, false
	}
	var id uint32
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9':
			id = id<<4 | uint32(c-'0')
		case 'a' <= c && c <= 'f':
			id = id<<4 | uint32(c-'a'+10)
		default:
			return 0, false
		}
	}
	return id, true
}
