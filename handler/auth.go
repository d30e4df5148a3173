package handler

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/netaddr"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

// authOperations are the operations on the caller's own account and sessions.
func (a *API) authOperations() []rest.Operation {
	const auth = "/api/v1/auth"
	return []rest.Operation{
		rest.Row(
			"POST", auth+"/login", "Log in", web.Public, nil, a.login(),
			apperr.BadCredentials, apperr.TOTPNeeded,
		),
		rest.Row("POST", auth+"/logout", "Log out", web.FirstLogin, nil, rest.Remove(a.logout), apperr.NotFound),
		rest.Row("GET", auth+"/me", "Show your account", web.FirstLogin, nil, rest.Get(a.me, newAccountAnswer)),
		rest.Row(
			"POST", auth+"/password", "Change your password", web.FirstLogin, nil, rest.Remove(a.setPassword),
			apperr.BadCredentials,
		),
		rest.Row(
			"POST", auth+"/redeem", "Choose a password by link", web.Public, nil, rest.Remove(a.redeem),
			apperr.BadCredentials,
		),
		rest.Row(
			"POST", auth+"/totp", "Enrol a second factor", web.FirstLogin, nil, rest.Answer(200, a.enrolTOTP, rest.Same),
			apperr.BadCredentials, apperr.Duplicate,
		),
		rest.Row(
			"POST", auth+"/totp/confirm", "Confirm a second factor", web.FirstLogin, nil,
			rest.Answer(200, a.confirmTOTP, newRecoveryCodesAnswer),
			apperr.BadCredentials, apperr.Duplicate, apperr.NotFound,
		),
		rest.Row(
			"POST", auth+"/totp/disable", "Disable the second factor", web.FirstLogin, nil, rest.Remove(a.disableTOTP),
			apperr.BadCredentials, apperr.TOTPNeeded, apperr.NotFound,
		),
		rest.Row(
			"POST", auth+"/recovery-codes", "Renew the recovery codes", web.FirstLogin, nil,
			rest.Answer(200, a.renewRecoveryCodes, newRecoveryCodesAnswer),
			apperr.BadCredentials, apperr.TOTPNeeded, apperr.NotFound,
		),
		rest.Row(
			"GET", auth+"/sessions", "List your sessions", web.FirstLogin, nil,
			rest.List(rest.Unfiltered(a.Auth.Sessions), newSessionAnswer),
		),
		rest.Row("DELETE", auth+"/sessions/:id", "End a session", web.FirstLogin, nil, rest.Remove(a.Auth.EndSession)),
	}
}

type loginRequest struct {
	Email    string  `json:"email" max:"254" example:"sam.sample@example.org"`
	Password string  `json:"password" format:"password"`
	TOTP     *string `json:"totp" max:"64" doc:"A TOTP code of the authenticator app, or a recovery code. Required if the account has a second factor." example:"123456"`
}

type loginAnswer struct {
	Token     string        `json:"token" doc:"The bearer token. Send it in the header Authorization: Bearer TOKEN."`
	ExpiresAt time.Time     `json:"expires_at"`
	Account   accountAnswer `json:"account"`
}

type passwordRequest struct {
	CurrentPassword string `json:"current_password" format:"password"`
	NewPassword     string `json:"new_password" format:"password" doc:"The new password, from 12 to 128 characters."`
}

type redeemRequest struct {
	Token    string `json:"token" max:"200" doc:"The one-time token of an invitation or a reset."`
	Password string `json:"password" format:"password" doc:"The new password, from 12 to 128 characters."`
}

// login is written by hand, because the access log names the account that logged in.
func (a *API) login() rest.Action {
	action, write := rest.ActionOf[loginRequest, loginAnswer](http.StatusOK, "")
	action.Handler = rest.Bound(func(c *gin.Context, env *rest.Conventions, in loginRequest) error {
		credentials := service.Credentials{Email: in.Email, Password: in.Password, Code: web.ValueOr(in.TOTP, "")}
		login, err := a.Auth.Login(c.Request.Context(), credentials)
		if err != nil {
			a.noteThrottled(c, err)
			return err
		}
		web.SetAccount(c, login.Account.ID)
		return write(c, env, loginAnswer{login.Token, login.ExpiresAt, newAccountAnswer(login.Account)})
	})
	return action
}

// noteThrottled counts a login that was refused without checking its credentials. Such a login has no event of its
// own.
func (a *API) noteThrottled(c *gin.Context, err error) {
	if apperr.Is(err, apperr.RateLimited) {
		a.Refusals.Note(netaddr.Group(c.ClientIP()), apperr.RateLimited)
	}
}

func (a *API) logout(ctx context.Context, _ rest.Nothing) error { return a.Auth.Logout(ctx) }

func (a *API) me(ctx context.Context, _ rest.Nothing) (*models.Account, error) {
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
