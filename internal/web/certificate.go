package web

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is the shortest time between two checks of the certificate's files.
const certificateCheck = time.Second

// Certificate is a TLS certificate in two files, read again when either changes.
type Certificate struct {
	certFile, keyFile string
	logger            *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	changed [2]time.Time // of the files, as they were last read
	checked time.Time
}

// LoadCertificate reads a certificate chain and its private key, both PEM. If they do not match, the error names the
// files.
func LoadCertificate(certFile, keyFile string, logger *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, logger: logger}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

// TLS returns a configuration that serves the certificate with TLS 1.2 or newer.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

// get returns the certificate that the files hold now. If the files can't be read, or don't match yet, it returns the
// previous certificate.
func (c *Certificate) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) >= certificateCheck {
		c.checked = time.Now()
		if err := c.renew(); err != nil {
			c.logger.ErrorContext(contextOf(hello), "the new TLS certificate can't be used; the server keeps the previous one", "error", err)
		}
	}
	return c.current, nil
}

func contextOf(hello *tls.ClientHelloInfo) context.Context {
	if hello == nil {
		return context.Background()
	}
	return hello.Context()
}

func (c *Certificate) renew() error {
	changed, err := c.times()
	if err != nil || changed == c.changed {
		return err
	}
	return c.read()
}

func (c *Certificate) read() error {
	changed, err := c.times()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("server.tls_cert and server.tls_key are no certificate and its key: %w", err)
	}
	c.current, c.changed = &pair, changed
	return nil
}

func (c *Certificate) times() (times [2]time.Time, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return times, fmt.Errorf("server.tls_cert or server.tls_key can't be read: %w", err)
		}
		times[i] = info.ModTime()
	}
	return times, nil
}
