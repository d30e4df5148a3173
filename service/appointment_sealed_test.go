package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/service"
)

var sealedOfAppointments = []string{"reason", "video_url", "overlap_reason", "cancel_reason"}

// full books an appointment with a value in every sealed column.
func (b *bundle) full(t *testing.T) *models.Appointment {
	t.Helper()
	in := visit(b.register(t), b.practitioner(t), 0)
	in.AllowOverlap, in.OverlapReason = true, "crisis"
	a, err := b.appointments.Transition(as(t, service.RoleFrontDesk), b.book(t, in).ID, anyVersion, models.Cancelled, "is ill", service.OnlyThis)
	require.NoError(t, err)
	return a
}

// Appointments move to a new key, can be read under it, and the log knows the changed rows. Then the database refuses
// the old key.
func TestAppointmentsMoveToNewKeys(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		a := b.full(t)
		keyOf := func(column string) (id string) {
			require.NoError(t, b.db.Raw("SELECT substr("+column+", 6, 8) FROM appointment").Scan(&id).Error)
			return id
		}
		old := keyOf("reason")
		jobs := audit.System(t.Context(), "keys")
		keys := service.NewKeyService(b.store, "file:"+b.kek)
		_, err := keys.Rotate(jobs, "data")
		require.NoError(t, err)
		done, err := keys.Reseal(jobs, 0, nil)
		require.NoError(t, err)
		require.Equal(t, 2, done.Resealed, "a patient and an appointment")
		for _, column := range sealedOfAppointments {
			require.NotEqual(t, old, keyOf(column), column)
		}
		states, err := keys.Status(t.Context())
		require.NoError(t, err)
		for _, key := range states {
			if key.Purpose == phi.Data && key.State == service.KeyPrimary {
				for _, column := range sealedOfAppointments {
					require.EqualValues(t, 1, key.Values["appointment."+column], column)
				}
			}
		}
		read, err := b.appointments.Get(as(t, service.RoleFrontDesk), a.ID)
		require.NoError(t, err)
		require.Equal(t, "is ill", read.CancelReason.Plain())
		require.Equal(t, a.Version, read.Version, "nobody's change is refused for it")
		b.requireSound(t, true)

		require.NoError(t, b.db.Exec("INSERT INTO retiredkey (key_id) VALUES (?)", keyOf("reason")).Error)
		require.Error(t, b.db.Exec("UPDATE appointment SET status = status").Error, "sealed under a key that is retired")
	})
}

// requireSound verifies the log and every row against it.
func (b *bundle) requireSound(t *testing.T, want bool) []service.Finding {
	t.Helper()
	v, err := service.NewAuditTreeService(b.store).Verify(audit.System(t.Context(), "test"), service.VerifyOptions{Rows: true})
	require.NoError(t, err)
	require.Equal(t, want, v.OK, "%+v", v.Findings)
	return v.Findings
}

// A value that was altered, or copied into another row's column, does not open. Lists show its row as unreadable.
func TestMovedAppointmentValuesAreUnreadable(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		desk := as(t, service.RoleFrontDesk)
		other := b.full(t)
		for _, column := range sealedOfAppointments {
			a := b.full(t)
			require.NoError(t, b.db.Exec("UPDATE appointment SET "+column+" = (SELECT "+column+" FROM appointment WHERE id = ?) WHERE id = ?",
				other.ID.String(), a.ID.String()).Error)
			_, err := b.appointments.Get(desk, a.ID)
			requireCode(t, apperr.Unreadable, err, column)
			for _, plain := range []string{"plain", "", "phi1:deadbeef:short"} {
				require.Error(t, b.db.Exec("UPDATE appointment SET "+column+" = ? WHERE id = ?", plain, a.ID.String()).Error, column)
			}
		}
		found, _, err := b.appointments.Search(desk, service.AppointmentQuery{}, onePage)
		require.NoError(t, err)
		require.Len(t, found, 1+len(sealedOfAppointments))
		unreadable := 0
		for _, a := range found {
			if a.Unreadable() {
				unreadable++
				require.True(t, a.Reason.IsNull())
			}
		}
		require.Equal(t, len(sealedOfAppointments), unreadable)
	})
}

// An appointment that was moved by direct SQL is found, on both engines.
func TestAppointmentsMovedByDirectSQLAreFound(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		a := b.book(t, visit(b.register(t), b.practitioner(t), 0))
		b.requireSound(t, true)
		require.NoError(t, b.db.Exec("UPDATE appointment SET status = 'noshow' WHERE id = ?", a.ID.String()).Error)
		findings := b.requireSound(t, false)
		require.NotEmpty(t, findings)
		var direct int
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE origin = ? AND entity_id = ?", audit.DirectSQL, a.ID.String()).Scan(&direct).Error)
		if b.db.Name() != "sqlite" { // SQLite refuses other programs, but this test uses the program's driver
			require.Equal(t, 1, direct)
		}
	})
}
