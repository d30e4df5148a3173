package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
)

// local reports whether only this machine can reach the listener.
func (s Server) local() bool {
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// checkExposure refuses to answer the network in plain HTTP, or warns of it if server.allow_insecure is set. Naming
// trusted proxies states that TLS ends at the proxies.
func checkExposure(c *Config) error {
	s := c.Server
	switch {
	case s.local() || s.TLSCert != "" || len(s.TrustedProxies) > 0:
		return nil
	case s.AllowInsecure:
		c.warnings = append(c.warnings, "server.addr answers the network without TLS: anyone between can read passwords and "+
			"patients' data (server.allow_insecure is set)")
		return nil
	default:
		return errors.New("would answer the network in plain HTTP: set server.tls_cert and server.tls_key, or name the proxy that ends TLS in " +
			"server.trusted_proxies (server.allow_insecure: true overrides this)")
	}
}

func checkTLS(c *Config) error {
	if (c.Server.TLSCert == "") != (c.Server.TLSKey == "") {
		return errors.New("needs server.tls_key, and the other way round: set both, or neither")
	}
	return nil
}

func checkTLSKey(c *Config) error {
	if c.Server.TLSKey == "" {
		return nil
	}
	info, err := os.Stat(c.Server.TLSKey)
	if err != nil {
		return errors.New("names a file that can't be read: correct the path, or its permissions")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return errors.New("names a file that others can read: chmod 600 it")
	}
	return nil
}

func checkOrigins(c *Config) error {
	for _, origin := range c.Server.CORSOrigins {
		u, err := url.Parse(origin)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			return errors.New("must list origins of the form https://HOST or https://HOST:PORT, without a path; * is not one")
		}
	}
	return nil
}
