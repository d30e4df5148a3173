package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"novamind/internal/phi"
	"novamind/service"
)

// firstLogin is where the first password is left when no terminal can show it.
const firstLogin = "keys/first-login"

// ensureFirstAccount makes the account that a new installation starts with. The environment names it (NOVAMIND_ADMIN_EMAIL,
// NOVAMIND_ADMIN_PASSWORD); without a password a random one is shown once on a terminal, or left in a file, never logged.
func (a *app) ensureFirstAccount(ctx context.Context, auth *service.AuthService, log *slog.Logger) error {
	email := os.Getenv("NOVAMIND_ADMIN_EMAIL")
	if email == "" {
		email = "admin@localhost"
	}
	made, err := auth.EnsureAccount(acting(ctx, "setup"), email, os.Getenv("NOVAMIND_ADMIN_PASSWORD"), a.deliver)
	if made {
		log.Info("first account made", "email", email)
	}
	return err
}

// deliver hands the first password to whoever starts the program.
func (a *app) deliver(email, password string) error {
	if isTerminal(a.stderr) {
		_, err := fmt.Fprintf(a.stderr, "first login: %s with password %s (shown once; change it at the first login)\n", email, password)
		return err
	}
	// One of an earlier database would lead astray.
	if err := os.Remove(firstLogin); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("can't replace %s: %w", firstLogin, err)
	}
	if err := phi.WriteNewFile(firstLogin, fmt.Appendf(nil, "email: %s\npassword: %s\n", email, password)); err != nil {
		return err
	}
	path, err := filepath.Abs(firstLogin)
	if err != nil {
		path = firstLogin
	}
	_, err = fmt.Fprintf(a.stderr, "the first password is in %s\n", path)
	return err
}
