package service_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// A record's appointment exists as long as the record. Nothing can make the record name another appointment, and a
// purge removes both.
func TestRecordsNameAppointmentsThatAreThere(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx, admin := b.clinician(t), as(t, service.RoleAdmin)
		kept, merged := b.inCareOf(t, ctx), b.inCareOf(t, ctx)
		own, other := b.book(t, visit(kept, b.practitioner(t), 0)), b.book(t, visit(merged, b.practitioner(t), 2*time.Hour))
		require.NoError(t, b.merge(t, merged, kept))
		var records []*models.MedicalRecord
		for _, a := range []*models.Appointment{own, other} {
			m, err := b.records.Write(ctx, kept.ID, service.RecordInput{Kind: models.KindIntake, Title: "Visit", AppointmentID: &a.ID})
			require.NoError(t, err)
			records = append(records, m)
		}
		require.Error(t, b.db.Exec("UPDATE medicalrecord SET appointment_id = ? WHERE id = ?", uuid.NewString(), records[0].ID.String()).Error)
		require.Error(t, b.db.Exec("DELETE FROM appointment WHERE id = ?", own.ID.String()).Error)

		requireCode(t, apperr.Conflict, b.patients.Purge(admin, merged.ID, anyVersion, "asked for"), "the kept chart has a record about its appointment")
		_, err := b.patients.Unmerge(as(t, service.RoleFrontDesk), merged.ID, anyVersion, "not the same")
		require.NoError(t, err)
		require.NoError(t, b.patients.Purge(admin, kept.ID, anyVersion, "asked for"))
		require.NoError(t, b.patients.Purge(admin, merged.ID, anyVersion, "asked for"))
		require.Zero(t, b.count(t, "medicalrecord")+b.count(t, "appointment"))
	})
}
