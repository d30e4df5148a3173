package handler

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
	"novamind/service"
)

// callerKey is where a request's context has its service.Caller.
const callerKey = "caller"

type accountAnswer struct {
	ID                 uuid.UUID `json:"id"`
	Version            int64     `json:"version"`
	Email              string    `json:"email"`
	Name               string    `json:"name"`
	Roles              []string  `json:"roles"`
	Disabled           bool      `json:"disabled"`
	MFA                bool      `json:"mfa"`
	MustChangePassword bool      `json:"must_change_password"`
}

func newAccountAnswer(a *models.Account) accountAnswer {
	return accountAnswer{
		ID: a.ID, Version: a.Version, Email: a.Email, Name: a.Name, Roles: a.Roles, Disabled: a.Disabled,
		MFA: a.MFASince != nil, MustChangePassword: a.MustChangePassword,
	}
}

type loginRequest struct {
	Email    string  `json:"email"`
	Password string  `json:"password"`
	TOTP     *string `json:"totp"` // or a recovery code
}

type loginAnswer struct {
	Token     string        `json:"token"`
	ExpiresAt time.Time     `json:"expires_at"`
	Account   accountAnswer `json:"account"`
}

type passwordRequest struct {
	CurrentPassword string `json:"current_password"`
	NewPassword     string `json:"new_password"`
}

// authenticate puts the caller of a bearer token (RFC 6750) into the request's context.
func (a *API) authenticate(c *gin.Context) error {
	scheme, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		c.Header("WWW-Authenticate", "Bearer")
		return apperr.New(apperr.Unauthenticated, "Log in, and send Authorization: Bearer with the token.")
	}
	caller, err := a.Auth.Authenticate(c.Request.Context(), token)
	if err != nil {
		if apperr.Is(err, apperr.Unauthenticated) {
			c.Header("WWW-Authenticate", `Bearer error="invalid_token"`)
		}
		return err
	}
	setAccount(c, caller.Account.ID)
	c.Set(callerKey, caller)
	setActor(c, caller.Actor())
	return nil
}

// personal refuses a machine: what is about a person's own account is none of its business.
func personal(authenticate HandlerFunc) HandlerFunc {
	return func(c *gin.Context) error {
		if err := authenticate(c); err != nil {
			return err
		}
		caller, _ := c.Value(callerKey).(*service.Caller)
		if caller == nil || caller.Machine() {
			return apperr.New(apperr.Unauthenticated, "This takes a person's login, not an API key.")
		}
		return nil
	}
}

// settled refuses a caller whose first password is still the one that the program made up, or who has to enrol a second factor.
func settled(authenticate HandlerFunc) HandlerFunc {
	return func(c *gin.Context) error {
		if err := authenticate(c); err != nil {
			return err
		}
		caller, _ := c.Value(callerKey).(*service.Caller)
		switch {
		case caller == nil:
			return apperr.New(apperr.Internal, internalDetail)
		case caller.Machine():
			return nil
		case caller.Account.MustChangePassword:
			return apperr.New(apperr.PasswordChange, "Change the first password with POST /api/v1/auth/password.")
		case caller.TOTPDue:
			return apperr.New(apperr.TOTPDue, "Enrol a second factor with POST /api/v1/auth/totp.")
		default:
			return nil
		}
	}
}

func setActor(c *gin.Context, actor audit.Actor) {
	ctx := c.Request.Context()
	actor.Origin, actor.RequestID, actor.Address, actor.Route = audit.API, RequestID(ctx), c.ClientIP(), c.FullPath()
	c.Request = c.Request.WithContext(audit.WithActor(ctx, actor))
}

func (a *API) login(c *gin.Context) error {
	var body loginRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	setActor(c, audit.Actor{})
	login, err := a.Auth.Login(c.Request.Context(), service.Credentials{Email: body.Email, Password: body.Password, Code: valueOr(body.TOTP, "")})
	if err != nil {
		a.noteThrottled(c, err)
		return err
	}
	setAccount(c, login.Account.ID)
	return writeJSON(c, http.StatusOK, loginAnswer{login.Token, login.ExpiresAt, newAccountAnswer(login.Account)})
}

// noteThrottled counts a login that was refused unseen, and that is no event by itself.
func (a *API) noteThrottled(c *gin.Context, err error) {
	if apperr.Is(err, apperr.RateLimited) {
		a.Refusals.Note(service.AddressGroup(c.ClientIP()), apperr.RateLimited)
	}
}

func (a *API) logout(c *gin.Context) error {
	if err := a.Auth.Logout(c.Request.Context()); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (a *API) me(c *gin.Context) error {
	actor, err := audit.ActorFrom(c.Request.Context())
	if err != nil {
		return err
	}
	account, err := a.Auth.Account(c.Request.Context(), actor.ID)
	if err != nil {
		return err
	}
	if notModified(c, account.Version) {
		return nil
	}
	return writeJSON(c, http.StatusOK, newAccountAnswer(account))
}

func (a *API) setPassword(c *gin.Context) error {
	var body passwordRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	if err := a.Auth.SetPassword(c.Request.Context(), body.CurrentPassword, body.NewPassword); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
