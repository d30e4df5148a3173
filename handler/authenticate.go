package handler

import (
	"strings"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/web"
	"novamind/service"
)

// callerKey is the key of the service.Caller in a request's context.
const callerKey = "caller"

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
	web.SetAccount(c, caller.Account.ID)
	c.Set(callerKey, caller)
	setActor(c, caller.Actor())
	return nil
}

// admit refuses a machine if access is FirstLogin, because those routes are about a person's own account. For any
// other access, it refuses persons that still have the generated first password, or that must enrol a second factor.
func admit(c *gin.Context, access web.Access) error {
	caller, _ := c.Value(callerKey).(*service.Caller)
	switch {
	case caller == nil:
		return apperr.New(apperr.Internal, web.InternalDetail)
	case access == web.FirstLogin && caller.Machine():
		return apperr.New(apperr.Unauthenticated, "This operation needs the login of a person: an API key is not enough.")
	case access == web.FirstLogin || caller.Machine():
		return nil
	case caller.Account.MustChangePassword:
		return apperr.New(apperr.PasswordChange, "Change your password first, with POST /api/v1/auth/password.")
	case caller.TOTPDue:
		return apperr.New(apperr.TOTPDue, "Enrol a second factor first, with POST /api/v1/auth/totp.")
	default:
		return nil
	}
}

// setActor puts the actor into the request's context, with the request's id, address and route.
func setActor(c *gin.Context, actor audit.Actor) {
	ctx := c.Request.Context()
	actor.Origin, actor.RequestID, actor.Address, actor.Route = audit.API, web.RequestID(ctx), c.ClientIP(), c.FullPath()
	c.Request = c.Request.WithContext(audit.WithActor(ctx, actor))
}

// anonymous records in the request's context that there is no login.
func anonymous(c *gin.Context) { setActor(c, audit.Actor{}) }
