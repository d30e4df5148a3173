package phi

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const vaultToken = "s.stand-in-token"

// transit stands in for Vault's transit engine, with one AES-256-GCM key that is not derived. As in Vault,
// associated data is bound, a context is ignored, and a ciphertext names the version of the key
// (https://developer.hashicorp.com/vault/api-docs/secret/transit).
type transit struct {
	*httptest.Server

	mu       sync.Mutex
	versions []cipher.AEAD
}

func newTransit(t *testing.T) *transit {
	t.Helper()
	v := &transit{}
	v.rotate(t)
	v.Server = httptest.NewUnstartedServer(v)
	v.Config.ErrorLog = log.New(io.Discard, "", 0) // don't log clients that don't trust the server
	v.StartTLS()
	t.Cleanup(v.Close)
	return v
}

// rotate adds a version to the key, which encrypts from now on.
func (v *transit) rotate(t *testing.T) {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	require.NoError(t, err)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.versions = append(v.versions, gcm)
}

func (v *transit) uri() string {
	return "hcvault://" + strings.TrimPrefix(v.URL, "https://") + "/transit/keys/clinic"
}

func (v *transit) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(v.Certificate())
	return pool
}

func (v *transit) kek(t *testing.T) *KEK {
	t.Helper()
	kek, err := newVaultKEK(v.uri(), vaultToken, v.roots())
	require.NoError(t, err)
	return kek
}

type transitRequest struct {
	Plaintext      []byte `json:"plaintext"`
	Ciphertext     string `json:"ciphertext"`
	AssociatedData []byte `json:"associated_data"`
	Context        []byte `json:"context"`
}

type transitAnswer struct {
	Plaintext  []byte `json:"plaintext,omitempty"`
	Ciphertext string `json:"ciphertext,omitempty"`
}

// ServeHTTP implements http.Handler.
func (v *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body transitRequest
	var answer transitAnswer
	status := http.StatusOK
	err := json.NewDecoder(r.Body).Decode(&body)
	switch {
	case r.Header.Get("X-Vault-Token") != vaultToken:
		status = http.StatusForbidden
	case err != nil || r.Method != http.MethodPut:
		status = http.StatusBadRequest
	case r.URL.Path == "/v1/transit/encrypt/clinic":
		answer.Ciphertext = v.encrypt(body)
	case r.URL.Path == "/v1/transit/decrypt/clinic":
		plain, ok := v.decrypt(body)
		if !ok {
			status = http.StatusBadRequest
		}
		answer.Plaintext = plain
	default:
		status = http.StatusNotFound
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	text := []byte(`{"errors":["refused"]}`)
	if status == http.StatusOK {
		if text, err = json.Marshal(map[string]transitAnswer{"data": answer}); err != nil {
			panic(err)
		}
	}
	_, _ = w.Write(text)
}

func (v *transit) encrypt(body transitRequest) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	sealed := v.versions[len(v.versions)-1].Seal(nil, nil, body.Plaintext, body.AssociatedData)
	return "vault:v" + strconv.Itoa(len(v.versions)) + ":" + base64.StdEncoding.EncodeToString(sealed)
}

func (v *transit) decrypt(body transitRequest) ([]byte, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	version, text, _ := strings.Cut(strings.TrimPrefix(body.Ciphertext, "vault:v"), ":")
	n, err := strconv.Atoi(version)
	sealed, decodeErr := base64.StdEncoding.DecodeString(text)
	if err != nil || decodeErr != nil || n < 1 || n > len(v.versions) {
		return nil, false
	}
	plain, err := v.versions[n-1].Open(nil, nil, sealed, body.AssociatedData)
	return plain, err == nil
}

func TestVaultWrapsKeysets(t *testing.T) {
	t.Parallel()
	vault := newTransit(t)
	wrapped := newKeysets(t, vault.kek(t))
	ring, err := OpenKeyring(vault.kek(t), wrapped, "US")
	require.NoError(t, err)
	sealed, err := ring.Sealer(Data).Seal([]byte(canary), Binding{Table: "patient", Column: "first_name"})
	require.NoError(t, err)

	// Each keyset opens only in its own place.
	for _, place := range Purposes() {
		for _, other := range Purposes() {
			_, err := Keys(place, vault.kek(t), wrapped[other])
			require.Equal(t, place == other, err == nil, "%s in the place of %s", other, place)
		}
	}

	// A new version of the key in Vault wraps; the older one still unwraps.
	vault.rotate(t)
	for _, p := range Purposes() {
		require.Contains(t, text(t, wrapped[p]), "vault:v1:")
		wrapped[p], err = Rewrap(p, vault.kek(t), vault.kek(t), wrapped[p])
		require.NoError(t, err)
		require.Contains(t, text(t, wrapped[p]), "vault:v2:")
	}
	require.NoError(t, ring.Load(vault.kek(t), wrapped))
	plain, err := ring.Sealer(Data).Open(sealed, Binding{Table: "patient", Column: "first_name"})
	require.NoError(t, err)
	require.Equal(t, canary, string(plain))

	require.ErrorIs(t, CreateKEK(vault.uri()), ErrNoKEK)
	require.ErrorContains(t, AddKEK(vault.uri()), "is not a file")
}

// text returns Vault's ciphertext of a keyset.
func text(t *testing.T, wrapped string) string {
	t.Helper()
	var keyset map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(wrapped), &keyset))
	var encrypted []byte
	require.NoError(t, json.Unmarshal(keyset["encryptedKeyset"], &encrypted))
	return string(encrypted)
}

// Without Vault's consent there is no key. The error names the configured place of the key, but not the data that
// was sent.
func TestVaultRefuses(t *testing.T) {
	t.Parallel()
	vault := newTransit(t)
	wrapped := newKeysets(t, vault.kek(t))
	closed := newTransit(t)
	closed.Close()
	other := newTransit(t)
	for reason, kek := range map[string]func() (*KEK, error){
		"403 Forbidden": func() (*KEK, error) { return newVaultKEK(vault.uri(), canary, vault.roots()) },
		"404 Not Found": func() (*KEK, error) {
			return newVaultKEK(strings.Replace(vault.uri(), "clinic", "other", 1), vaultToken, vault.roots())
		},
		"certificate":         func() (*KEK, error) { return newVaultKEK(vault.uri(), vaultToken, x509.NewCertPool()) },
		"connection refused":  func() (*KEK, error) { return newVaultKEK(closed.uri(), vaultToken, closed.roots()) },
		"to another database": func() (*KEK, error) { return newVaultKEK(other.uri(), vaultToken, other.roots()) },
	} {
		kek, err := kek()
		require.NoError(t, err, reason)
		_, err = OpenKeyring(kek, wrapped, "US")
		require.ErrorContains(t, err, kek.String())
		require.ErrorContains(t, err, reason)
		requireNoEcho(t, err, vaultToken)
	}
	for _, uri := range []string{"hcvault://", "hcvault://127.0.0.1:1/transit", "hcvault://127.0.0.1:1/transit/" + canary, "hcvault://%zz/" + canary} {
		_, err := newVaultKEK(uri, vaultToken, nil)
		require.Error(t, err, uri)
	}
}

func TestVaultIsConfiguredAsItsOwnToolsAre(t *testing.T) {
	vault := newTransit(t)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: vault.Certificate().Raw})
	require.NoError(t, os.WriteFile(authority, block, 0o600))
	t.Setenv("VAULT_TOKEN", "")
	_, err := LoadKEK(vault.uri())
	require.ErrorIs(t, err, ErrNoKEK)
	require.ErrorContains(t, err, "VAULT_TOKEN")

	t.Setenv("VAULT_TOKEN", vaultToken)
	t.Setenv("VAULT_SKIP_VERIFY", "true") // must be ignored
	t.Setenv("VAULT_ADDR", "http://127.0.0.1:1")
	kek, err := LoadKEK(vault.uri())
	require.NoError(t, err)
	_, err = NewKeyset(Data, kek)
	require.ErrorContains(t, err, "certificate")

	t.Setenv("VAULT_CACERT", authority)
	kek, err = LoadKEK(vault.uri())
	require.NoError(t, err)
	_, err = NewKeyset(Data, kek)
	require.NoError(t, err)

	t.Setenv("VAULT_CACERT", authority+".nope")
	_, err = LoadKEK(vault.uri())
	require.ErrorContains(t, err, "VAULT_CACERT")
}
