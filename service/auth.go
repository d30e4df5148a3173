package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/models"
	"novamind/repository"
)

// AuthService logs people in and out, and says who a token belongs to.
type AuthService struct {
	store     Store
	accounts  *repository.AccountRepository
	sessions  *repository.SessionRepository
	passwords *passwords
	lifetime  time.Duration
}

// NewAuthService returns the service on a store.
func NewAuthService(store *repository.Store, cfg config.Auth) (*AuthService, error) {
	passwords, err := newPasswords(cfg.Argon2)
	if err != nil {
		return nil, err
	}
	return &AuthService{
		store: store, passwords: passwords, lifetime: cfg.SessionLifetime,
		accounts: repository.NewAccountRepository(store),
		sessions: repository.NewSessionRepository(store),
	}, nil
}

// Login is a new session. Token is shown to the client once; the database has its hash.
type Login struct {
	Token     string
	ExpiresAt time.Time
	Account   *models.Account
}

// Login checks a password and opens a session. It returns a BadCredentials error that is the same, and takes as long, for
// an unknown account, a disabled one and a wrong password. Either way it is an event.
func (s *AuthService) Login(ctx context.Context, email, password string) (*Login, error) {
	account, err := s.accounts.ByEmail(ctx, email)
	if err != nil && !apperr.Is(err, apperr.NotFound) {
		return nil, err
	}
	intent := audit.Intent{Action: audit.Login, EntityType: "account"}
	hash := ""
	if account != nil {
		intent.EntityID, hash = account.ID, account.PasswordHash
	}
	ok, err := s.passwords.matches(ctx, password, hash)
	if err != nil {
		return nil, err
	}
	ctx = audit.WithIntent(ctx, intent)
	if !ok || account.Disabled {
		return nil, s.store.Read(ctx, func(context.Context) error {
			return badCredentials()
		})
	}
	return s.openSession(ctx, account)
}

func badCredentials() error {
	return apperr.New(apperr.BadCredentials, "The e-mail or the password is wrong.")
}

func (s *AuthService) openSession(ctx context.Context, account *models.Account) (*Login, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	now := time.Now().UTC().Truncate(time.Microsecond)
	login := &Login{Token: base64.RawURLEncoding.EncodeToString(secret), ExpiresAt: now.Add(s.lifetime), Account: account}
	err := s.store.InTx(ctx, func(ctx context.Context) error {
		// The password took its time to check: a change of it, or of the account, may have ended all sessions meanwhile.
		current, err := s.accounts.Hold(ctx, account.ID)
		if err != nil {
			return err
		}
		if current.Disabled || current.PasswordHash != account.PasswordHash {
			return badCredentials()
		}
		if err := s.sessions.RemoveExpired(ctx, now); err != nil {
			return err
		}
		session := &models.Session{AccountID: account.ID, TokenHash: hashToken(login.Token), ExpiresAt: login.ExpiresAt}
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

// Authenticate returns the session of a token, with its account. It returns an Unauthenticated error.
func (s *AuthService) Authenticate(ctx context.Context, token string) (*models.Session, error) {
	session, err := s.sessions.ByTokenHash(ctx, hashToken(token), time.Now().UTC())
	if apperr.Is(err, apperr.NotFound) || (err == nil && (session.Account == nil || session.Account.Disabled)) {
		return nil, apperr.New(apperr.Unauthenticated, "Log in: the session is unknown or has ended.")
	}
	return session, err
}

// Logout ends the actor's session.
func (s *AuthService) Logout(ctx context.Context) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.Logout, EntityType: "account", EntityID: actor.ID})

	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.sessions.End(ctx, actor.SessionID); err != nil {
			return err
		}
		return record(ctx, audit.Event{Action: audit.Logout, EntityID: actor.ID})
	})
}

// SetPassword changes the actor's own password and ends their other sessions. It returns an Invalid error for a password that
// is too short, too long or the old one, and BadCredentials when current is wrong.
func (s *AuthService) SetPassword(ctx context.Context, current, replacement string) error {
	if err := checkNewPassword("/new_password", replacement); err != nil {
		return err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	account, err := s.accounts.ByID(ctx, actor.ID)
	if err != nil {
		return err
	}
	if current == replacement {
		return apperr.InvalidFields(apperr.Field{Pointer: "/new_password", Code: "unchanged", Detail: "Must not be the old one."})
	}
	matches, err := s.passwords.matches(ctx, current, account.PasswordHash)
	if err != nil {
		return err
	}
	hash, err := s.passwords.hash(ctx, replacement)
	if err != nil {
		return err
	}
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.SetPassword, EntityType: "account", EntityID: actor.ID})

	return s.store.InTx(ctx, func(ctx context.Context) error {
		if !matches {
			return apperr.New(apperr.BadCredentials, "The current password is wrong.")
		}
		account.PasswordHash, account.MustChangePassword = hash, false
		if err := s.accounts.Update(ctx, account); err != nil {
			return err
		}
		return s.sessions.EndOthers(ctx, account.ID, actor.SessionID)
	})
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
