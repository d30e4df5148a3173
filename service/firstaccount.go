package service

import (
	"context"
	"crypto/rand"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// EnsureAccount makes the first account of an empty installation, with every role. Without a password it gets a random one, which
// must be changed at the first login and is returned; made is false where an account existed, or another process was first.
// It returns an Invalid error for an e-mail or password that breaks the rules.
func (s *AuthService) EnsureAccount(ctx context.Context, email, password string) (random string, made bool, err error) {
	if any, err := s.accounts.Any(ctx); err != nil || any {
		return "", false, err
	}
	var v validation
	v.email("NOVAMIND_ADMIN_EMAIL", &email)
	if err := v.err(); err != nil {
		return "", false, err
	}
	mustChange := password == ""
	if mustChange {
		password = rand.Text() // 130 bits
		random = password
	} else if err := checkNewPassword("NOVAMIND_ADMIN_PASSWORD", password); err != nil {
		return "", false, err
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return "", false, err
	}
	account := &models.Account{
		Email: phi.NormalizeText(email), Name: "First account", Roles: Roles(), PasswordHash: hash, MustChangePassword: mustChange,
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.Create, EntityType: "account"})
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		if any, err := s.accounts.Any(ctx); err != nil || any {
			return err
		}
		made = true
		return s.accounts.Create(ctx, account)
	})
	if apperr.Is(err, apperr.Duplicate) { // another process was first
		return "", false, nil
	}
	if err != nil || !made {
		return "", false, err
	}
	return random, true, nil
}
