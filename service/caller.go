package service

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
)

const (
	// callerLease is how long a server uses a remembered caller. A change of an account counts at once on this
	// server, and within this time on the other servers of the database. That leaves half of the promised second for
	// running requests.
	callerLease = 500 * time.Millisecond
	// maxCallers bounds the memory; the caller seen longest ago is forgotten first.
	maxCallers = 1 << 14
)

// Caller is the owner of a token: a person with a session, or a program with an API key.
type Caller struct {
	Account   *models.Account // shared by requests: to be read only
	SessionID uuid.UUID       // Nil with an API key
	APIKeyID  uuid.UUID       // Nil with a session
	Scopes    []string        // of an API key
	// TOTPDue: the account's roles need a second factor, and it has none.
	TOTPDue bool
}

// Actor returns the caller as the actor of audit events.
func (c *Caller) Actor() audit.Actor {
	if c.Machine() {
		// Scopes are never nil, because nil means all scopes.
		return audit.Actor{ID: c.Account.ID, Roles: []string{RoleIntegration}, Scopes: append([]string{}, c.Scopes...), APIKeyID: c.APIKeyID}
	}
	return audit.Actor{ID: c.Account.ID, Roles: c.Account.Roles, SessionID: c.SessionID}
}

// Machine reports whether the caller is a machine, with an API key.
func (c *Caller) Machine() bool { return c.APIKeyID != uuid.Nil }

// Authenticate returns the owner of a token. It returns an Unauthenticated error if the token is unknown, revoked,
// expired or was not used for too long. It returns the same error if the token's account is disabled or may no longer
// make API keys.
func (s *AuthService) Authenticate(ctx context.Context, token string) (*Caller, error) {
	hash, now := hashToken(token), time.Now()
	if caller := s.callers.get(hash, now); caller != nil {
		return caller, nil
	}
	generation := s.callers.generation()
	lookUp := s.withSession
	if strings.HasPrefix(token, apiKeyPrefix) {
		lookUp = s.withKey
	}
	caller, until, err := lookUp(ctx, hash, now.UTC())
	if err != nil {
		return nil, err
	}
	s.callers.put(generation, hash, leased{caller, until})
	return caller, nil
}

// withSession returns the owner of a session's token, and the time until which the owner may be remembered.
func (s *AuthService) withSession(ctx context.Context, hash string, now time.Time) (*Caller, time.Time, error) {
	session, err := s.sessions.ByTokenHash(ctx, hash, now, s.idleSince(now))
	if apperr.Is(err, apperr.NotFound) || (err == nil && (session.Account == nil || session.Account.Disabled)) {
		return nil, time.Time{}, apperr.New(apperr.Unauthenticated, "The session is unknown or has ended. Log in again.")
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	if now.Sub(session.LastSeenAt) >= s.touchAfter() {
		if err := s.sessions.Touch(ctx, session.ID, now); err != nil {
			return nil, time.Time{}, err
		}
	}
	caller := &Caller{Account: session.Account, SessionID: session.ID, TOTPDue: s.needsTOTP(session.Account)}
	return caller, slices.MinFunc([]time.Time{now.Add(callerLease), session.ExpiresAt}, time.Time.Compare), nil
}

// withKey is withSession for an API key.
func (s *AuthService) withKey(ctx context.Context, hash string, now time.Time) (*Caller, time.Time, error) {
	key, err := s.keys.ByHash(ctx, hash, now)
	if apperr.Is(err, apperr.NotFound) || (err == nil && !answersForKeys(key.Account)) {
		return nil, time.Time{}, apperr.New(apperr.Unauthenticated, "The API key is unknown, was revoked, or has expired. Ask an admin for a new one.")
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	if key.Use == nil || now.Sub(key.Use.LastUsedAt) >= time.Minute {
		if err := s.keys.Touch(ctx, key.ID, now); err != nil {
			return nil, time.Time{}, err
		}
	}
	caller := &Caller{Account: key.Account, APIKeyID: key.ID, Scopes: key.Scopes}
	return caller, slices.MinFunc([]time.Time{now.Add(callerLease), key.ExpiresAt}, time.Time.Compare), nil
}

// answersForKeys reports whether an account can have API keys.
func answersForKeys(account *models.Account) bool {
	return account != nil && !account.Disabled && Reach(account.Roles, APIKeyCreate) != None
}

// idleSince returns the earliest time of last use of a session that is still valid at now.
func (s *AuthService) idleSince(now time.Time) time.Time { return now.Add(-s.idle) }

// touchAfter is how far a session's time of last use may be behind. An idle session therefore ends this much earlier,
// never later.
func (s *AuthService) touchAfter() time.Duration { return min(time.Minute, s.idle/15) }

func (s *AuthService) needsTOTP(account *models.Account) bool {
	return account.MFASince == nil && slices.ContainsFunc(s.totpRoles, func(role string) bool { return slices.Contains(account.Roles, role) })
}

// leased is a caller that is accepted for a while without asking the database.
type leased struct {
	*Caller

	until time.Time
}

// callers remembers the owners of tokens by the tokens' hashes. It never remembers a refused token.
type callers struct {
	mu      sync.Mutex
	known   *lru.Cache[string, leased]
	forgets uint64
}

func newCallers() (*callers, error) {
	known, err := lru.New[string, leased](maxCallers)
	return &callers{known: known}, err
}

func (c *callers) get(hash string, now time.Time) *Caller {
	found, ok := c.known.Get(hash)
	if !ok || !now.Before(found.until) {
		return nil
	}
	return found.Caller
}

// generation distinguishes values read before forget from values read after it.
func (c *callers) generation() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgets
}

// put remembers a caller, unless forget was called after the generation in which the caller was looked up.
func (c *callers) put(generation uint64, hash string, l leased) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation == c.forgets {
		c.known.Add(hash, l)
	}
}

// forget makes every caller be looked up again.
func (c *callers) forget(uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgets++
	c.known.Purge()
}
