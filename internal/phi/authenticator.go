package phi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
)

const macPrefix = "mac1:"

// Authenticator makes and checks the MACs of audit events: HMAC-SHA256, as text of the form mac1:<key id>:<hex>. An
// attacker with the database but without the key can't make an event.
type Authenticator struct {
	keys    map[uint32]prf.PRF
	primary uint32
}

func newAuthenticator(handle *keyset.Handle) (*Authenticator, error) {
	set, err := prf.NewPRFSet(handle)
	if err != nil {
		return nil, fmt.Errorf("phi: %w", err)
	}
	return &Authenticator{keys: set.PRFs, primary: set.PrimaryID}, nil
}

// MAC returns the MAC of data under the primary key.
func (a *Authenticator) MAC(data []byte) (string, error) { return a.mac(a.primary, data) }

// Verify reports whether mac is the MAC of data under any key of the keyset.
func (a *Authenticator) Verify(data []byte, mac string) bool {
	id, _, found := strings.Cut(strings.TrimPrefix(mac, macPrefix), ":")
	key, ok := parseKeyID(id)
	if !found || !ok || a.keys[key] == nil {
		return false
	}
	want, err := a.mac(key, data)
	return err == nil && hmac.Equal([]byte(want), []byte(mac))
}

func (a *Authenticator) mac(key uint32, data []byte) (string, error) {
	sum, err := a.keys[key].ComputePRF(data, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("phi: %w", err)
	}
	return macPrefix + formatKeyID(key) + ":" + hex.EncodeToString(sum), nil
}
