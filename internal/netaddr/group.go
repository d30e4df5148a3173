// Package netaddr groups network addresses that are limited together.
package netaddr

import "net/netip"

// Group returns the unit in which requests of a network address are counted. The unit is an IPv4 address, or the
// /64 of an IPv6 address, since one host can use all addresses of a /64. All other texts, such as the peer of a
// Unix socket, are one group, "".
func Group(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}
