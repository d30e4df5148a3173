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

// passwords hashes and checks passwords with Argon2id (RFC 9106). It runs only a few computations at a time, because
// each needs its own memory.
type passwords struct {
	params *argon2id.Params
	slots  chan struct{}
	decoy  string // a hash that matches no password, so that an unknown account takes as long as a known one

	// create and compare do the computation. Tests replace them to count the calls.
	create  func(password string, params *argon2id.Params) (string, error)
	compare func(password, hash string) (bool, *argon2id.Params, error)
}

func newPasswords(cost config.Argon2) (*passwords, error) {
	p := &passwords{
		params: &argon2id.Params{
			Memory: uint32(cost.MemoryKiB), Iterations: uint32(cost.Passes), Parallelism: uint8(cost.Lanes), //nolint:gosec // the configuration bounds these values
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

// matches reports whether password has this hash, and whether a new hash would be harder to guess. "" is the hash of
// an account that does not exist. It computes one Argon2id hash in every case.
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
