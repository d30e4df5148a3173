// Package webhook tells a configured address of events. It cannot be used to attack the network of the server: unless
// private addresses are permitted, it never connects to an address that is not public. It checks the address that the
// name resolves to at the moment of connecting.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// timeout bounds a delivery.
const timeout = 10 * time.Second

// ErrPrivate means that the webhook's name resolves to an address that is not public.
var ErrPrivate = errors.New("webhook: leads to an address that is not public (access.webhook_private permits it)")

// Hook is an address that events are posted to.
type Hook struct {
	url    string
	client *http.Client
}

// New returns the hook at address. private permits addresses that are not public.
func New(address string, private bool) (*Hook, error) {
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		return nil, errors.New("webhook: the address can't be read") // the cause quotes it
	}
	dialer := &net.Dialer{Timeout: timeout}
	if !private {
		dialer.Control = refusePrivate
	}
	return &Hook{url: address, client: &http.Client{
		Timeout: timeout,
		// No proxy, because the check would see only the address of the proxy. No redirect, because it would lead to
		// an address that nobody configured.
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Post sends event as JSON. It returns an error unless the answer is a success. The error holds nothing of the
// address.
func (h *Hook) Post(ctx context.Context, event any) error {
	body, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("webhook: the address can't be read")
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := h.client.Do(request)
	if err != nil {
		return scrub(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("webhook: answered %d", answer.StatusCode)
	}
	return nil
}

// scrub removes the address from an error, because a webhook's path often is a secret.
func scrub(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("webhook: %w", err)
}

// refusePrivate refuses an address that is not public, just before it is dialled and after names were resolved.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !public(target.Addr()) {
		return ErrPrivate
	}
	return nil
}

// reserved are address ranges without public hosts, in addition to those known to net/netip (IANA's special-purpose
// registries, RFC 6890). They include the ranges that embed an IPv4 address, because the embedded target can't be
// checked here.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // shared by carriers (RFC 6598); cloud metadata too
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),           // IPv4-compatible
	netip.MustParsePrefix("::ffff:0:0:0/96"), // IPv4-translated
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), // includes Teredo
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, prefix := range reserved {
		if prefix.Contains(ip) {
			return false
		}
	}
	return true
}
