package service

import (
	"context"
	"crypto/rand"
	"runtime"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"novamind/internal/apperr"
	"novamind/internal/config"
)

// Password lengths in characters (NIST SP 800-63B, 5.1.1.2; the upper bound keeps hashing bounded).
const (
	minPassword = 12
	maxPassword = 128
)

// passwords hashes and checks passwords with Argon2id (RFC 9106), a few at a time: each takes its memory.
type passwords struct {
	params *argon2id.Params
	slots  chan struct{}
	decoy  string // the hash of no password, so that an unknown account costs as much as a known one

	// What computes; tests count the calls.
	create  func(password string, params *argon2id.Params) (string, error)
	compare func(password, hash string) (bool, *argon2id.Params, error)
}

func newPasswords(cost config.Argon2) (*passwords, error) {
	p := &passwords{
		params: &argon2id.Params{
			Memory: uint32(cost.MemoryKiB), Iterations: uint32(cost.Passes), Parallelism: uint8(cost.Lanes), //nolint:gosec // config bounds them
			SaltLength: 16, KeyLength: 32,
		},
		slots:  make(chan struct{}, runtime.GOMAXPROCS(0)),
		create: argon2id.CreateHash, compare: argon2id.CheckHash,
	}
	var err error
	p.decoy, err = p.hash(context.Background(), rand.Text())
	return p, err
}

func (p *passwords) take(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if err := p.take(ctx); err != nil {
		return "", err
	}
	defer func() { <-p.slots }()
	hash, err := p.create(password, p.params)
	if err != nil {
		return "", apperr.Wrap(apperr.Internal, "The password could not be hashed.", err)
	}
	return hash, nil
}

// matches reports whether password has this hash, and whether a new hash would be harder to guess at; "" stands for the hash of an account that does
// not exist. It computes one Argon2id in every case.
func (p *passwords) matches(ctx context.Context, password, hash string) (ok, weaker bool, err error) {
	known := hash != ""
	if !known {
		hash = p.decoy
	}
	if err := p.take(ctx); err != nil {
		return false, false, err
	}
	defer func() { <-p.slots }()
	ok, params, err := p.compare(password, hash)
	if err != nil {
		return false, false, apperr.Wrap(apperr.Internal, "The stored password hash can't be read.", err)
	}
	return ok && known, params.Memory < p.params.Memory || params.Iterations < p.params.Iterations, nil
}

// PasswordFaults returns the rules that a new password breaks.
func PasswordFaults(pointer, password string) []apperr.Field {
	return fieldsOf(checkNewPassword(pointer, password))
}

func checkNewPassword(pointer, password string) error {
	var v validation
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		v.add(pointer, "too_short", "Must have at least "+itoa(minPassword)+" characters.")
	case n > maxPassword:
		v.add(pointer, "too_long", "Must have at most "+itoa(maxPassword)+" characters.")
	case isCommonPassword(password):
		v.add(pointer, "common", "Must not be a commonly used password: attackers try these first.")
	}
	return v.err()
}
