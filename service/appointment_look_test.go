package service_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/service"
)

// A lookup of an appointment that does not exist sends the same queries as one of an appointment out of scope, so
// both take as long.
func TestMadeUpAppointmentsTakeTheSameLook(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk, colleague := as(t, service.RoleFrontDesk), b.account(t, service.RoleClinician)
		theirs, err := b.appointments.BookSeries(desk, service.SeriesInput{AppointmentInput: visit(b.register(t), colleague, 0), Rule: "FREQ=WEEKLY;COUNT=2"})
		require.NoError(t, err)
		me := b.on(t, b.account(t, service.RoleClinician))

		store, out := b.echoing(t)
		care := service.NewCare(store, config.Default().Access)
		appointments, records := service.NewAppointmentService(store, care, config.Default().Clinic), service.NewMedicalRecordService(store, care)

		for name, c := range map[string]struct {
			theirs uuid.UUID
			look   func(context.Context, uuid.UUID) error
		}{
			"appointment": {theirs.Appointments[0].ID, func(ctx context.Context, id uuid.UUID) error {
				_, err := appointments.Get(ctx, id)
				return err
			}},
			"series": {theirs.ID, func(ctx context.Context, id uuid.UUID) error {
				_, err := appointments.GetSeries(ctx, id)
				return err
			}},
			"appointments of a series": {theirs.ID, func(ctx context.Context, id uuid.UUID) error {
				_, _, err := appointments.Search(ctx, service.AppointmentQuery{SeriesID: []uuid.UUID{id}}, onePage)
				return err
			}},
			"records of an appointment": {theirs.Appointments[0].ID, func(ctx context.Context, id uuid.UUID) error {
				_, _, err := records.Search(ctx, service.RecordQuery{AppointmentID: []uuid.UUID{id}}, onePage)
				return err
			}},
		} {
			questions := func(id uuid.UUID) int {
				out.Reset()
				require.True(t, apperr.Is(c.look(me, id), apperr.NotFound), name)
				return selects(out)
			}
			questions(theirs.ID) // the first call also sends queries that run only once
			require.Equal(t, questions(c.theirs), questions(uuid.New()), name)
		}
	})
}
