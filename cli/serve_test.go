package cli

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHostOf(t *testing.T) {
	t.Parallel()
	for listening, want := range map[string]string{
		"127.0.0.1:8080":      "localhost:8080",
		"[::1]:8080":          "localhost:8080",
		"0.0.0.0:80":          "localhost:80",
		"[::]:8443":           "localhost:8443",
		"127.0.0.2:8080":      "127.0.0.2:8080", // localhost is another address
		"192.0.2.7:8080":      "192.0.2.7:8080",
		"[2001:db8::7]:8080":  "[2001:db8::7]:8080",
		"[fe80::1%eth0]:8080": "[fe80::1%eth0]:8080",
	} {
		require.Equal(t, want, hostOf(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(listening))))
	}
}
