package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"novamind/internal/phi"
	"novamind/service"
)

// firstLogin is the file for the first password if no terminal can show the password.
const firstLogin = "keys/first-login"

// ensureFirstAccount makes the first account of a new installation. The environment names it (NOVAMIND_ADMIN_EMAIL,
// NOVAMIND_ADMIN_PASSWORD). Without a password in the environment, a random one is shown once on a terminal, or left
// in a file; it is never logged.
func (a *app) ensureFirstAccount(ctx context.Context, auth *service.AuthService, log *slog.Logger) error {
	email := os.Getenv("NOVAMIND_ADMIN_EMAIL")
	if email == "" {
		email = "admin@localhost"
	}
	made, err := auth.EnsureAccount(acting(ctx, "setup"), email, os.Getenv("NOVAMIND_ADMIN_PASSWORD"), a.deliver)
	switch {
	case made:
		log.Info("first account made", "email", email)
	case err == nil && os.Getenv("NOVAMIND_ADMIN_EMAIL")+os.Getenv("NOVAMIND_ADMIN_PASSWORD") != "":
		log.Warn("NOVAMIND_ADMIN_EMAIL and NOVAMIND_ADMIN_PASSWORD are ignored: they name the first account, and an admin exists already")
	}
	return err
}

// deliver gives the first password to the person that starts the program.
func (a *app) deliver(email, password string) error {
	if isTerminal(a.stderr) {
		_, err := fmt.Fprintf(a.stderr, "first login: %s with password %s (shown once; change it at the first login)\n", email, password)
		return err
	}
	return a.leave(firstLogin, fmt.Appendf(nil, "email: %s\npassword: %s\n", email, password), "the first password is")
}

// leave writes passwords to a file, and prints where they are: "the first password is in …". It replaces a file of an
// earlier database, which would be misleading.
func (a *app) leave(file string, content []byte, what string) error {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("can't replace %s: %w", file, err)
	}
	if err := phi.WriteNewFile(file, content); err != nil {
		return err
	}
	path, err := filepath.Abs(file)
	if err != nil {
		path = file
	}
	_, err = fmt.Fprintf(a.stderr, "%s in %s\n", what, path)
	return err
}

// firstLoginInterval is how often a server checks whether a first password is worthless.
const firstLoginInterval = time.Second

// watchFirstLogin removes the file with the first password once the password is worthless, even if another process
// changed it. It returns when there is no file.
func watchFirstLogin(ctx context.Context, auth *service.AuthService, log *slog.Logger) {
	email, password, err := readFirstLogin()
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			log.WarnContext(ctx, "can't read the file with the first password; remove it once the password has been changed", "file", firstLogin, "error", err)
		}
		return
	}
	first := auth.FirstPassword(email, password)
	for {
		if worthless, err := first.Worthless(ctx); err == nil && worthless {
			if err := os.Remove(firstLogin); err != nil && !errors.Is(err, fs.ErrNotExist) {
				log.WarnContext(ctx, "can't remove the file with the first password; remove it, the password has been changed", "file", firstLogin, "error", err)
			}
			return
		}
		select {
		case <-time.After(firstLoginInterval):
		case <-ctx.Done():
			return
		}
		if _, err := os.Lstat(firstLogin); err != nil {
			return
		}
	}
}

// readFirstLogin reads the file that deliver wrote.
func readFirstLogin() (email, password string, err error) {
	text, err := os.ReadFile(firstLogin)
	if err != nil {
		return "", "", err
	}
	first, second, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n")
	email, isEmail := strings.CutPrefix(first, "email: ")
	password, isPassword := strings.CutPrefix(second, "password: ")
	if !isEmail || !isPassword {
		return "", "", errors.New("it is not as the program wrote it")
	}
	return email, password, nil
}
