package phi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/tink-crypto/tink-go-hcvault/v2/integration/hcvault"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// vaultTimeout bounds one call to Vault.
const vaultTimeout = 10 * time.Second

// loadVaultKEK returns a key-encryption key that is a key of HashiCorp Vault's transit engine. Every wrapping is a
// call to Vault, and the key never leaves Vault. The token is in VAULT_TOKEN. The file VAULT_CACERT holds the
// certificate authority, if it is not one of the system's. Vault's own tools use the same variables.
func loadVaultKEK(uri string) (*KEK, error) {
	token := os.Getenv("VAULT_TOKEN")
	if token == "" {
		return nil, fmt.Errorf("%w: VAULT_TOKEN is not set, so %s can't be used", ErrNoKEK, uri)
	}
	roots, err := vaultRoots()
	if err != nil {
		return nil, err
	}
	return newVaultKEK(uri, token, roots)
}

func newVaultKEK(uri, token string, roots *x509.CertPool) (*KEK, error) {
	address, err := url.Parse(uri)
	if err != nil || address.Host == "" {
		return nil, errors.New("phi.kek must be hcvault://HOST:PORT/transit/keys/NAME")
	}
	// Not hcvault.NewClient: it sends associated data as the key's derivation context, which Vault ignores for
	// ordinary keys. One keyset could then take another's place.
	vault, err := newVaultClient("https://"+address.Host, token, roots)
	if err != nil {
		return nil, fmt.Errorf("phi: %s: %w", uri, err)
	}
	client, err := hcvault.NewClientWithAEADOptions(uri, vault.Logical())
	if err != nil {
		return nil, fmt.Errorf("phi: %s: %w", uri, err)
	}
	primitive, err := client.GetAEAD(uri)
	if err != nil {
		return nil, fmt.Errorf("phi: %s: %w", uri, err)
	}
	return &KEK{aead: &vaultAEAD{AEAD: primitive}, uri: uri}, nil
}

// vaultAEAD remembers the reason why Vault gave no answer: Tink reports a failed decryption without its cause.
type vaultAEAD struct {
	tink.AEAD

	mu     sync.Mutex
	silent error
}

// Decrypt implements tink.AEAD.
func (v *vaultAEAD) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	plain, err := v.AEAD.Decrypt(ciphertext, associatedData)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.silent = nil
	var answer *api.ResponseError
	switch {
	case err == nil:
	case !errors.As(err, &answer):
		v.silent = err
	case answer.StatusCode != http.StatusBadRequest: // 400 says that the ciphertext is not the key's
		v.silent = fmt.Errorf("Vault answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode)) //nolint:staticcheck // a name
	}
	return plain, err
}

// unanswered returns the reason why a KMS did not answer the last call. It returns nil if the KMS answered, or if
// the key is not in a KMS.
func unanswered(primitive tink.AEAD) error {
	vault, ok := primitive.(*vaultAEAD)
	if !ok {
		return nil
	}
	vault.mu.Lock()
	defer vault.mu.Unlock()
	return vault.silent
}

// newVaultClient takes only the namespace from Vault's own variables. In particular, it ignores VAULT_SKIP_VERIFY.
func newVaultClient(address, token string, roots *x509.CertPool) (*api.Client, error) {
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, config.Error
	}
	config.Address, config.AgentAddress, config.Timeout = address, "", vaultTimeout
	transport, ok := config.HttpClient.Transport.(*http.Transport)
	if !ok {
		return nil, errors.New("vault's client has another transport than expected")
	}
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, err
	}
	client.SetToken(token)
	return client, nil
}

// vaultRoots returns the certificate authorities in VAULT_CACERT. If the variable is not set, it returns nil, which
// means the system's.
func vaultRoots() (*x509.CertPool, error) {
	path := os.Getenv("VAULT_CACERT")
	if path == "" {
		return nil, nil //nolint:nilnil // tls.Config's own meaning of nil
	}
	pem, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("phi: VAULT_CACERT: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("VAULT_CACERT holds no certificate")
	}
	return roots, nil
}
