package service_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// A clinician that has a patient only by an appointment cannot make that care permanent. They cannot assign
// themselves, which would open restricted records, nor others.
func TestCliniciansDoNotAssignThemselves(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		doctor, colleague, desk := b.practitioner(t), b.practitioner(t), as(t, service.RoleFrontDesk)
		p := b.register(t)
		b.book(t, soon(visit(p, doctor, 0)))
		for _, whom := range []uuid.UUID{doctor.ID, colleague.ID} {
			_, err := b.carers.Assign(b.on(t, doctor), p.ID, whom)
			requireCode(t, apperr.Forbidden, err)
		}
		_, err := b.carers.Assign(desk, p.ID, doctor.ID)
		require.NoError(t, err)
		_, err = b.carers.Assign(b.on(t, doctor), p.ID, doctor.ID)
		requireCode(t, apperr.Forbidden, err)
		_, err = b.carers.Assign(b.on(t, doctor), p.ID, colleague.ID)
		require.NoError(t, err)
	})
}

// Only the front desk may take a patient from the clinician that registered them, or leave the patient without
// lasting care.
func TestWhoEndsCare(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		first, assigned, third, seen, desk := b.practitioner(t), b.practitioner(t), b.practitioner(t), b.practitioner(t), as(t, service.RoleFrontDesk)
		p, err := b.patients.Register(b.on(t, first), another(input()))
		require.NoError(t, err)
		b.book(t, soon(visit(p.Patient, seen, 0)))
		end := func(by, whose *models.Account) error {
			return b.carers.Unassign(b.on(t, by), p.ID, whose.ID, anyVersion)
		}
		assign := func(whom *models.Account) {
			_, err := b.carers.Assign(desk, p.ID, whom.ID)
			require.NoError(t, err)
		}
		requireCode(t, apperr.Conflict, end(first, first), "the last one")
		assign(assigned)
		requireCode(t, apperr.Forbidden, end(assigned, first), "who registered")
		requireCode(t, apperr.Forbidden, end(seen, assigned), "by an appointment")
		requireCode(t, apperr.Conflict, end(first, seen), "cancel the appointment")
		requireCode(t, apperr.Conflict, b.carers.Unassign(desk, p.ID, seen.ID, anyVersion))
		requireCode(t, apperr.Conflict, end(seen, seen))
		assign(third)
		require.NoError(t, end(assigned, third))
		require.NoError(t, end(first, first))
		requireCode(t, apperr.Conflict, end(assigned, assigned), "the last one")
		require.NoError(t, b.carers.Unassign(desk, p.ID, assigned.ID, anyVersion))
		reasons, err := b.carers.Clinicians(desk, p.ID)
		require.NoError(t, err)
		require.Len(t, reasons, 1)
		require.Equal(t, models.CareAppointment, reasons[0].Kind)
	})
}

// Assigning and booking the same patient and clinician at once do not deadlock.
func TestAssigningWhileBooking(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, doctor, desk := b.register(t), b.practitioner(t), as(t, service.RoleFrontDesk)
		var both errgroup.Group
		// With more, the last would wait for the patient's lock longer than allowed on a loaded machine.
		for i := range 2 {
			both.Go(func() error {
				for j := range 10 {
					if _, err := b.appointments.Book(desk, visit(p, doctor, time.Duration(i*10+j)*time.Hour)); err != nil {
						return err
					}
				}
				return nil
			})
			both.Go(func() error {
				for range 10 {
					if _, err := b.carers.Assign(desk, p.ID, doctor.ID); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, both.Wait())
	})
}
