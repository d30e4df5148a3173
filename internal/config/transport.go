package config

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net/netip"

	"github.com/jackc/pgx/v5/pgconn"
)

var errUnreadableURL = errors.New("is not a PostgreSQL URL that can be read: correct it as postgres://USER@HOST:PORT/NAME, " +
	"with special characters percent-encoded")

// unverified reports whether a PostgreSQL DSN leads to any remote host without checking the host's certificate and
// name. It asks the driver itself, since hosts and modes also come from parameters, PG* variables and service
// files, and one DSN may hold several. The driver's errors are replaced: they may quote the DSN.
func unverified(d DSN) (bool, error) {
	effective, err := pgconn.ParseConfig(string(d))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return false, errors.New("names a certificate or key file that can't be read: correct sslrootcert, sslcert or sslkey")
	}
	if err != nil {
		return false, errUnreadableURL
	}
	attempts := append([]*pgconn.FallbackConfig{{Host: effective.Host, Port: effective.Port, TLSConfig: effective.TLSConfig}},
		effective.Fallbacks...)
	for _, a := range attempts {
		if !isLocal(a.Host, a.Port) && !verifiesFully(a.TLSConfig, a.Host) {
			return true, nil
		}
	}
	return false, nil
}

func isLocal(host string, port uint16) bool {
	if network, _ := pgconn.NetworkAddress(host, port); network == "unix" || host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// verifiesFully recognises sslmode=verify-full in the driver's TLS configuration.
func verifiesFully(t *tls.Config, host string) bool {
	return t != nil && !t.InsecureSkipVerify && t.ServerName == host
}
