package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// The names on a page take two more queries, one for patients and one for accounts, no matter how many people the
// page names.
func TestNamesTakeConstantQueries(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		me := b.account(t, service.RoleClinician)
		mine := b.on(t, me)
		for i := range 20 {
			p := b.register(t)
			require.NoError(t, b.care.Note(t.Context(), p.ID, me.ID, models.CareAssigned, time.Now()))
			b.book(t, visit(p, b.practitioner(t), time.Duration(i)*time.Hour))
		}
		store, out := b.echoing(t)
		appointments := service.NewAppointmentService(store, service.NewCare(store, config.Default().Access), config.Default().Clinic)
		for name, ctx := range map[string]context.Context{"all": as(t, service.RoleFrontDesk), "in care": mine} {
			var counted []int
			for _, limit := range []int{1, 1, 2, 20} { // the first call also sends queries that run only once
				out.Reset()
				found, _, err := appointments.Search(ctx, service.AppointmentQuery{}, service.Page{Limit: limit})
				require.NoError(t, err)
				require.Len(t, found, limit)
				for _, a := range found {
					require.Equal(t, "Zoë Ann García-López", string(*a.PatientName(a.PatientID)))
					require.Equal(t, "Somebody", string(*a.AccountName(&a.PractitionerID)))
				}
				counted = append(counted, statements(out))
			}
			require.Equal(t, []int{counted[1], counted[1]}, counted[2:], name)
			t.Logf("%s: %d statements", name, counted[3])
		}
	})
}
