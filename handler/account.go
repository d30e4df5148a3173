package handler

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
	"novamind/service"
)

// accountRequest is a new account. Without a password it gets one by a link.
type accountRequest struct {
	service.AccountInput
	Password *string `json:"password"`
}

// accountWithLink is an account and, where one was made, the link by which it gets its password. It is shown once.
type accountWithLink struct {
	accountAnswer
	Link *service.Link `json:"link,omitempty"`
}

// accountReplacement is what can be said of an account in a change. Members that the server sets may be there, unchanged; mfa may become false.
type accountReplacement struct {
	ID                 *uuid.UUID `json:"id"`
	Version            *int64     `json:"version"`
	MFA                *bool      `json:"mfa"`
	MustChangePassword *bool      `json:"must_change_password"`
	service.AccountInput
}

func newAccountReplacement(a *models.Account) accountReplacement {
	shown := newAccountAnswer(a)
	return accountReplacement{
		&shown.ID, &shown.Version, &shown.MFA, &shown.MustChangePassword,
		service.AccountInput{Email: shown.Email, Name: shown.Name, Roles: shown.Roles, Disabled: shown.Disabled},
	}
}

// against returns the input, or an Invalid error where it would change what the server sets.
func (r accountReplacement) against(a *models.Account) (service.AccountInput, error) {
	shown := newAccountAnswer(a)
	mfa := unchanged("/mfa", r.MFA, shown.MFA)
	if mfa != nil && !*r.MFA { // who lost their second factor is helped by taking it away
		r.RemoveSecondFactor, mfa = true, nil
	}
	return r.AccountInput, readOnly(
		unchanged("/id", r.ID, shown.ID), unchanged("/version", r.Version, shown.Version), mfa,
		unchanged("/must_change_password", r.MustChangePassword, shown.MustChangePassword),
	)
}

// passwordReset is the new password of an account that is reset; without one it gets one by a link.
type passwordReset struct {
	Password *string `json:"password"`
}

type redeemRequest struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

type practitionerAnswer struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

func (a *API) listAccounts(c *gin.Context) error {
	q, err := readQuery(c, "role", "disabled", "limit", "cursor")
	if err != nil {
		return err
	}
	query := service.AccountQuery{Role: q.Text("role", 50), Disabled: q.Bool("disabled")}
	params := q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	span, err := a.cursors.span(c, params, query)
	if err != nil {
		return err
	}
	found, more, err := a.Accounts.Search(c.Request.Context(), query, pageOf(span))
	if err != nil {
		return err
	}
	items := make([]accountAnswer, len(found))
	for i, account := range found {
		items[i] = newAccountAnswer(account)
	}
	return writePage(c, span, items, lastID(found, more, func(a *models.Account) uuid.UUID { return a.ID }))
}

// passwordGiven stands for a password in what tells two requests apart: that is kept, as a keyed hash, and no password is, in any form but the slow one.
type passwordGiven struct {
	HasPassword bool `json:"has_password"`
}

func hasPassword(password *string) passwordGiven { return passwordGiven{password != nil} }

func (a *API) createAccount(c *gin.Context) error {
	var body accountRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	once, err := idempotencyOf(c, struct {
		service.AccountInput
		passwordGiven
	}{body.AccountInput, hasPassword(body.Password)})
	if err != nil {
		return err
	}
	account, link, err := a.Accounts.Create(c.Request.Context(), body.AccountInput, body.Password, once)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/accounts/"+account.ID.String())
	setETag(c, account.Version)
	return writeJSON(c, http.StatusCreated, accountWithLink{newAccountAnswer(account), link})
}

func (a *API) getAccount(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	account, err := a.Accounts.Get(c.Request.Context(), id)
	if err != nil || notModified(c, account.Version) {
		return err
	}
	return writeJSON(c, http.StatusOK, newAccountAnswer(account))
}

func (a *API) patchAccount(c *gin.Context) error {
	patch, err := readMergePatch[accountReplacement](c)
	if err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	account, err := a.Accounts.Change(c.Request.Context(), id, condition.Matches, func(account *models.Account) (service.AccountInput, error) {
		patched, err := patch.Apply(newAccountReplacement(account))
		if err != nil {
			return service.AccountInput{}, err
		}
		return patched.against(account)
	})
	if err != nil {
		return err
	}
	setETag(c, account.Version)
	return writeJSON(c, http.StatusOK, newAccountAnswer(account))
}

func (a *API) resetAccount(c *gin.Context) error {
	var body passwordReset
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	var link *service.Link
	account, err := changeOnce(a, c, id, hasPassword(body.Password), func(ctx context.Context) (account *models.Account, err error) {
		account, link, err = a.Accounts.Reset(ctx, id, body.Password)
		return account, err
	}, func(ctx context.Context, id uuid.UUID) (*models.Account, error) {
		return a.Accounts.Repeated(ctx, id, body.Password)
	})
	if err != nil {
		return err
	}
	setETag(c, account.Version)
	return writeJSON(c, http.StatusOK, accountWithLink{newAccountAnswer(account), link})
}

// redeem takes the token of an invitation or a reset, and the password that its holder chose.
func (a *API) redeem(c *gin.Context) error {
	var body redeemRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	setActor(c, audit.Actor{})
	if err := a.Accounts.Redeem(c.Request.Context(), body.Token, body.Password); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (a *API) listPractitioners(c *gin.Context) error {
	q, err := readQuery(c, "limit", "cursor")
	if err != nil {
		return err
	}
	params := q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	span, err := a.cursors.span(c, params, nil)
	if err != nil {
		return err
	}
	found, more, err := a.Accounts.Practitioners(c.Request.Context(), pageOf(span))
	if err != nil {
		return err
	}
	items := make([]practitionerAnswer, len(found))
	for i, account := range found {
		items[i] = practitionerAnswer{account.ID, account.Name}
	}
	return writePage(c, span, items, lastID(found, more, func(a *models.Account) uuid.UUID { return a.ID }))
}
