package service_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

func (b *bundle) merge(t *testing.T, merged, kept *models.Patient) error {
	t.Helper()
	_, err := b.patients.Merge(as(t, service.RoleFrontDesk), merged.ID, kept.ID, anyVersion, "registered twice")
	return err
}

func (b *bundle) moveBy(t *testing.T, a *models.Appointment, by time.Duration) error {
	t.Helper()
	_, err := b.appointments.Change(as(t, service.RoleFrontDesk), a.ID, anyVersion, service.OnlyThis, func(a *models.Appointment) (service.AppointmentInput, error) {
		in := said(a)
		in.StartsAt, in.EndsAt = in.StartsAt.Add(by), in.EndsAt.Add(by)
		return in, nil
	})
	return err
}

// overlaps counts pairs of appointments that one person would have to attend at once. Merged patients count as one
// person.
func (b *bundle) overlaps(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, b.db.Raw(`SELECT count(*) FROM appointment a JOIN appointment b ON a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
		JOIN patient p ON p.id = a.patient_id JOIN patient q ON q.id = b.patient_id WHERE COALESCE(p.merged_into_id, p.id) = COALESCE(q.merged_into_id, q.id)`).Scan(&n).Error)
	return n
}

// Merged patients are one person: the time of an appointment of any of their rows is taken for all of them.
func TestMergedPatientsAreInOnePlace(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		merged, second, kept := b.register(t), b.register(t), b.register(t)
		of := b.book(t, visit(merged, b.practitioner(t), 0))
		require.NoError(t, b.merge(t, merged, kept))
		require.NoError(t, b.merge(t, second, kept))

		_, err := b.appointments.Book(desk, visit(kept, b.practitioner(t), 30*time.Minute))
		requireCode(t, apperr.Taken, err, "the merged one's")
		later := b.book(t, visit(kept, b.practitioner(t), 2*time.Hour))
		requireCode(t, apperr.Taken, b.moveBy(t, of, 90*time.Minute), "the kept one's")
		require.NoError(t, b.moveBy(t, of, -time.Hour), "it can be moved elsewhere")
		requireCode(t, apperr.Taken, b.moveBy(t, later, -150*time.Minute))
		b.book(t, visit(kept, b.practitioner(t), 30*time.Minute))

		hold := visit(kept, b.practitioner(t), 5*time.Hour)
		hold.Status = models.Pending
		b.expire(t, b.book(t, hold).ID)
		require.NoError(t, b.moveBy(t, of, 6*time.Hour), "an expired hold of the person stands in nobody's way")

		in := service.SeriesInput{AppointmentInput: visit(merged, b.practitioner(t), 9*time.Hour), Rule: "FREQ=DAILY;COUNT=2"}
		_, err = b.appointments.PreviewSeries(desk, in)
		requireCode(t, apperr.Invalid, err, "nothing new in a chart that is closed")
		in.PatientID, in.StartsAt, in.EndsAt = kept.ID, monday.Add(5*time.Hour), monday.Add(6*time.Hour)
		preview, err := b.appointments.PreviewSeries(desk, in)
		require.NoError(t, err)
		require.Equal(t, service.PatientTaken, preview[0].Conflicts[0].Code)
		_, err = b.patients.Deactivate(desk, kept.ID, anyVersion)
		require.NoError(t, err)
		_, err = b.appointments.PreviewSeries(desk, in)
		requireCode(t, apperr.Invalid, err, "not active")
	})
}

// Two patients can't be merged while the merged person would have two appointments at once. The merge is allowed if
// an overlap was permitted, or if the appointments are over.
func TestMergeIsRefusedWhereAppointmentsMeet(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		merged, kept := b.register(t), b.register(t)
		for _, p := range []*models.Patient{merged, kept} {
			b.book(t, longAgo(visit(p, b.practitioner(t), 0)))
			gone := b.book(t, visit(p, b.practitioner(t), 4*time.Hour))
			_, err := b.appointments.Transition(desk, gone.ID, anyVersion, models.Cancelled, "ill", service.OnlyThis)
			require.NoError(t, err)
		}
		b.book(t, visit(merged, b.practitioner(t), 0))
		over := visit(merged, b.practitioner(t), 0)
		over.AllowOverlap, over.OverlapReason = true, "crisis"
		b.book(t, over)
		other := b.book(t, visit(kept, b.practitioner(t), 30*time.Minute))

		err := b.merge(t, merged, kept)
		requireCode(t, apperr.Taken, err)
		var refused *apperr.Error
		require.ErrorAs(t, err, &refused)
		require.Len(t, refused.Fields, 1)
		require.Equal(t, service.PatientTaken, refused.Fields[0].Code)
		require.Contains(t, refused.Fields[0].Detail, "2035-03-05T09:00:00Z to 2035-03-05T10:00:00Z")
		requireCode(t, apperr.Taken, b.merge(t, kept, merged), "either way round")

		require.NoError(t, b.moveBy(t, other, time.Hour))
		require.NoError(t, b.merge(t, merged, kept))
	})
}

// A person has one appointment at a time, for bookings, moves and merges of any of their rows, no matter how many run
// at once.
func TestMergedPatientsInARace(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		const racers = 12
		var doctors []*models.Account
		for range racers {
			doctors = append(doctors, b.practitioner(t))
		}
		for round := range 6 {
			merged, kept := b.register(t), b.register(t)
			wanted := time.Duration(round) * 24 * time.Hour
			var moving []*models.Appointment
			for i := range racers / 2 {
				moving = append(moving, b.book(t, visit(merged, doctors[i], wanted-time.Duration(i+1)*time.Hour)))
			}
			if round%2 == 0 {
				require.NoError(t, b.merge(t, merged, kept))
			}
			errs := make([]error, racers)
			var all sync.WaitGroup
			for i := range racers {
				all.Go(func() {
					switch {
					case i < len(moving):
						errs[i] = b.moveBy(t, moving[i], time.Duration(i+1)*time.Hour)
					case i == len(moving):
						errs[i] = b.merge(t, merged, kept)
					default:
						_, errs[i] = b.appointments.Book(desk, visit([]*models.Patient{kept, merged}[i%2], doctors[i], wanted))
					}
				})
			}
			all.Wait()
			for _, err := range errs {
				require.Contains(t, []apperr.Code{"", apperr.Taken, apperr.Invalid, apperr.Conflict}, apperr.CodeOf(err), "%v", err)
			}
			require.Zero(t, b.overlaps(t), "round %d", round)
		}
	})
}
