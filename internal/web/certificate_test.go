package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writeCertificate makes a certificate for 127.0.0.1, in cert.pem and key.pem of a folder.
func writeCertificate(t *testing.T, dir, subject string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: subject}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	write := func(name, kind string, content []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
	}
	write("cert.pem", "CERTIFICATE", der)
	write("key.pem", "EC PRIVATE KEY", secret)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return parsed
}

// secured serves a bundle over TLS, with a certificate in dir, and returns its address.
func secured(t *testing.T, dir string, b *testBundle) string {
	t.Helper()
	certificate, err := LoadCertificate(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := NewServer(b.engine, Options{Timeouts: timeouts(time.Minute), MaxHeaderBytes: 4096, Certificate: certificate}, slog.New(slog.DiscardHandler))
	go func() { _ = server.Serve(t.Context(), listener) }()
	return listener.Addr().String()
}

// subject returns the subject of the certificate that a server shows now.
func subject(address string) (string, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func shown(t *testing.T, address string) string {
	t.Helper()
	name, err := subject(address)
	require.NoError(t, err)
	return name
}

// requireStays requires the same certificate for longer than the server's interval for checking its files. It runs in
// the test's own goroutine, because require.Never could leave one behind that asks a stopped server.
func requireStays(t *testing.T, address, name string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 15 {
		require.Equal(t, name, shown(t, address))
		<-tick.C
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	roots := x509.NewCertPool()
	roots.AddCert(writeCertificate(t, dir, "first"))
	address := secured(t, dir, one(t, "GET", ok))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	response, err := client.Get("https://" + address + "/api/v1/samples/1")
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "HTTP/2.0", response.Proto)
	require.Equal(t, "max-age=31536000", response.Header.Get("Strict-Transport-Security"))

	for version, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version})
		require.Equal(t, good, err == nil, "%x: %v", version, err)
		if err == nil {
			_ = conn.Close()
		}
	}
	plain, err := http.Get("http://" + address + "/api/v1/samples/1")
	require.NoError(t, err)
	defer plain.Body.Close()
	require.Equal(t, http.StatusBadRequest, plain.StatusCode, "plain HTTP is not answered")
	text, err := io.ReadAll(plain.Body)
	require.NoError(t, err)
	require.NotContains(t, string(text), "ok")
}

// A certificate is renewed while the server runs. While the new files are incomplete or missing, the old certificate
// stays.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCertificate(t, dir, "first")
	address := secured(t, dir, one(t, "GET", ok))
	require.Equal(t, "first", shown(t, address))
	next := t.TempDir()
	writeCertificate(t, next, "second")
	move := func(name string) { require.NoError(t, os.Rename(filepath.Join(next, name), filepath.Join(dir, name))) }
	move("cert.pem")
	requireStays(t, address, "first")
	move("key.pem")
	require.Eventually(t, func() bool { // on a busy machine a handshake may time out; then it is repeated
		name, err := subject(address)
		return err == nil && name == "second"
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, os.Remove(filepath.Join(dir, "key.pem")))
	requireStays(t, address, "second")
}

func TestCertificateThatIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	_, err := LoadCertificate(cert, key, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "server.tls_cert")
	writeCertificate(t, dir, "first")
	require.NoError(t, os.WriteFile(key, []byte("no key"), 0o600))
	_, err = LoadCertificate(cert, key, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "server.tls_key")
}
