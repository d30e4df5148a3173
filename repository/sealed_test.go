package repository_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// complete returns a patient with every sealed column set.
func complete() *models.Patient {
	p := invented()
	p.Address = phi.JSONOf(models.Address{Street: "1 Example Street", City: "Exampleton", State: "NY", ZipCode: "10001"})
	p.Insurance = phi.JSONOf(models.Insurance{Provider: "Example Mutual", PolicyNumber: "EM-1"})
	p.EmergencyContact = phi.JSONOf(models.EmergencyContact{Name: "Other", Phone: "212-555-0199"})
	return p
}

func create(t *testing.T, store *repository.Store, p *models.Patient) *models.Patient {
	t.Helper()
	patients := repository.NewPatientRepository(store)
	require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error { return patients.Create(ctx, p) }))
	return p
}

func get(t *testing.T, store *repository.Store, id uuid.UUID) (p *models.Patient, err error) {
	t.Helper()
	ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.Read, EntityType: "patient", EntityID: id})
	err = store.Read(ctx, func(ctx context.Context) (err error) {
		p, err = repository.NewPatientRepository(store).ByID(ctx, id)
		return err
	})
	return p, err
}

// A sealed value that was moved is refused, never shown, and the access is in the log.
func TestMovedValuesAreUnreadable(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		db := dbtest.Open(t, url)
		patients := repository.NewPatientRepository(store)
		other := create(t, store, complete())
		for name, attack := range map[string]string{
			"another row":    "UPDATE patient SET first_name = (SELECT first_name FROM patient WHERE id = '" + other.ID.String() + "') WHERE id = ?",
			"another column": "UPDATE patient SET first_name = last_name WHERE id = ?",
			"JSON column":    "UPDATE patient SET address = insurance WHERE id = ?",
			"version":        "UPDATE patient SET version = version + 1 WHERE id = ?",
		} {
			p := create(t, store, complete())
			require.NoError(t, db.Exec(attack, p.ID.String()).Error)
			requireUnreadable(t, store, p.ID, name)
		}

		p := create(t, store, complete())
		var old string
		require.NoError(t, db.Raw("SELECT last_name FROM patient WHERE id = ?", p.ID.String()).Scan(&old).Error)
		require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error {
			p, err := patients.ByID(ctx, p.ID)
			if err != nil {
				return err
			}
			p.LastName = phi.Of("Changed")
			return patients.Update(ctx, p)
		}))
		require.NoError(t, db.Exec("UPDATE patient SET last_name = ? WHERE id = ?", old, p.ID.String()).Error)
		requireUnreadable(t, store, p.ID, "an earlier version of the value")

		_, err := get(t, store, other.ID)
		require.NoError(t, err, "its neighbours stay readable")
	})
}

func requireUnreadable(t *testing.T, store *repository.Store, id uuid.UUID, name string) {
	t.Helper()
	_, err := get(t, store, id)
	require.True(t, apperr.Is(err, apperr.Unreadable), "%s: %v", name, err)
	require.NotContains(t, fmt.Sprintf("%+v", err), "Zoë")
	read := eventsOf(t, store, repository.AuditLogQuery{EntityID: []uuid.UUID{id}, Action: []string{audit.Read}})
	require.Len(t, read, 1, name)
	require.Equal(t, audit.Failure, read[0].Outcome)
	require.Equal(t, "phi.unreadable", *read[0].Details)

	var listed []*models.Patient
	list := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.List, EntityType: "patient"})
	require.NoError(t, store.Read(list, func(ctx context.Context) (err error) {
		listed, _, err = repository.NewPatientRepository(store).Search(ctx, models.PatientQuery{}, repository.Page{Limit: 200}, everybody)
		return err
	}))
	for _, p := range listed {
		if p.ID == id {
			require.True(t, p.Unreadable())
			require.True(t, p.FirstName.IsNull() && p.LastName.IsNull() && p.ContactInfo.IsNull(), "nothing opened is left behind")
		}
	}
	require.Len(t, eventsOf(t, store, repository.AuditLogQuery{EntityID: []uuid.UUID{id}, Action: []string{audit.Read}}), 2, "the list left its own event")
}

func eventsOf(t *testing.T, store *repository.Store, q repository.AuditLogQuery) (events []*models.AuditLog) {
	t.Helper()
	ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.List, EntityType: "auditlog"})
	require.NoError(t, store.Read(ctx, func(ctx context.Context) (err error) {
		events, _, err = repository.NewAuditLogRepository(store).Search(ctx, q, repository.Page{Limit: 200})
		return err
	}))
	return events
}
