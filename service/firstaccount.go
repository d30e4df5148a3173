package service

import (
	"context"
	"crypto/rand"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// EnsureAccount makes the first account, with every role, if the installation has no admin. Imported practitioners
// may exist already. Without a password, the account gets a random one, which must be changed at the first login.
// deliver gets that password before the account is committed, so no password is ever lost.
//
// EnsureAccount reports whether it made an account. It makes none if there is an admin or another process was first.
// It returns an Invalid error for an e-mail or password that breaks the rules, or an e-mail that another account has.
func (s *AuthService) EnsureAccount(ctx context.Context, email, password string, deliver func(email, password string) error) (bool, error) {
	if exists, err := s.accounts.AnyWithRole(ctx, RoleAdmin); err != nil || exists {
		return false, err
	}
	account, password, err := s.firstAccount(ctx, email, password)
	if err != nil {
		return false, err
	}
	made := false
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.Create, EntityType: "account"})
	err = s.store.InBatch(ctx, func(ctx context.Context) error {
		made = false // an earlier try was rolled back
		if exists, err := s.accounts.AnyWithRole(ctx, RoleAdmin); err != nil || exists {
			return err
		}
		if err := s.accounts.Create(ctx, account); err != nil {
			return err
		}
		made = true
		if account.MustChangePassword {
			return deliver(account.Email, password)
		}
		return nil
	})
	if apperr.Is(err, apperr.Duplicate) {
		return false, s.first(ctx)
	}
	return made && err == nil, err
}

// first returns nil if the account with the e-mail was made by another process that was first.
func (s *AuthService) first(ctx context.Context) error {
	administered, err := s.accounts.AnyWithRole(ctx, RoleAdmin)
	if err != nil || administered {
		return err
	}
	return apperr.InvalidFields(apperr.Field{
		Pointer: "NOVAMIND_ADMIN_EMAIL", Code: "taken", Detail: "This e-mail address belongs to an account that cannot administer accounts. Choose another one.",
	})
}

// FirstPassword is a first password that stays stored somewhere until it is worthless.
type FirstPassword struct {
	auth            *AuthService
	email, password string
	hash            string // the last hash that matched the password
}

// FirstPassword returns the first password of the account with an e-mail.
func (s *AuthService) FirstPassword(email, password string) *FirstPassword {
	return &FirstPassword{auth: s, email: phi.NormalizeText(email), password: password}
}

// Worthless reports whether the account's password has changed since. It is false if the account does not exist or
// has another e-mail by now.
func (p *FirstPassword) Worthless(ctx context.Context) (bool, error) {
	account, err := p.auth.accounts.ByEmail(ctx, p.email)
	if apperr.Is(err, apperr.NotFound) {
		return false, nil
	}
	if err != nil || !account.MustChangePassword {
		return err == nil, err
	}
	if account.PasswordHash == p.hash {
		return false, nil
	}
	matches, _, err := p.auth.passwords.matches(ctx, p.password, account.PasswordHash)
	if err == nil && matches {
		p.hash = account.PasswordHash
	}
	return err == nil && !matches, err
}

func (s *AuthService) firstAccount(ctx context.Context, email, password string) (*models.Account, string, error) {
	var v validation
	v.email("NOVAMIND_ADMIN_EMAIL", &email)
	if err := v.err(); err != nil {
		return nil, "", err
	}
	random := password == ""
	if random {
		password = rand.Text() // 130 bits
	} else if err := checkNewPassword("NOVAMIND_ADMIN_PASSWORD", password); err != nil {
		return nil, "", err
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return nil, "", err
	}
	return &models.Account{
		Email: phi.NormalizeText(email), Name: "First account", Roles: Roles(), PasswordHash: hash, MustChangePassword: random,
	}, password, nil
}
