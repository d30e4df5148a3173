// Package service holds the clinic's rules: who may do what, what is valid, and which steps are one transaction.
package service

import (
	"context"
	"slices"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/repository"
)

// Store is the unit of work that services need; *repository.Store is one.
type Store interface {
	InTx(ctx context.Context, fn func(context.Context) error) error
	Read(ctx context.Context, fn func(context.Context) error) error
}

// Page is a position in a list.
type Page = repository.Page

// The roles. RoleSystem is for jobs of the program; no account can have it.
const (
	RoleAdmin     = "admin"
	RoleClinician = "clinician"
	RoleFrontDesk = "front_desk"
	RoleAuditor   = "auditor"
	RoleSystem    = "system"
)

// Roles lists the roles that an account may have.
func Roles() []string { return []string{RoleAdmin, RoleClinician, RoleFrontDesk, RoleAuditor} }

// Permission is one thing that one may do.
type Permission string

// The permissions.
const (
	PatientCreate     Permission = "patient.create"
	PatientRead       Permission = "patient.read" // also lists and searches
	PatientUpdate     Permission = "patient.update"
	PatientDeactivate Permission = "patient.deactivate"
	PatientPurge      Permission = "patient.purge"
	PatientImport     Permission = "patient.import"
	AuditLogRead      Permission = "auditlog.read"
)

// permitted says which roles have a permission. An account has what any of its roles has.
var permitted = map[Permission][]string{
	PatientCreate:     {RoleClinician, RoleFrontDesk, RoleSystem},
	PatientRead:       {RoleClinician, RoleFrontDesk},
	PatientUpdate:     {RoleClinician, RoleFrontDesk},
	PatientDeactivate: {RoleClinician, RoleFrontDesk},
	PatientPurge:      {RoleAdmin},
	PatientImport:     {RoleSystem},
	AuditLogRead:      {RoleAuditor},
}

// Allowed reports whether one of roles has p. A permission that is not in the table is nobody's.
func Allowed(roles []string, p Permission) bool {
	return slices.ContainsFunc(permitted[p], func(role string) bool { return slices.Contains(roles, role) })
}

// guarded runs fn in a unit of work of the given kind (Store.InTx or Store.Read), if the actor of ctx has permission p for
// what is intended. A denial is an event, and a Forbidden error.
func guarded(ctx context.Context, store Store, p Permission, intent audit.Intent,
	kind func(context.Context, func(context.Context) error) error, fn func(context.Context) error,
) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return apperr.Wrap(apperr.Internal, "The access could not be attributed.", err)
	}
	ctx = audit.WithIntent(ctx, intent)
	if !Allowed(actor.Roles, p) {
		return store.Read(ctx, func(context.Context) error {
			return apperr.New(apperr.Forbidden, "None of your roles permits this.")
		})
	}
	return kind(ctx, fn)
}
