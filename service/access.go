// Package service holds the clinic's rules: permissions, validation, and the boundaries of transactions.
package service

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
	"novamind/repository"
)

// Store is the unit of work that services need; *repository.Store is one.
type Store interface {
	InTx(ctx context.Context, fn func(context.Context) error) error
	Read(ctx context.Context, fn func(context.Context) error) error
	Retried(ctx context.Context, fn func(context.Context) error) error
	InBatch(ctx context.Context, fn func(context.Context) error) error
	Actor(ctx context.Context, actor audit.Actor) (*models.Account, error)
	HoldActor(ctx context.Context, actor audit.Actor) (*models.Account, error)
}

// Page is a position in a list.
type Page = repository.Page

// Since narrows a list to the rows that changed since a time.
type Since = repository.Since

// The roles.
const (
	RoleAdmin       = "admin"
	RoleClinician   = "clinician"
	RoleFrontDesk   = "front_desk"
	RoleAuditor     = "auditor"
	RoleIntegration = "integration" // machines, by API key; no person can have it
	RoleSystem      = "system"      // jobs of the program; no account can have it
)

// Roles lists the roles that a person's account may have.
func Roles() []string { return []string{RoleAdmin, RoleClinician, RoleFrontDesk, RoleAuditor} }

// Permission is one action on one kind of resource, as "resource.action".
type Permission string

// The permissions. Reading includes listing and searching.
const (
	PatientCreate     Permission = "patient.create"
	PatientRead       Permission = "patient.read"
	PatientUpdate     Permission = "patient.update"
	PatientDeactivate Permission = "patient.deactivate"
	PatientAssign     Permission = "patient.assign" // clinicians to patients
	PatientMerge      Permission = "patient.merge"
	PatientPurge      Permission = "patient.purge"
	PatientExport     Permission = "patient.export" // whole charts, to files
	PatientImport     Permission = "patient.import"

	AppointmentCreate     Permission = "appointment.create"
	AppointmentRead       Permission = "appointment.read"
	AppointmentUpdate     Permission = "appointment.update"
	AppointmentTransition Permission = "appointment.transition"
	AppointmentOverlap    Permission = "appointment.overlap" // book over another one, with a reason
	AppointmentImport     Permission = "appointment.import"
	AvailabilityRead      Permission = "availability.read"
	AvailabilityUpdate    Permission = "availability.update"

	MedicalRecordCreate        Permission = "medicalrecord.create"
	MedicalRecordRead          Permission = "medicalrecord.read"
	MedicalRecordUpdate        Permission = "medicalrecord.update"
	MedicalRecordSign          Permission = "medicalrecord.sign"
	MedicalRecordAmend         Permission = "medicalrecord.amend"
	MedicalRecordImport        Permission = "medicalrecord.import"
	MedicalRecordPsychotherapy Permission = "medicalrecord.psychotherapy" // psychotherapy notes (45 CFR 164.501)

	ConsentCreate    Permission = "consent.create"
	ConsentRead      Permission = "consent.read"
	DisclosureCreate Permission = "disclosure.create"
	DisclosureRead   Permission = "disclosure.read"

	AuditLogRead   Permission = "auditlog.read" // events, without the content of changes
	AuditLogExport Permission = "auditlog.export"
	// AuditLogOpenDiff is for the old and new values of an event; never of clinical records.
	AuditLogOpenDiff   Permission = "auditlog.open_diff"
	AuditLogAccounting Permission = "auditlog.accounting" // a patient's accounting of accesses
	ReviewRead         Permission = "review.read"
	ReviewSign         Permission = "review.sign"

	AccountCreate    Permission = "account.create"
	AccountRead      Permission = "account.read"
	AccountUpdate    Permission = "account.update" // roles, disabling and resetting too
	AccountImport    Permission = "account.import"
	PractitionerRead Permission = "practitioner.read" // the names of accounts, disabled ones too
	APIKeyCreate     Permission = "apikey.create"
	APIKeyRead       Permission = "apikey.read"
	APIKeyRevoke     Permission = "apikey.revoke"
	BreakGlassOpen   Permission = "breakglass.open"
)

// Scope is how far a permission reaches.
type Scope int

// The scopes, each wider than the one before.
const (
	None   Scope = iota
	Own          // the caller's own rows
	InCare       // patients in the caller's care, and their rows
	All
)

// Scopes are the scopes of a permission by role. A role that is not among them has None.
type Scopes map[string]Scope

// Rule is the row of a permission in the access table.
type Rule struct {
	Scope Scopes
	// Emergency access extends the permission to its patient. Only reading, and adding appointments and records, are
	// extended; the author of an added record may also finish it.
	Emergency bool
	// Holds locks the actor's account first, so that a change cannot commit after the actor has lost the permission.
	// The permissions that grant or remove access have it.
	Holds bool
	// Writes checks the permission again before the commit, since the change may have waited for others.
	Writes bool
}

// access is the access table, which docs/access.md shows. A permission that is not in the table is denied. An account
// has the permissions of all its roles.
var access = map[Permission]Rule{
	PatientCreate:     {Scope: Scopes{RoleClinician: All, RoleFrontDesk: All, RoleIntegration: All, RoleSystem: All}, Writes: true},
	PatientRead:       {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All}, Emergency: true},
	PatientUpdate:     {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All}, Writes: true},
	PatientDeactivate: {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All}, Writes: true},
	PatientAssign:     {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All}, Holds: true},
	PatientMerge:      {Scope: Scopes{RoleFrontDesk: All}, Holds: true},
	PatientPurge:      {Scope: Scopes{RoleAdmin: All}, Holds: true},
	PatientExport:     {Scope: Scopes{RoleSystem: All}},
	PatientImport:     {Scope: Scopes{RoleSystem: All}, Writes: true},

	AppointmentCreate:     {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All}, Emergency: true, Writes: true},
	AppointmentRead:       {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All}, Emergency: true},
	AppointmentUpdate:     {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All}, Writes: true},
	AppointmentTransition: {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All}, Writes: true},
	AppointmentOverlap:    {Scope: Scopes{RoleClinician: InCare, RoleFrontDesk: All}, Writes: true},
	AppointmentImport:     {Scope: Scopes{RoleSystem: All}, Writes: true},
	AvailabilityRead:      {Scope: Scopes{RoleClinician: All, RoleFrontDesk: All, RoleIntegration: All}},
	AvailabilityUpdate:    {Scope: Scopes{RoleClinician: Own, RoleFrontDesk: All}, Writes: true},

	MedicalRecordCreate:        {Scope: Scopes{RoleClinician: InCare}, Emergency: true, Writes: true},
	MedicalRecordRead:          {Scope: Scopes{RoleClinician: InCare}, Emergency: true},
	MedicalRecordUpdate:        {Scope: Scopes{RoleClinician: InCare}, Emergency: true, Writes: true},
	MedicalRecordSign:          {Scope: Scopes{RoleClinician: InCare}, Emergency: true, Writes: true},
	MedicalRecordAmend:         {Scope: Scopes{RoleClinician: InCare}, Writes: true},
	MedicalRecordImport:        {Scope: Scopes{RoleSystem: All}, Writes: true},
	MedicalRecordPsychotherapy: {Scope: Scopes{RoleClinician: Own}},

	ConsentCreate:    {Scope: Scopes{RoleClinician: InCare}, Writes: true},
	ConsentRead:      {Scope: Scopes{RoleClinician: InCare}, Emergency: true},
	DisclosureCreate: {Scope: Scopes{RoleClinician: InCare}, Writes: true},
	DisclosureRead:   {Scope: Scopes{RoleClinician: InCare}, Emergency: true},

	AuditLogRead:       {Scope: Scopes{RoleAuditor: All, RoleSystem: All}},
	AuditLogExport:     {Scope: Scopes{RoleAuditor: All, RoleSystem: All}},
	AuditLogOpenDiff:   {Scope: Scopes{RoleAuditor: All}},
	AuditLogAccounting: {Scope: Scopes{RoleAuditor: All, RoleSystem: All}},
	ReviewRead:         {Scope: Scopes{RoleAuditor: All, RoleSystem: All}},
	ReviewSign:         {Scope: Scopes{RoleAuditor: All}, Writes: true},

	AccountCreate:    {Scope: Scopes{RoleAdmin: All, RoleSystem: All}, Holds: true},
	AccountRead:      {Scope: Scopes{RoleAdmin: All, RoleSystem: All}},
	AccountUpdate:    {Scope: Scopes{RoleAdmin: All, RoleSystem: All}}, // AccountService.change holds accounts in an order of its own
	AccountImport:    {Scope: Scopes{RoleSystem: All}, Writes: true},
	PractitionerRead: {Scope: Scopes{RoleAdmin: All, RoleClinician: All, RoleFrontDesk: All, RoleAuditor: All, RoleIntegration: All}},
	APIKeyCreate:     {Scope: Scopes{RoleAdmin: All}, Holds: true},
	APIKeyRead:       {Scope: Scopes{RoleAdmin: All}},
	APIKeyRevoke:     {Scope: Scopes{RoleAdmin: All}, Holds: true},
	BreakGlassOpen:   {Scope: Scopes{RoleClinician: All}, Holds: true},
}

// ByEmergency reports whether an emergency access extends p to its patient.
func ByEmergency(p Permission) bool { return access[p].Emergency }

// Permissions lists the permissions in alphabetical order.
func Permissions() []Permission { return slices.Sorted(maps.Keys(access)) }

// Reach returns the scope that roles together give to p. It is None if p is not in the table.
func Reach(roles []string, p Permission) Scope {
	widest := None
	for _, role := range roles {
		widest = max(widest, access[p].Scope[role])
	}
	return widest
}

// reachOf returns an actor's scope for p. An API key has only its own scopes, so it has None for any other
// permission.
func reachOf(actor audit.Actor, p Permission) Scope {
	if actor.Scopes != nil && !slices.Contains(actor.Scopes, string(p)) {
		return None
	}
	return Reach(actor.Roles, p)
}

// errUnasked is a defect: a service did not check whether the patient is in the caller's care. Nothing is shown or
// committed then.
var errUnasked = errors.New("service: the scope of the permission was not asked for")

// May reports whether the actor of ctx has a permission, at least for some patients.
func May(ctx context.Context, p Permission) bool {
	actor, err := audit.ActorFrom(ctx)
	return err == nil && reachOf(actor, p) != None
}

// grant is a permission that guarded found, with its scope.
type grant struct {
	permission Permission
	scope      Scope
	asked      bool
}

type grantKey struct{}

// grantFrom returns the scope granted by the innermost guarded call in ctx. The caller must enforce it.
func grantFrom(ctx context.Context) Scope {
	scope, _ := granted(ctx)
	return scope
}

// granted is grantFrom with whether an emergency access extends the permission.
func granted(ctx context.Context) (scope Scope, emergencies bool) {
	g, ok := ctx.Value(grantKey{}).(*grant)
	if !ok {
		return None, false
	}
	g.asked = true
	return g.scope, ByEmergency(g.permission)
}

// stillGranted checks again the permission of the innermost guarded call in ctx, with the roles that the actor's
// account has now. account returns that account. Jobs have no account. stillGranted returns a Forbidden error if the
// account, the session or the API key has ended, or if no role gives the permission any more. If the roles now give a
// narrower scope, the grant has that scope from here on.
func stillGranted(ctx context.Context, account func(context.Context, audit.Actor) (*models.Account, error)) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil || (actor.SessionID == uuid.Nil && actor.APIKeyID == uuid.Nil) {
		return err
	}
	now, err := account(ctx, actor)
	if err != nil && !apperr.Is(err, apperr.NotFound) {
		return err
	}
	g, _ := ctx.Value(grantKey{}).(*grant)
	if err == nil && actor.APIKeyID == uuid.Nil {
		actor.Roles = now.Roles
		g.scope = min(g.scope, reachOf(actor, g.permission))
	}
	if err != nil || g.scope == None {
		return errMeanwhile
	}
	return nil
}

var errMeanwhile = apperr.New(apperr.Forbidden, "Your login or your role ended during the request.")

// guarded runs fn in a unit of work, as guard does, and returns its result. A result with an identity is stored for
// repeated requests with the same idempotency key. If the store is a namingStore, guarded puts names beside the ids
// of the result.
func guarded[T any](ctx context.Context, store Store, p Permission, intent audit.Intent,
	kind func(context.Context, func(context.Context) error) error, fn func(context.Context) (T, error),
) (result T, err error) {
	err = guard(ctx, store, p, intent, kind, func(ctx context.Context) (err error) {
		if result, err = fn(ctx); err != nil {
			return err
		}
		if n, ok := store.(namingStore); ok {
			err = n.beside(ctx, result)
		}
		if made, ok := any(result).(interface{ Identity() uuid.UUID }); ok {
			madeOnce(ctx, made.Identity())
		}
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return result, nil
}

// guardedPage is guarded for a page of a list: fn also returns whether more rows follow.
func guardedPage[T any](ctx context.Context, store Store, p Permission, intent audit.Intent,
	fn func(context.Context) ([]T, bool, error),
) (rows []T, more bool, err error) {
	rows, err = guarded(ctx, store, p, intent, store.Read, func(ctx context.Context) (rows []T, err error) {
		rows, more, err = fn(ctx)
		return rows, err
	})
	return rows, more && err == nil, err
}

// guard runs fn in a unit of work of the given kind (Store.InTx, Store.Retried or Store.Read) if the actor of ctx
// has permission p. A denial is recorded as an event, and guard returns a Forbidden error. If the scope of the
// permission is not All, fn must check it (Care.inCare, Care.scope, grantFrom), or the unit of work fails. guard
// returns an Internal error if Confine did not name p.
func guard(ctx context.Context, store Store, p Permission, intent audit.Intent,
	kind func(context.Context, func(context.Context) error) error, fn func(context.Context) error,
) error {
	if err := confined(ctx, p); err != nil {
		return err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return apperr.Wrap(apperr.Internal, "The access could not be attributed.", err)
	}
	ctx = audit.WithIntent(ctx, intent)
	rule := access[p]
	g := &grant{permission: p, scope: reachOf(actor, p)}
	if g.scope == None {
		return store.Read(ctx, func(context.Context) error {
			return apperr.New(apperr.Forbidden, "None of your roles permits this.")
		})
	}
	return kind(context.WithValue(ctx, grantKey{}, g), func(ctx context.Context) error {
		if rule.Holds {
			if err := stillGranted(ctx, store.HoldActor); err != nil {
				return err
			}
		}
		return doOnce(ctx, func(ctx context.Context) error {
			if err := fn(ctx); err != nil {
				return err
			}
			if g.scope != All && !g.asked {
				return apperr.Wrap(apperr.Internal, "The access could not be judged.", errUnasked)
			}
			if rule.Writes {
				judged := g.scope
				if err := stillGranted(ctx, store.Actor); err != nil || g.scope == judged {
					return err
				}
				return errMeanwhile // the scope became narrower, and fn may have gone beyond it
			}
			return nil
		})
	})
}
