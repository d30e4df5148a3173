package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/models"
	"novamind/repository"
)

// AuthService logs people in and out, and finds the owner of a token.
type AuthService struct {
	store     Store
	accounts  *repository.AccountRepository
	sessions  *repository.SessionRepository
	factors   *repository.SecondFactorRepository
	keys      *repository.APIKeyRepository
	passwords *passwords
	throttle  *loginThrottle
	callers   *callers
	lifetime  time.Duration
	idle      time.Duration
	totpRoles []string
}

// NewAuthService returns the service on a store. Call it before the store is shared.
func NewAuthService(store *repository.Store, cfg config.Auth) (*AuthService, error) {
	passwords, err := newPasswords(cfg.Argon2)
	if err != nil {
		return nil, err
	}
	callers, err := newCallers()
	if err != nil {
		return nil, err
	}
	store.OnRevoke(callers.forget)
	return &AuthService{
		store: store, passwords: passwords, callers: callers, lifetime: cfg.SessionLifetime, idle: cfg.SessionIdle,
		throttle: &loginThrottle{
			tallies: repository.NewLoginTallyRepository(store), budget: int64(cfg.LoginFailures),
			first: time.Second, longest: cfg.LoginLockout,
		},
		accounts: repository.NewAccountRepository(store),
		sessions: repository.NewSessionRepository(store),
		factors:  repository.NewSecondFactorRepository(store),
		keys:     repository.NewAPIKeyRepository(store),
	}, nil
}

// RequireTOTP makes accounts with one of these roles enrol a second factor before they do anything else. It returns
// an error for an unknown role. Call it before the service is used.
func (s *AuthService) RequireTOTP(roles []string) error {
	for _, role := range roles {
		if !slices.Contains(Roles(), role) {
			return fmt.Errorf("auth.require_totp: there is no role %q", role)
		}
	}
	s.totpRoles = roles
	return nil
}

// Credentials are the input of a login.
type Credentials struct {
	Email    string
	Password string
	Code     string // of the second factor, or a recovery code; empty if there is none
}

// Login is a new session. Token is shown to the client once; the database has its hash.
type Login struct {
	Token     string
	ExpiresAt time.Time
	Account   *models.Account
}

// Login checks credentials and opens a session.
//
// It returns a BadCredentials error for an unknown account, a disabled one, a wrong password and a wrong code. That
// error is the same and takes as long in all four cases. It returns a TOTPNeeded error if the password is right and
// the code is missing. After too many failures it returns a RateLimited error without checking the credentials. Every
// outcome except RateLimited is recorded as an event.
func (s *AuthService) Login(ctx context.Context, in Credentials) (*Login, error) {
	if err := s.throttle.begin(ctx, in.Email); err != nil {
		return nil, err
	}
	account, err := s.accounts.ByEmail(ctx, in.Email)
	if err != nil && !apperr.Is(err, apperr.NotFound) {
		return nil, err
	}
	intent := audit.Intent{Action: audit.Login, EntityType: "account"}
	hash := ""
	if account != nil {
		intent.EntityID, hash = account.ID, account.PasswordHash
	}
	ok, weaker, err := s.passwords.matches(ctx, in.Password, hash)
	if err != nil {
		return nil, err
	}
	ctx = audit.WithIntent(ctx, intent)
	if !ok || account.Disabled {
		return nil, s.store.Read(ctx, func(context.Context) error { return badCredentials() })
	}
	login, err := s.openSession(ctx, account, in)
	if err == nil && weaker {
		s.strengthen(ctx, account, in.Password)
	}
	return login, err
}

func badCredentials() error {
	return apperr.New(apperr.BadCredentials, "The e-mail, the password or the code is wrong.")
}

func (s *AuthService) openSession(ctx context.Context, account *models.Account, in Credentials) (*Login, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	login := &Login{Token: newToken(), ExpiresAt: now.Add(s.lifetime)}
	session := &models.Session{AccountID: account.ID, TokenHash: hashToken(login.Token), ExpiresAt: login.ExpiresAt, LastSeenAt: now}
	if actor.Address != "" {
		session.Address = &actor.Address
	}
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		// Lock the tally before the account, as everywhere else. Two transactions with opposite orders would wait for
		// each other.
		if err := s.throttle.succeeded(ctx, in.Email); err != nil {
			return err
		}
		// Checking the password took time. A change of the password or the account may have ended all sessions
		// meanwhile.
		current, err := s.accounts.Hold(ctx, account.ID)
		if err != nil {
			return err
		}
		login.Account = current
		if current.Disabled || current.PasswordHash != account.PasswordHash {
			return badCredentials()
		}
		if current.MFASince != nil {
			if err := s.checkCode(ctx, account.ID, in.Code); err != nil {
				return err
			}
		}
		if err := s.sessions.RemoveEnded(ctx, now, s.idleSince(now)); err != nil {
			return err
		}
		if err := s.sessions.Create(ctx, session); err != nil {
			return err
		}
		return record(ctx, audit.Event{Action: audit.Login, UserID: account.ID, EntityID: account.ID})
	})
	if err != nil {
		return nil, err
	}
	return login, nil
}

// strengthen hashes a password again with the present configuration. A failure has no effect: the old hash stays
// valid, and the next login tries again.
func (s *AuthService) strengthen(ctx context.Context, account *models.Account, password string) {
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.Rehash, EntityType: "account", EntityID: account.ID})
	_ = s.store.InTx(ctx, func(ctx context.Context) error {
		current, err := s.accounts.ByID(ctx, account.ID)
		if err != nil || current.PasswordHash != account.PasswordHash {
			return err
		}
		current.PasswordHash = hash
		return s.accounts.Update(ctx, current)
	})
}

// SetPassword changes the actor's own password and ends their other sessions. It returns an Invalid error for a
// password that is too short, too long, common, or the same as the old one. It returns BadCredentials if current is
// wrong, and RateLimited after too many of these.
func (s *AuthService) SetPassword(ctx context.Context, current, replacement string) error {
	v := validation{PasswordFaults("/new_password", replacement)}
	if current == replacement {
		v.add("/new_password", "unchanged", "Must differ from the current password.")
	}
	if err := v.err(); err != nil {
		return err
	}
	hash, err := s.passwords.hash(ctx, replacement)
	if err != nil {
		return err
	}
	return s.reauthenticated(ctx, audit.SetPassword, current, func(ctx context.Context, account *models.Account) error {
		account.PasswordHash, account.MustChangePassword = hash, false
		if err := s.accounts.Update(ctx, account); err != nil {
			return err
		}
		return s.endOtherSessions(ctx)
	})
}

// reauthenticated runs fn in a transaction with the actor's account, if password is the actor's password. So an open
// session left behind is not enough to take over the account. It returns a BadCredentials error, or a RateLimited
// error.
func (s *AuthService) reauthenticated(ctx context.Context, action, password string, fn func(context.Context, *models.Account) error) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	account, err := s.accounts.ByID(ctx, actor.ID)
	if err != nil {
		return err
	}
	if err := s.throttle.begin(ctx, account.Email); err != nil {
		return err
	}
	matches, _, err := s.passwords.matches(ctx, password, account.PasswordHash)
	if err != nil {
		return err
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: action, EntityType: "account", EntityID: actor.ID})
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if !matches {
			return apperr.New(apperr.BadCredentials, "The current password is wrong.")
		}
		if err := s.throttle.succeeded(ctx, account.Email); err != nil {
			return err
		}
		// Read the account again: checking the password took a while, and a concurrent request may have changed it
		// meanwhile.
		current, err := s.accounts.ByID(ctx, account.ID)
		if err != nil {
			return err
		}
		if current.Disabled || current.PasswordHash != account.PasswordHash {
			return apperr.New(apperr.BadCredentials, "The current password is wrong.")
		}
		return fn(ctx, current)
	})
}

// endOtherSessions ends all sessions of the actor except the current one.
func (s *AuthService) endOtherSessions(ctx context.Context) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	return s.sessions.EndOthers(ctx, actor.ID, actor.SessionID)
}

// Account returns the actor's account.
func (s *AuthService) Account(ctx context.Context, id uuid.UUID) (*models.Account, error) {
	return s.accounts.ByID(ctx, id)
}

// record adds a successful event on an account to the unit of work of ctx.
func record(ctx context.Context, e audit.Event) error {
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	e.EntityType, e.Outcome, e.Subjects = "account", audit.Success, []audit.Subject{{ID: e.EntityID, EntityType: "account"}}
	unit.Record(e)
	return nil
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token)) // the token has 256 random bits: a slow hash would add nothing
	return hex.EncodeToString(sum[:])
}
