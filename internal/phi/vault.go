package phi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/tink-crypto/tink-go-hcvault/v2/integration/hcvault"
)

// loadVaultKEK returns the key-encryption key that is a key of HashiCorp Vault's transit engine: every wrapping is a call to Vault, and the key
// never leaves it. The token is in VAULT_TOKEN, the certificate authority, where it is none of the system's, in the file VAULT_CACERT, as
// Vault's own tools have it.
func loadVaultKEK(uri string) (*KEK, error) {
	token := os.Getenv("VAULT_TOKEN")
	if token == "" {
		return nil, fmt.Errorf("%w: VAULT_TOKEN is not set, so %s can't be used", ErrNoKEK, uri)
	}
	roots, err := vaultRoots()
	if err != nil {
		return nil, err
	}
	client, err := hcvault.NewClient(uri, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, token)
	if err != nil {
		return nil, fmt.Errorf("phi: %s: %w", uri, err)
	}
	primitive, err := client.GetAEAD(uri)
	if err != nil {
		return nil, fmt.Errorf("phi: %s: %w", uri, err)
	}
	return &KEK{aead: primitive, uri: uri}, nil
}

// vaultRoots returns nil, the system's authorities, where VAULT_CACERT is not set.
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
