package service

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// AccountQuery narrows a list of accounts.
type AccountQuery = repository.AccountQuery

// AccountService keeps the accounts of the clinic's staff. Every method is one unit of work and records its event.
// Every method except Redeem returns a Forbidden error if no role of the actor permits it.
type AccountService struct {
	store    Store
	auth     *AuthService
	accounts *repository.AccountRepository
	sessions *repository.SessionRepository
	links    *repository.AccountLinkRepository
	keys     *repository.APIKeyRepository
	cfg      config.Access
}

// NewAccountService returns the service on a store. Passwords are hashed as auth does.
func NewAccountService(store *repository.Store, auth *AuthService, cfg config.Access) *AccountService {
	return &AccountService{
		store: store, auth: auth, cfg: cfg,
		accounts: repository.NewAccountRepository(store),
		sessions: repository.NewSessionRepository(store),
		links:    repository.NewAccountLinkRepository(store),
		keys:     repository.NewAPIKeyRepository(store),
	}
}

// AccountInput is the input of an admin about an account.
type AccountInput struct {
	Email    string   `json:"email" max:"254" example:"sam.sample@example.org"`
	Name     string   `json:"name" max:"200" example:"Sam Sample"`
	Roles    []string `json:"roles" values:"role" unknown:"unknown_role" minItems:"1"`
	Disabled bool     `json:"disabled" required:"false" doc:"A disabled account cannot log in."`

	RemoveSecondFactor bool `json:"-"` // in a change: the owner lost the second factor
}

// applyTo checks the input and writes it into a. It returns an Invalid error that names every offending member; a
// then stays unchanged.
func (in AccountInput) applyTo(a *models.Account) error {
	var v validation
	if v.required("/email", &in.Email, maxEmail) {
		v.email("/email", &in.Email)
	}
	v.required("/name", &in.Name, maxOther)
	roles := v.roles("/roles", in.Roles)
	if err := v.err(); err != nil {
		return err
	}
	a.Email, a.Name, a.Roles, a.Disabled = phi.NormalizeText(in.Email), in.Name, roles, in.Disabled
	return nil
}

// Faults returns the rules that the input breaks.
func (in AccountInput) Faults(Rules) []apperr.Field { return fieldsOf(in.applyTo(&models.Account{})) }

// roles returns the roles that an account may have, each once, in the order of Roles.
func (v *validation) roles(pointer string, given []string) []string {
	if len(given) == 0 {
		v.add(pointer, "required", "Must name at least one role.")
	}
	for i, role := range given {
		if !slices.Contains(Roles(), role) {
			v.fields = append(v.fields, unknownRole(pointer+"/"+itoa(i)))
		}
	}
	return slices.DeleteFunc(Roles(), func(role string) bool { return !slices.Contains(given, role) })
}

func unknownRole(pointer string) apperr.Field {
	detail := "Must be one of: " + strings.Join(Roles(), ", ") + "."
	return apperr.Field{Pointer: pointer, Code: "unknown_role", Detail: detail}
}

// AccountWithLink is an account and, if one was made, the link by which its owner chooses a password.
type AccountWithLink struct {
	*models.Account

	Link *Link
}

// Create adds an account. If password is given, its owner must change it at the first login. Otherwise the owner
// chooses a password by the returned link. Create returns an Invalid error, or a Duplicate error if the e-mail is
// taken.
func (s *AccountService) Create(ctx context.Context, in AccountInput, password *string) (*AccountWithLink, error) {
	intent := audit.Intent{Action: audit.Create, EntityType: "account"}
	create := func(ctx context.Context) (*AccountWithLink, error) {
		account := &models.Account{MustChangePassword: password != nil}
		v := validation{append(fieldsOf(in.applyTo(account)), firstFaults(password)...)}
		err := v.err()
		if err != nil {
			return nil, err
		}
		if account.PasswordHash, err = s.firstHash(ctx, password); err != nil {
			return nil, err
		}
		made := &AccountWithLink{Account: account}
		if err := s.accounts.Create(ctx, account); err != nil || password != nil {
			return made, err
		}
		made.Link, err = s.issue(ctx, audit.Invite, account.ID)
		return made, err
	}
	return guarded(ctx, s.store, AccountCreate, intent, s.store.InTx, create)
}

// firstFaults returns the rules that a password chosen by an admin breaks. There may be none.
func firstFaults(password *string) []apperr.Field {
	if password == nil {
		return nil
	}
	return PasswordFaults("/password", *password)
}

// firstHash returns the hash of a password without faults. Without a password it returns "", which is the hash of no
// password.
func (s *AccountService) firstHash(ctx context.Context, password *string) (string, error) {
	if password == nil {
		return "", nil
	}
	return s.auth.passwords.hash(ctx, *password)
}

// sameFirst returns a KeyReused error unless a repeated request for an account has the same password as the first
// request. Once the owner has chosen another password, no repeat counts as the same, so a guess gets no answer.
func (s *AccountService) sameFirst(ctx context.Context, account *models.Account, password *string) error {
	if password == nil {
		return nil
	}
	same := false
	if account.MustChangePassword {
		var err error
		if same, _, err = s.auth.passwords.matches(ctx, *password, account.PasswordHash); err != nil {
			return err
		}
	}
	if !same {
		return apperr.New(apperr.KeyReused, "This Idempotency-Key was used for a request with another password. Choose a new one.")
	}
	return nil
}

// Repeated is Get for a repeated Create or Reset; a link is not shown again. It returns a NotFound error, or a
// KeyReused error if password is not the password that was set.
func (s *AccountService) Repeated(ctx context.Context, id uuid.UUID, password *string) (*AccountWithLink, error) {
	account, err := s.Get(ctx, id)
	if err == nil {
		err = s.sameFirst(ctx, account, password)
	}
	if err != nil {
		return nil, err
	}
	return &AccountWithLink{Account: account}, nil
}

// Get returns an account. It returns a NotFound error.
func (s *AccountService) Get(ctx context.Context, id uuid.UUID) (*models.Account, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "account", EntityID: id}
	return guarded(ctx, s.store, AccountRead, intent, s.store.Read, func(ctx context.Context) (*models.Account, error) {
		return s.accounts.ByID(ctx, id)
	})
}

// ByEmail returns the account with this e-mail, in any case. It returns a NotFound error.
func (s *AccountService) ByEmail(ctx context.Context, email string) (*models.Account, error) {
	intent := audit.Intent{Action: audit.Search, EntityType: "account", Details: "by email"}
	return guarded(ctx, s.store, AccountRead, intent, s.store.Read, func(ctx context.Context) (*models.Account, error) {
		return s.accounts.ByEmail(ctx, email)
	})
}

// Search returns one page of the accounts that match q, and whether there are more. It returns an Invalid error for an
// unknown role.
func (s *AccountService) Search(ctx context.Context, q AccountQuery, page Page) ([]*models.Account, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "account"}
	return guardedPage(ctx, s.store, AccountRead, intent, func(ctx context.Context) ([]*models.Account, bool, error) {
		for _, role := range q.Role {
			if !slices.Contains(Roles(), role) {
				return nil, false, apperr.InvalidFields(unknownRole("?role"))
			}
		}
		return s.accounts.Search(ctx, q, page)
	})
}

// Practitioners returns one page of the clinicians whose accounts are not disabled, and whether there are more.
func (s *AccountService) Practitioners(ctx context.Context, page Page) ([]*models.Account, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "account", Details: "practitioners"}
	enabled := AccountQuery{Role: []string{RoleClinician}, Disabled: new(false)}
	search := func(ctx context.Context) ([]*models.Account, bool, error) {
		return s.accounts.Search(ctx, enabled, page)
	}
	return guardedPage(ctx, s.store, PractitionerRead, intent, search)
}

// Practitioner returns any account, also a disabled one, so that its name can be shown beside its id. It returns a
// NotFound error.
func (s *AccountService) Practitioner(ctx context.Context, id uuid.UUID) (*models.Account, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "account", EntityID: id, Details: "name"}
	return guarded(ctx, s.store, PractitionerRead, intent, s.store.Read, func(ctx context.Context) (*models.Account, error) {
		return s.accounts.ByID(ctx, id)
	})
}

// Change replaces an account by the result of edit. New roles apply from the next request on. Disabling an account
// ends its sessions, links and API keys. Losing the permission to make API keys ends its API keys.
//
// Change returns a NotFound error, a Stale error if current refuses the version, or an Invalid error. It returns a
// LastAdmin error if no admin with a password would be left, and a Forbidden error for actors that give themselves a
// role or remove their own second factor. It also returns the error of edit.
func (s *AccountService) Change(ctx context.Context, id uuid.UUID, current Precondition,
	edit func(*models.Account) (AccountInput, error),
) (*models.Account, error) {
	return s.change(ctx, audit.Update, id, current, func(ctx context.Context, account *models.Account, admins []uuid.UUID) error {
		roles, disabled := slices.Clone(account.Roles), account.Disabled
		in, err := edit(account)
		if err != nil {
			return err
		}
		if err := in.applyTo(account); err != nil {
			return err
		}
		if err := notOneself(ctx, account, roles); err != nil {
			return err
		}
		if err := notTheLast(account, admins); err != nil {
			return err
		}
		if in.RemoveSecondFactor && account.MFASince != nil {
			if err := notOwn(ctx, account, "POST /api/v1/auth/totp/disable"); err != nil {
				return err
			}
			if err := s.auth.removeSecondFactor(ctx, account); err != nil {
				return err
			}
			if err := record(ctx, audit.Event{Action: audit.DisableMFA, EntityID: account.ID}); err != nil {
				return err
			}
		}
		if err := s.accounts.Update(ctx, account); err != nil {
			return err
		}
		return s.settle(ctx, account, roles, disabled)
	})
}

// notOneself refuses roles that actors give themselves. Another admin must give them.
func notOneself(ctx context.Context, account *models.Account, before []string) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil || actor.ID != account.ID {
		return err
	}
	if slices.ContainsFunc(account.Roles, func(role string) bool { return !slices.Contains(before, role) }) {
		return apperr.New(apperr.Forbidden, "You cannot give yourself a role. Ask another admin.")
	}
	return nil
}

// notOwn refuses changes that actors make to their own account without their password. The operation instead asks for
// the password, so that an open session left behind is not enough to take over the account.
func notOwn(ctx context.Context, account *models.Account, instead string) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil || actor.ID != account.ID {
		return err
	}
	return apperr.New(apperr.Forbidden, "You cannot do this to your own account. Use "+instead+" instead, which asks for your password.")
}

// notTheLast refuses a change that leaves no admin. admins are the present admins, locked until the transaction ends.
func notTheLast(account *models.Account, admins []uuid.UUID) error {
	stays := slices.Contains(account.Roles, RoleAdmin) && !account.Disabled
	if stays || !slices.Contains(admins, account.ID) || len(admins) > 1 {
		return nil
	}
	return apperr.New(apperr.LastAdmin, "This is the last admin. Give another account the role admin first.")
}

// settle records changed roles, and ends the sessions, links and keys that a change makes invalid.
func (s *AccountService) settle(ctx context.Context, account *models.Account, roles []string, disabled bool) error {
	if !slices.Equal(roles, account.Roles) {
		details := "from " + strings.Join(roles, ", ") + " to " + strings.Join(account.Roles, ", ")
		if err := record(ctx, audit.Event{Action: audit.ChangeRoles, EntityID: account.ID, Details: details}); err != nil {
			return err
		}
	}
	if !answersForKeys(account) {
		if err := s.keys.RevokeAll(ctx, account.ID); err != nil {
			return err
		}
	}
	switch {
	case account.Disabled && !disabled:
		if err := s.shutOut(ctx, account.ID); err != nil {
			return err
		}
		return record(ctx, audit.Event{Action: audit.Disable, EntityID: account.ID})
	case disabled && !account.Disabled:
		return record(ctx, audit.Event{Action: audit.Enable, EntityID: account.ID})
	}
	return nil
}

// shutOut ends every login of an account: its sessions, links and API keys.
func (s *AccountService) shutOut(ctx context.Context, id uuid.UUID) error {
	if err := s.links.Revoke(ctx, id); err != nil {
		return err
	}
	return s.sessions.EndOthers(ctx, id, uuid.Nil)
}

// Reset makes an account's password worthless and ends its sessions. If password is given, it is the new password,
// and must be changed at the next login. Otherwise the owner chooses a password by the returned link. Reset returns a
// NotFound or an Invalid error, or a Forbidden error for the actor's own account.
func (s *AccountService) Reset(ctx context.Context, id uuid.UUID, password *string) (*AccountWithLink, error) {
	var link *Link
	account, err := s.change(ctx, audit.Reset, id, func(int64) bool { return true },
		func(ctx context.Context, account *models.Account, _ []uuid.UUID) (err error) {
			if err := notOwn(ctx, account, "POST /api/v1/auth/password"); err != nil {
				return err
			}
			v := validation{firstFaults(password)}
			if err := v.err(); err != nil {
				return err
			}
			if account.PasswordHash, err = s.firstHash(ctx, password); err != nil {
				return err
			}
			account.MustChangePassword = password != nil
			if err := s.accounts.Update(ctx, account); err != nil {
				return err
			}
			if err := s.shutOut(ctx, id); err != nil || password != nil {
				return err
			}
			link, err = s.issue(ctx, "", id)
			return err
		})
	if err != nil {
		return nil, err
	}
	return &AccountWithLink{account, link}, nil
}

func (s *AccountService) change(ctx context.Context, action string, id uuid.UUID, current Precondition,
	do func(ctx context.Context, account *models.Account, admins []uuid.UUID) error,
) (*models.Account, error) {
	intent := audit.Intent{Action: action, EntityType: "account", EntityID: id}
	return guarded(ctx, s.store, AccountUpdate, intent, s.store.InTx, func(ctx context.Context) (*models.Account, error) {
		// Before the row is read: another change of admins waits.
		admins, err := s.accounts.HoldWithRole(ctx, RoleAdmin)
		if err != nil {
			return nil, err
		}
		if err := stillGranted(ctx, s.store.HoldActor); err != nil {
			return nil, err
		}
		account, err := s.accounts.ByID(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := current.check(account.Version); err != nil {
			return nil, err
		}
		return account, do(ctx, account, admins)
	})
}
