package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/service"
)

// A confined caller can use only the named permissions. Calls made by a permitted method are part of that method.
func TestConfined(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := service.Confine(as(t, service.RoleFrontDesk), []service.Permission{service.PatientCreate})
		p, err := b.patients.Register(ctx, another(input()))
		require.NoError(t, err)
		_, err = b.patients.Register(ctx, service.Registration{PatientInput: input()})
		requireCode(t, apperr.PossibleDuplicate, err) // the call has read the candidates
		_, err = b.patients.Get(ctx, p.ID)
		requireCode(t, apperr.Internal, err)
		_, err = b.patients.Get(service.Confine(ctx, []service.Permission{service.PatientRead}), p.ID)
		require.NoError(t, err)
	})
}
