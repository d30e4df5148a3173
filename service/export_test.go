package service

import (
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"
)

// CountHashes counts the Argon2id hashes that are computed from now on.
func CountHashes(s *AuthService) *atomic.Int64 {
	var n atomic.Int64
	create, compare := s.passwords.create, s.passwords.compare
	s.passwords.create = func(password string, params *argon2id.Params) (string, error) {
		n.Add(1)
		return create(password, params)
	}
	s.passwords.compare = func(password, hash string) (bool, *argon2id.Params, error) {
		n.Add(1)
		return compare(password, hash)
	}
	return &n
}

// IsCommonPassword is isCommonPassword.
func IsCommonPassword(password string) bool { return isCommonPassword(password) }

// LengthenWaits makes the first wait after too many failed logins longer than any test. With a shorter wait, a slow
// machine would let another attempt pass.
func LengthenWaits(s *AuthService) { s.throttle.first, s.throttle.longest = time.Hour, time.Hour }
