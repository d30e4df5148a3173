package netaddr_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/netaddr"
)

func TestGroup(t *testing.T) {
	t.Parallel()
	for addr, group := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "<nil>": "",
	} {
		require.Equal(t, group, netaddr.Group(addr), addr)
	}
}
