package repository_test

import (
	"context"
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

// find searches in a unit of work of its own.
func find(t *testing.T, store *repository.Store, q models.PatientQuery) []*models.Patient {
	t.Helper()
	ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.Search, EntityType: "patient"})
	var found []*models.Patient
	require.NoError(t, store.Read(ctx, func(ctx context.Context) (err error) {
		found, _, err = repository.NewPatientRepository(store).Search(ctx, q, repository.Page{Limit: 200}, everybody)
		return err
	}))
	return found
}

// Every sealed column is bound to its row.
func TestNoColumnOpensInAnotherRow(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		db := dbtest.Open(t, url)
		other := create(t, store, complete())
		for _, c := range guardedColumns() {
			if c.table != "patient" {
				continue
			}
			p := create(t, store, complete())
			require.NoError(t, db.Exec("UPDATE patient SET "+c.name+" = (SELECT "+c.name+" FROM patient WHERE id = ?) WHERE id = ?",
				other.ID.String(), p.ID.String()).Error)
			_, err := get(t, store, p.ID)
			require.True(t, apperr.Is(err, apperr.Unreadable), "%s: %v", c.name, err)
		}
	})
}

// An optional column whose envelope was overwritten does not come back as if it had been empty.
func TestForgedEnvelopesDoNotOpen(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		db := dbtest.Open(t, url)
		for _, c := range guardedColumns() {
			if c.table != "patient" {
				continue
			}
			p := create(t, store, complete())
			require.NoError(t, db.Exec("UPDATE patient SET "+c.name+" = ? WHERE id = ?", c.good, p.ID.String()).Error)
			_, err := get(t, store, p.ID)
			require.True(t, apperr.Is(err, apperr.Unreadable), "%s: %v", c.name, err)
		}
	})
}

// One row that was tampered with does not make a list fail, and shows none of its content.
func TestListsShowReadableRowsBesideUnreadable(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		db := dbtest.Open(t, url)
		rows := []*models.Patient{create(t, store, complete()), create(t, store, complete()), create(t, store, complete())}
		require.NoError(t, db.Exec("UPDATE patient SET first_name = last_name WHERE id = ?", rows[1].ID.String()).Error)
		found := find(t, store, models.PatientQuery{Email: new("zoe@example.org")})
		require.Len(t, found, 3)
		for i, p := range found {
			require.Equal(t, rows[i].ID, p.ID)
			require.Equal(t, i == 1, p.Unreadable())
			require.Equal(t, i == 1, p.FirstName.IsNull())
		}
		failures := eventsOf(t, store, repository.AuditLogQuery{Outcome: []string{audit.Failure}})
		require.Len(t, failures, 1)
		require.Equal(t, rows[1].ID, *failures[0].EntityID)
		require.Equal(t, "phi.unreadable", *failures[0].Details)
		searches := eventsOf(t, store, repository.AuditLogQuery{Action: []string{audit.Search}})
		require.Len(t, searches, 1)
		require.Len(t, searches[0].Subjects, 3)
	})
}

// A token that was pointed at another patient is detected, for every untruncated index.
func TestRedirectedContactIndexes(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]models.PatientQuery{
		"e-mail":             {Email: new("bait@example.org")},
		"phone":              {Phone: new("+1 212 555 0147")},
		"alternative phone":  {Phone: new("212.555.0148")},
		"phone of two terms": {Email: new("zoe@example.org"), And: &models.PatientQuery{Phone: new("2125550147")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				store := openStore(t, url)
				bait, victim := complete(), complete()
				bait.ContactInfo = phi.JSONOf(models.ContactInfo{
					Email: "bait@example.org", Phone: "(212) 555-0147", AlternativePhone: "(212) 555-0148",
				})
				create(t, store, bait)
				create(t, store, victim)
				db := dbtest.Open(t, url)
				require.NoError(t, db.Exec("UPDATE blindindex SET patient_id = ? WHERE patient_id = ? AND (token LIKE '%:email:%' OR token LIKE '%:phone:%')",
					victim.ID.String(), bait.ID.String()).Error)
				found := find(t, store, q)
				require.Len(t, found, 1)
				require.Equal(t, victim.ID, found[0].ID)
				require.True(t, found[0].Unreadable())
				require.True(t, found[0].FirstName.IsNull() && found[0].LastName.IsNull() && found[0].DateOfBirth.IsNull() &&
					found[0].ContactInfo.IsNull() && found[0].Address.IsNull() && found[0].Insurance.IsNull() && found[0].EmergencyContact.IsNull())
				events := eventsOf(t, store, repository.AuditLogQuery{EntityID: []uuid.UUID{victim.ID}, Outcome: []string{audit.Failure}})
				require.Len(t, events, 1)
				require.Equal(t, "phi.unreadable", *events[0].Details)
				_, err := get(t, store, victim.ID)
				require.NoError(t, err, "the row itself is sound")
			})
		})
	}
}

// The log's own sealed column is guarded like those of patients.
func TestMovedReasonIsUnreadable(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		for _, reason := range []string{"one reason", "another reason"} {
			ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: "test", EntityType: "patient", Reason: reason})
			require.NoError(t, store.Read(ctx, func(context.Context) error { return nil }))
		}
		events := eventsOf(t, store, repository.AuditLogQuery{Action: []string{"test"}})
		require.Equal(t, "another reason", events[1].Reason.Plain())
		db := dbtest.Open(t, url)
		dbtest.DropTriggers(t, db, "auditlog")
		require.NoError(t, db.Exec("UPDATE auditlog SET reason = (SELECT reason FROM auditlog WHERE id = ?) WHERE id = ?",
			events[1].ID.String(), events[0].ID.String()).Error)
		moved := eventsOf(t, store, repository.AuditLogQuery{Action: []string{"test"}})
		require.True(t, moved[0].Unreadable() && moved[0].Reason.IsNull())
		require.Equal(t, "another reason", moved[1].Reason.Plain())
		failures := eventsOf(t, store, repository.AuditLogQuery{EntityType: []string{"auditlog"}, Outcome: []string{audit.Failure}})
		require.Len(t, failures, 1)
		require.Equal(t, events[0].ID, *failures[0].EntityID)
		_, err := repository.NewAuditLogRepository(store).ByID(actor(t.Context()), events[0].ID)
		require.ErrorIs(t, err, audit.ErrOutsideUnit, "the log too is read in a unit of work only")
	})
}
