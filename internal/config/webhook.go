package config

import (
	"errors"
	"fmt"
	"net/url"
)

// Webhook is an address that receives reports of events. Its path is often a secret, so it prints as its scheme and
// host; string(w) is the whole address.
type Webhook string

// Redacted returns the webhook's scheme and host.
func (w Webhook) Redacted() string {
	if w == "" {
		return ""
	}
	u, err := url.Parse(string(w))
	if err != nil {
		return "[redacted]"
	}
	return u.Scheme + "://" + u.Host
}

// Format implements fmt.Formatter, for every verb.
func (w Webhook) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(w.Redacted())) }

// MarshalText implements encoding.TextMarshaler, for every encoder, slog's among them.
func (w Webhook) MarshalText() ([]byte, error) { return []byte(w.Redacted()), nil }

func checkWebhook(c *Config) error {
	hook := string(c.Access.Webhook)
	if hook == "" {
		return nil
	}
	u, err := url.Parse(hook)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !c.Access.WebhookPrivate) {
		return errors.New("must be https://HOST/PATH (access.webhook_private: true also permits http)")
	}
	return nil
}

func checkLinkURL(c *Config) error {
	link := c.Access.LinkURL
	if link == "" {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Fragment != "" {
		return errors.New("must be a page's address, https://HOST/PATH, without a #: the token is put behind one")
	}
	return nil
}
