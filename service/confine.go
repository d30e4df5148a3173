package service

import (
	"context"
	"fmt"
	"slices"

	"novamind/internal/apperr"
)

type confineKey struct{}

// Confine returns a context in which only service methods that need one of these permissions may be called. Nested
// calls of such a method are part of it. Each operation is confined to the permissions that it states, so that it
// cannot state other permissions than the services check.
func Confine(ctx context.Context, permissions []Permission) context.Context {
	return context.WithValue(ctx, confineKey{}, permissions)
}

// confined returns an Internal error if ctx is confined to other permissions than p.
func confined(ctx context.Context, p Permission) error {
	permissions, ok := ctx.Value(confineKey{}).([]Permission)
	if _, inside := ctx.Value(grantKey{}).(*grant); !ok || inside || slices.Contains(permissions, p) {
		return nil
	}
	return apperr.Wrap(apperr.Internal, "The access could not be judged.",
		fmt.Errorf("service: the operation does not state that it needs the permission %s", p))
}
