package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(key, nil, 0o600))
	open := filepath.Join(dir, "open.pem")
	require.NoError(t, os.WriteFile(open, nil, 0o644))
	for name, test := range map[string]struct {
		server  string
		refused string // the key named in the error
		warned  bool
		totp    bool
	}{
		"loopback":                  {"addr: 127.0.0.1:0", "", false, false},
		"loopback, IPv6":            {"addr: '[::1]:0'", "", false, false},
		"localhost":                 {"addr: localhost:0", "", false, false},
		"all addresses":             {"addr: :8080", "server.addr", false, false},
		"a network address":         {"addr: 192.0.2.1:8080", "server.addr", false, false},
		"a name":                    {"addr: clinic.example:8080", "server.addr", false, false},
		"permitted":                 {"addr: :8080\n  allow_insecure: true", "", true, true},
		"behind a proxy":            {"addr: :8080\n  trusted_proxies: [10.0.0.1]", "", false, true},
		"behind a proxy, loopback":  {"addr: 127.0.0.1:0\n  trusted_proxies: [127.0.0.1]", "", false, true},
		"with TLS":                  {"addr: :8443\n  tls_cert: cert.pem\n  tls_key: " + key, "", false, true},
		"a certificate alone":       {"tls_cert: cert.pem", "server.tls_cert", false, false},
		"a key alone":               {"tls_key: " + key, "server.tls_cert", false, false},
		"a key that is not there":   {"tls_cert: cert.pem\n  tls_key: " + dir + "/none", "server.tls_key", false, false},
		"a key that others can see": {"tls_cert: cert.pem\n  tls_key: " + open, "server.tls_key", false, false},
		"an origin":                 {"cors_origins: ['https://desk.example.org:8443']", "", false, false},
		"every origin":              {"cors_origins: ['*']", "server.cors_origins", false, false},
		"an origin with a path":     {"cors_origins: ['https://desk.example.org/']", "server.cors_origins", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			install(t, "server:\n  "+test.server+"\n", nil)
			cfg, err := Load("")
			if test.refused != "" {
				require.ErrorContains(t, err, test.refused+" (from ")
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.warned, len(cfg.Warnings()) > 0)
			require.Equal(t, test.totp, len(cfg.TOTPRoles()) > 0)
		})
	}
}
