// Package service holds the clinic's rules: permissions, validation, and the boundaries of transactions.
package service

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

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
	Contended(ctx context.Context, fn func(context.Context) error) error
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
	// The old and new values of an event; never of clinical records.
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

// access is the access table, which docs/access.md shows: the scope of each permission for each role. A permission
// that is not in the table is denied. An account has the permissions of all its roles.
var access = map[Permission]map[string]Scope{
	PatientCreate:     {RoleClinician: All, RoleFrontDesk: All, RoleIntegration: All, RoleSystem: All},
	PatientRead:       {RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All},
	PatientUpdate:     {RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All},
	PatientDeactivate: {RoleClinician: InCare, RoleFrontDesk: All},
	PatientAssign:     {RoleClinician: InCare, RoleFrontDesk: All},
	PatientMerge:      {RoleFrontDesk: All},
	PatientPurge:      {RoleAdmin: All},
	PatientExport:     {RoleSystem: All},
	PatientImport:     {RoleSystem: All},

	AppointmentCreate:     {RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All},
	AppointmentRead:       {RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All},
	AppointmentUpdate:     {RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All},
	AppointmentTransition: {RoleClinician: InCare, RoleFrontDesk: All, RoleIntegration: All},
	AppointmentOverlap:    {RoleClinician: InCare, RoleFrontDesk: All},
	AppointmentImport:     {RoleSystem: All},
	AvailabilityRead:      {RoleClinician: All, RoleFrontDesk: All, RoleIntegration: All},
	AvailabilityUpdate:    {RoleClinician: Own, RoleFrontDesk: All},

	MedicalRecordCreate:        {RoleClinician: InCare},
	MedicalRecordRead:          {RoleClinician: InCare},
	MedicalRecordUpdate:        {RoleClinician: InCare},
	MedicalRecordSign:          {RoleClinician: InCare},
	MedicalRecordAmend:         {RoleClinician: InCare},
	MedicalRecordImport:        {RoleSystem: All},
	MedicalRecordPsychotherapy: {RoleClinician: Own},

	ConsentCreate:    {RoleClinician: InCare},
	ConsentRead:      {RoleClinician: InCare},
	DisclosureCreate: {RoleClinician: InCare},
	DisclosureRead:   {RoleClinician: InCare},

	AuditLogRead:       {RoleAuditor: All, RoleSystem: All},
	AuditLogExport:     {RoleAuditor: All, RoleSystem: All},
	AuditLogOpenDiff:   {RoleAuditor: All},
	AuditLogAccounting: {RoleAuditor: All, RoleSystem: All},
	ReviewRead:         {RoleAuditor: All, RoleSystem: All},
	ReviewSign:         {RoleAuditor: All},

	AccountCreate:    {RoleAdmin: All, RoleSystem: All},
	AccountRead:      {RoleAdmin: All, RoleSystem: All},
	AccountUpdate:    {RoleAdmin: All, RoleSystem: All},
	AccountImport:    {RoleSystem: All},
	PractitionerRead: {RoleAdmin: All, RoleClinician: All, RoleFrontDesk: All, RoleAuditor: All, RoleIntegration: All},
	APIKeyCreate:     {RoleAdmin: All},
	APIKeyRead:       {RoleAdmin: All},
	APIKeyRevoke:     {RoleAdmin: All},
	BreakGlassOpen:   {RoleClinician: All},
}

// emergency are the permissions that emergency access extends to its patient: reading, and adding appointments and
// records. The author of an added record may also finish it.
var emergency = map[Permission]bool{
	PatientRead: true, AppointmentRead: true, MedicalRecordRead: true, ConsentRead: true, DisclosureRead: true,
	AppointmentCreate: true, MedicalRecordCreate: true, MedicalRecordUpdate: true, MedicalRecordSign: true,
}

// holding are the permissions that grant or remove access. Changes by them lock the actor's account, so that a change
// cannot commit after the actor has lost the permission. Changes of accounts lock too, in their own order
// (AccountService.change).
var holding = map[Permission]bool{
	AccountCreate: true, APIKeyCreate: true, APIKeyRevoke: true, BreakGlassOpen: true, PatientAssign: true, PatientMerge: true, PatientPurge: true,
}

// ByEmergency reports whether an emergency access extends p to its patient.
func ByEmergency(p Permission) bool { return emergency[p] }

// Permissions lists the permissions in alphabetical order.
func Permissions() []Permission { return slices.Sorted(maps.Keys(access)) }

// Reach returns the scope that roles together give to p. It is None if p is not in the table.
func Reach(roles []string, p Permission) Scope {
	widest := None
	for _, role := range roles {
		widest = max(widest, access[p][role])
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

// changes reports whether a permission allows changing something.
func (p Permission) changes() bool { return !strings.HasSuffix(string(p), ".read") }

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

// guard runs fn in a unit of work of the given kind (Store.InTx, Store.Contended or Store.Read) if the actor of ctx
// has permission p. A denial is recorded as an event, and guard returns a Forbidden error. If the scope of the
// permission is not All, fn must check it (Care.inCare, Care.sight, grantFrom), or the unit of work fails. guard
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
	g := &grant{permission: p, scope: reachOf(actor, p)}
	if g.scope == None {
		return store.Read(ctx, func(context.Context) error {
			return apperr.New(apperr.Forbidden, "None of your roles permits this.")
		})
	}
	return kind(context.WithValue(ctx, grantKey{}, g), func(ctx context.Context) error {
		if holding[p] {
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
			if p.changes() && !holding[p] && p != AccountUpdate { // the check may have waited for others
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
