package service

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
)

// plain is a unit of work that does nothing around fn.
type plain struct{ Store }

func (plain) InTx(ctx context.Context, fn func(context.Context) error) error    { return fn(ctx) }
func (plain) Retried(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }
func (plain) InBatch(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }
func (plain) Read(ctx context.Context, fn func(context.Context) error) error    { return fn(ctx) }

// A service that does not check the scope of its permission fails, and does not show everyone's patients.
func TestForgottenScopesFail(t *testing.T) {
	t.Parallel()
	forget := func(context.Context) error { return nil }
	ask := func(ctx context.Context) error { grantFrom(ctx); return nil }
	do := func(role string, fn func(context.Context) error) error {
		ctx := audit.WithActor(t.Context(), audit.Actor{Roles: []string{role}})
		return guard(ctx, plain{}, PatientRead, audit.Intent{}, plain{}.Read, fn)
	}
	require.NoError(t, do(RoleFrontDesk, forget))
	require.NoError(t, do(RoleClinician, ask))
	require.ErrorIs(t, do(RoleClinician, forget), errUnasked)
	require.True(t, apperr.Is(do(RoleClinician, forget), apperr.Internal))
	require.Equal(t, None, grantFrom(t.Context()), "outside of a guarded call nobody sees anything")
}
