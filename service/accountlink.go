package service

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
)

// Link is a one-time link. Its holder can choose the password of an account, once. The link is shown once; the
// database stores a hash.
type Link struct {
	Token     string    `json:"token" doc:"The one-time token for POST /api/v1/auth/redeem."`
	URL       string    `json:"url,omitempty" doc:"The link to give to the owner. Present only if access.link_url is configured."`
	ExpiresAt time.Time `json:"expires_at"`
}

// issue gives an account a link that replaces any earlier one. It records the link as action, unless the caller does.
func (s *AccountService) issue(ctx context.Context, action string, id uuid.UUID) (*Link, error) {
	link := &Link{Token: newToken(), ExpiresAt: time.Now().UTC().Truncate(time.Microsecond).Add(s.cfg.LinkPeriod)}
	if s.cfg.LinkURL != "" {
		link.URL = s.cfg.LinkURL + "#" + link.Token // browsers send the part after # to no server
	}
	row := &models.AccountLink{AccountID: id, TokenHash: hashToken(link.Token), ExpiresAt: link.ExpiresAt}
	if err := s.links.Replace(ctx, row); err != nil || action == "" {
		return link, err
	}
	return link, record(ctx, audit.Event{Action: action, EntityID: id})
}

// Redeem sets an account's password by the token of its link, uses up the link, and ends the account's sessions. It
// returns an Invalid error for a password that breaks the rules. It returns a BadCredentials error if the token is
// unknown, used or expired, or if its account is disabled.
func (s *AccountService) Redeem(ctx context.Context, token, password string) error {
	if err := checkNewPassword("/password", password); err != nil {
		return err
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.SetPassword, EntityType: "account"})

	return s.store.InTx(ctx, func(ctx context.Context) error {
		link, err := s.links.Take(ctx, hashToken(token), time.Now().UTC())
		if apperr.Is(err, apperr.NotFound) {
			return badLink()
		}
		if err != nil {
			return err
		}
		account, err := s.accounts.ByID(ctx, link.AccountID)
		if err != nil {
			return err
		}
		if account.Disabled {
			return badLink()
		}
		if account.PasswordHash, err = s.auth.passwords.hash(ctx, password); err != nil {
			return err
		}
		account.MustChangePassword = false
		if err := s.accounts.Update(ctx, account); err != nil {
			return err
		}
		if err := s.sessions.EndOthers(ctx, account.ID, uuid.Nil); err != nil {
			return err
		}
		return record(ctx, audit.Event{Action: audit.SetPassword, UserID: account.ID, EntityID: account.ID, Details: "by one-time link"})
	})
}

func badLink() error {
	return apperr.New(apperr.BadCredentials, "The link is unknown, was used, or has expired. Ask an admin for a new one.")
}

// newToken returns 256 random bits.
func newToken() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(secret)
}
