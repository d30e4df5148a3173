package handler

import (
	"context"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

// accountOperations are the operations on accounts and API keys.
func (a *API) accountOperations() []rest.Operation {
	const accounts, keys = "/api/v1/accounts", "/api/v1/api-keys"
	return []rest.Operation{
		rest.Row(
			"GET", accounts, "List accounts", web.Session, rest.May(service.AccountRead),
			rest.List(a.searchAccounts, newAccountAnswer),
		),
		rest.Row(
			"POST", accounts, "Add an account", web.Session, rest.MayAgain(service.AccountCreate, service.AccountRead),
			rest.Post(201, accounts, a.createAccount, a.createdAccount, newAccountWithLink), apperr.Duplicate,
		),
		rest.Row(
			"GET", accounts+"/:id", "Show an account", web.Session, rest.May(service.AccountRead),
			rest.Get(a.Accounts.Get, newAccountAnswer),
		),
		rest.Row(
			"PATCH", accounts+"/:id", "Change an account", web.Session, rest.May(service.AccountUpdate),
			rest.Change[accountReplacement](a.Accounts.Change, newAccountAnswer), apperr.Duplicate, apperr.LastAdmin,
		),
		rest.Row(
			"POST", accounts+"/:id/reset", "Reset an account", web.Session,
			rest.MayAgain(service.AccountUpdate, service.AccountRead),
			rest.Post(200, "", a.resetAccount, a.wasReset, newAccountWithLink),
		),
		rest.Row(
			"GET", "/api/v1/practitioners", "List practitioners", web.Session, rest.May(service.PractitionerRead),
			rest.List(rest.Unfiltered(a.Accounts.Practitioners), newPractitionerAnswer),
		),
		rest.Row(
			"GET", "/api/v1/practitioners/:id", "Show a practitioner", web.Session, rest.May(service.PractitionerRead),
			rest.Get(a.Accounts.Practitioner, newPractitionerAnswer),
		),
		rest.Row(
			"GET", keys, "List API keys", web.Session, rest.May(service.APIKeyRead),
			rest.List(rest.Unfiltered(a.APIKeys.List), newAPIKeyAnswer),
		),
		rest.Row(
			"POST", keys, "Make an API key", web.Session, rest.May(service.APIKeyCreate),
			rest.Issue(keys, a.APIKeys.Create, newAPIKeyWithSecret),
		),
		rest.Row(
			"GET", keys+"/:id", "Show an API key", web.Session, rest.May(service.APIKeyRead),
			rest.Get(a.APIKeys.Get, newAPIKeyAnswer),
		),
		rest.Row("DELETE", keys+"/:id", "Revoke an API key", web.Session, rest.May(service.APIKeyRevoke), rest.Remove(a.revokeAPIKey)),
	}
}

type accountAnswer struct {
	ID                 uuid.UUID `json:"id"`
	Version            int64     `json:"version"`
	Email              string    `json:"email" example:"sam.sample@example.org"`
	Name               string    `json:"name" example:"Sam Sample"`
	Roles              []string  `json:"roles" values:"role"`
	Disabled           bool      `json:"disabled" doc:"A disabled account cannot log in."`
	MFA                bool      `json:"mfa" doc:"Whether the account has a second factor."`
	MustChangePassword bool      `json:"must_change_password" doc:"Whether the owner must change the password before doing anything else."`
}

func newAccountAnswer(a *models.Account) accountAnswer {
	return accountAnswer{
		ID: a.ID, Version: a.Version, Email: a.Email, Name: a.Name, Roles: a.Roles, Disabled: a.Disabled,
		MFA: a.MFASince != nil, MustChangePassword: a.MustChangePassword,
	}
}

// accountWithLink is an account and, if one was made, the link by which its owner chooses a password.
type accountWithLink struct {
	accountAnswer

	Link *service.Link `json:"link,omitempty" doc:"The one-time link for choosing a password. It is shown only once."`
}

func newAccountWithLink(a *service.AccountWithLink) accountWithLink {
	return accountWithLink{newAccountAnswer(a.Account), a.Link}
}

// accountReplacement is the whole account as a client sends it back. The member mfa may become false.
type accountReplacement struct {
	ID                 *uuid.UUID `json:"id" set:"server"`
	Version            *int64     `json:"version" set:"server"`
	MFA                *bool      `json:"mfa" set:"false" doc:"Send false to remove the second factor, for example after its owner lost it."`
	MustChangePassword *bool      `json:"must_change_password" set:"server"`

	service.AccountInput
}

func (r accountReplacement) Input() service.AccountInput {
	r.RemoveSecondFactor = r.MFA != nil && !*r.MFA
	return r.AccountInput
}

type accountsRequest struct {
	Role     []string `json:"role" query:"role" values:"role" doc:"Only accounts with one of these roles."`
	Disabled *bool    `json:"disabled" query:"disabled"`

	web.PageParams
}

func (a *API) searchAccounts(
	ctx context.Context, in accountsRequest, page service.Page,
) ([]*models.Account, bool, error) {
	return a.Accounts.Search(ctx, service.AccountQuery{Role: in.Role, Disabled: in.Disabled}, page)
}

// firstPassword is a password that an admin chooses for the owner of an account.
type firstPassword struct {
	Password *rest.Secret `json:"password" format:"password" doc:"A first password. The owner must change it before doing anything else. If absent, the answer has a link for choosing a password."`
}

func (p firstPassword) text() *string { return (*string)(p.Password) }

// Faults returns the rules that the password breaks, if there is one.
func (p firstPassword) Faults(service.Rules) []apperr.Field {
	if p.Password == nil {
		return nil
	}
	return service.PasswordFaults("/password", *p.text())
}

type accountRequest struct {
	service.AccountInput
	firstPassword
}

// Faults returns the rules that the request breaks.
func (r accountRequest) Faults(rules service.Rules) []apperr.Field {
	return append(r.AccountInput.Faults(rules), r.firstPassword.Faults(rules)...)
}

func (a *API) createAccount(ctx context.Context, in accountRequest) (*service.AccountWithLink, error) {
	return a.Accounts.Create(ctx, in.AccountInput, in.text())
}

func (a *API) createdAccount(ctx context.Context, in accountRequest, id uuid.UUID) (*service.AccountWithLink, error) {
	return a.Accounts.Repeated(ctx, id, in.text())
}

type resetRequest struct {
	rest.ByID
	firstPassword
}

func (a *API) resetAccount(ctx context.Context, in resetRequest) (*service.AccountWithLink, error) {
	return a.Accounts.Reset(ctx, in.ID, in.text())
}

func (a *API) wasReset(ctx context.Context, in resetRequest, id uuid.UUID) (*service.AccountWithLink, error) {
	return a.Accounts.Repeated(ctx, id, in.text())
}

type practitionerAnswer struct {
	ID      uuid.UUID `json:"id"`
	Name    string    `json:"name" example:"Sam Sample"`
	Version int64     `json:"-"`
}

func newPractitionerAnswer(a *models.Account) practitionerAnswer {
	return practitionerAnswer{a.ID, a.Name, a.Version}
}
