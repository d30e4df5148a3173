package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// bypassed returns the changes by direct SQL in the log, as "table action".
func (b *bundle) bypassed(t *testing.T) []string {
	t.Helper()
	require.NoError(t, repository.NewSequencer(b.store).Drain(audit.System(t.Context(), "test")))
	found := []string{}
	require.NoError(t, b.db.Raw("SELECT entity_type || ' ' || action FROM auditlog WHERE origin = 'direct-sql' ORDER BY id").Scan(&found).Error)
	return found
}

// Direct SQL that gives somebody access to a patient always leaves a trace. The program's own changes leave only
// their usual events, and no finding.
func TestDirectSQLOnAccessIsWitnessed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs PostgreSQL: SQLite refuses other programs instead")
	}
	b := newBundle(t, dbtest.Postgres(t))
	desk, admin := as(t, service.RoleFrontDesk), as(t, service.RoleAdmin)
	doctor, both := b.practitioner(t), b.account(t, service.RoleClinician, service.RoleFrontDesk)
	p, err := b.patients.Register(b.on(t, doctor), another(input()))
	require.NoError(t, err)
	_, err = b.carers.Assign(desk, p.ID, both.ID)
	require.NoError(t, err)
	require.NoError(t, b.carers.Unassign(desk, p.ID, both.ID, anyVersion))
	stranger := b.on(t, b.practitioner(t))
	_, _, err = b.emergencies.Open(stranger, service.BreakGlassInput{PatientID: &p.ID, Reason: emergency})
	require.NoError(t, err)
	a, err := b.appointments.Book(stranger, soon(visit(p.Patient, doctor, 0)))
	require.NoError(t, err)
	_, err = b.appointments.Change(desk, a.ID, anyVersion, service.OnlyThis, func(a *models.Appointment) (service.AppointmentInput, error) {
		in := said(a)
		in.EndsAt = in.EndsAt.Add(time.Hour)
		return in, nil
	})
	require.NoError(t, err)
	var told string
	require.NoError(t, b.db.Raw("SELECT id FROM breakglass").Scan(&told).Error)
	require.NoError(t, b.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error {
		return repository.NewBreakGlassRepository(b.store).Told(ctx, uuid.MustParse(told), time.Now())
	}))
	_, err = b.accounts.Change(admin, both.ID, anyVersion, func(a *models.Account) (service.AccountInput, error) {
		return service.AccountInput{Email: a.Email, Name: a.Name, Roles: []string{service.RoleClinician, service.RoleAuditor}}, nil
	})
	require.NoError(t, err)
	require.NoError(t, b.patients.Purge(admin, b.register(t).ID, anyVersion, "asked for"))
	require.Empty(t, b.bypassed(t))

	for _, statement := range []string{
		"INSERT INTO carerelationship (account_id, patient_id, kind) SELECT '" + both.ID.String() + "', id, 'assigned' FROM patient",
		"UPDATE carerelationship SET kind = 'assigned' WHERE kind = 'registered'",
		"UPDATE breakglass SET expires_at = expires_at + interval '1 year'",
		"INSERT INTO breakglassentry (entry_id, patient_id) SELECT id, patient_id FROM appointment",
		"DELETE FROM breakglassentry",
		"UPDATE account SET roles = '[\"clinician\", \"admin\"]' WHERE id = '" + both.ID.String() + "'",
		"UPDATE account SET password_hash = 'other' WHERE id = '" + both.ID.String() + "'",
		"DELETE FROM carerelationship",
	} {
		require.NoError(t, b.db.Exec(statement).Error, statement)
	}
	require.Equal(t, []string{
		"carerelationship create", "carerelationship update", "breakglass update", "breakglassentry create", "breakglassentry purge", "account update", "account update",
		"carerelationship purge",
	}, b.bypassed(t))
}
