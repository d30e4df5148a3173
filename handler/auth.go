package handler

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
	"novamind/service"
)

// callerKey is where a request's context has its service.Caller.
const callerKey = "caller"

type loginRequest struct {
	whole

	Email    string  `json:"email" example:"sam.sample@example.org"`
	Password string  `json:"password" format:"password"`
	TOTP     *string `json:"totp" doc:"A TOTP code of the authenticator app, or a recovery code. Required if the account has a second factor." example:"123456"`
}

type loginAnswer struct {
	Token     string        `json:"token" doc:"The bearer token. Send it in the header Authorization: Bearer TOKEN."`
	ExpiresAt time.Time     `json:"expires_at"`
	Account   accountAnswer `json:"account"`
}

type passwordRequest struct {
	whole

	CurrentPassword string `json:"current_password" format:"password"`
	NewPassword     string `json:"new_password" format:"password" doc:"The new password, from 12 to 128 characters."`
}

type redeemRequest struct {
	whole

	Token    string `json:"token" doc:"The one-time token of an invitation or a reset."`
	Password string `json:"password" format:"password" doc:"The new password, from 12 to 128 characters."`
}

// authenticate puts the caller of a bearer token (RFC 6750) into the request's context.
func (a *API) authenticate(c *gin.Context) error {
	scheme, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		c.Header("WWW-Authenticate", "Bearer")
		return apperr.New(apperr.Unauthenticated, "Log in, and send the token in the header Authorization: Bearer TOKEN.")
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

// personal refuses API keys. It guards the operations on a person's own account.
func personal(authenticate HandlerFunc) HandlerFunc {
	return func(c *gin.Context) error {
		if err := authenticate(c); err != nil {
			return err
		}
		caller, _ := c.Value(callerKey).(*service.Caller)
		if caller == nil || caller.Machine() {
			return apperr.New(apperr.Unauthenticated, "This operation needs the login of a person: an API key is not enough.")
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
			return apperr.New(apperr.PasswordChange, "Change your password first, with POST /api/v1/auth/password.")
		case caller.TOTPDue:
			return apperr.New(apperr.TOTPDue, "Enrol a second factor first, with POST /api/v1/auth/totp.")
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

// login is written by hand, because the access log names the account that logged in.
func (a *API) login() Action {
	action, write := actionOf[loginRequest, loginAnswer](http.StatusOK, "")
	action.handler = bound(func(c *gin.Context, in loginRequest) error {
		credentials := service.Credentials{Email: in.Email, Password: in.Password, Code: valueOr(in.TOTP, "")}
		login, err := a.Auth.Login(c.Request.Context(), credentials)
		if err != nil {
			a.noteThrottled(c, err)
			return err
		}
		setAccount(c, login.Account.ID)
		return write(c, loginAnswer{login.Token, login.ExpiresAt, newAccountAnswer(login.Account)})
	})
	return action
}

// noteThrottled counts a login that was refused unseen, and that is no event by itself.
func (a *API) noteThrottled(c *gin.Context, err error) {
	if apperr.Is(err, apperr.RateLimited) {
		a.Refusals.Note(service.AddressGroup(c.ClientIP()), apperr.RateLimited)
	}
}

func (a *API) logout(ctx context.Context, _ nothing) error { return a.Auth.Logout(ctx) }

func (a *API) me(ctx context.Context, _ nothing) (*models.Account, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	return a.Auth.Account(ctx, actor.ID)
}

func (a *API) setPassword(ctx context.Context, in passwordRequest) error {
	return a.Auth.SetPassword(ctx, in.CurrentPassword, in.NewPassword)
}

// Faults returns the rules that the new password breaks.
func (r passwordRequest) Faults(service.Rules) []apperr.Field {
	return service.PasswordFaults("/new_password", r.NewPassword)
}

// Faults returns the rules that the password breaks.
func (r redeemRequest) Faults(service.Rules) []apperr.Field {
	return service.PasswordFaults("/password", r.Password)
}

func (a *API) redeem(ctx context.Context, in redeemRequest) error {
	return a.Accounts.Redeem(ctx, in.Token, in.Password)
}
