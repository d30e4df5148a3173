package repository_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// chart is a patient with an author, and direct access to both past the program.
type chart struct {
	store   *repository.Store
	records *repository.MedicalRecordRepository
	patient *models.Patient
	author  *models.Account
}

func newChart(t *testing.T, store *repository.Store) chart {
	t.Helper()
	c := chart{store, repository.NewMedicalRecordRepository(store), create(t, store, invented()), &models.Account{
		Email: uuid.NewString() + "@example.org", Name: "Test", Roles: []string{"clinician"}, PasswordHash: "x",
	}}
	require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error { return repository.NewAccountRepository(store).Create(ctx, c.author) }))
	return c
}

// signed adds a final record.
func (c chart) signed(t *testing.T) *models.MedicalRecord {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	m := &models.MedicalRecord{
		PatientID: c.patient.ID, AuthorID: c.author.ID, Kind: models.KindAssessment, Sensitivity: models.SensitivityNormal, Status: models.RecordFinal,
		OccurredAt: now, Title: phi.Of("Zcanary title"), Content: phi.Of("Zcanary content"), SignedAt: &now, SignedBy: &c.author.ID,
		Codes: phi.JSONOf([]models.Coding{{System: models.LOINC, Code: "44249-1"}}),
	}
	require.NoError(t, c.store.InTx(actor(t.Context()), func(ctx context.Context) error { return c.records.Create(ctx, m) }))
	return m
}

// change reads a record and writes it back after edit.
func (c chart) change(t *testing.T, id uuid.UUID, edit func(*models.MedicalRecord)) error {
	t.Helper()
	return c.store.InTx(actor(t.Context()), func(ctx context.Context) error {
		m, err := c.records.ByID(ctx, id)
		if err != nil {
			return err
		}
		edit(m)
		return c.records.Update(ctx, m)
	})
}

// Neither the program nor SQL changes a signed record, or removes it without an event.
func TestSignedRecordsAreFrozen(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store, db := openStore(t, url), dbtest.Open(t, url)
		c := newChart(t, store)
		m, other := c.signed(t), c.signed(t)
		for name, edit := range map[string]func(*models.MedicalRecord){
			"content": func(m *models.MedicalRecord) { m.Content = phi.Of("changed") },
			"codes":   func(m *models.MedicalRecord) { m.Codes = phi.JSON[[]models.Coding]{} },
			"time":    func(m *models.MedicalRecord) { m.OccurredAt = m.OccurredAt.Add(time.Hour) },
			"signer":  func(m *models.MedicalRecord) { m.SignedBy, m.SignedAt = nil, nil },
			"draft":   func(m *models.MedicalRecord) { m.Status = models.RecordDraft },
			"reason":  func(m *models.MedicalRecord) { m.ErrorReason = phi.Of("wrong") },
			"both":    func(m *models.MedicalRecord) { m.Status, m.Title = models.RecordAmended, phi.Of("changed") },
		} {
			require.ErrorIs(t, c.change(t, m.ID, edit), models.ErrFrozen, name)
		}
		for _, change := range []string{
			"occurred_at = created_at", "author_id = patient_id", "sensitivity = 'restricted'", "kind = 'document'", "signed_at = NULL, signed_by = NULL",
			"status = 'draft', version = version + 1", "status = 'amended'", "status = 'final', version = version + 1", "codes = NULL, version = version + 1, status = 'amended'",
			"updated_at = created_at, version = version + 1, status = 'draft', signed_at = NULL, signed_by = NULL", "title = content",
			"content = (SELECT content FROM medicalrecord WHERE id = '" + other.ID.String() + "')",
		} {
			err := db.Exec("UPDATE medicalrecord SET "+change+" WHERE id = ?", m.ID).Error
			require.ErrorContains(t, err, "medicalrecord", change)
		}
		require.ErrorContains(t, db.Exec("DELETE FROM medicalrecord WHERE id = ?", m.ID).Error, "stays as it is")
		require.ErrorContains(t, db.Exec("DELETE FROM patient WHERE id = ?", c.patient.ID).Error, "stays as it is")
		if db.Name() == "postgres" {
			require.ErrorContains(t, db.Exec("TRUNCATE medicalrecord CASCADE").Error, "stays as it is")
		} else {
			row := "INSERT OR REPLACE INTO medicalrecord SELECT * FROM medicalrecord WHERE id = ?"
			require.ErrorContains(t, db.Exec(row, m.ID).Error, "stays as it is")
		}
		require.NoError(t, c.change(t, m.ID, func(m *models.MedicalRecord) { m.Status = models.RecordAmended }))
		require.NoError(t, c.change(t, m.ID, func(m *models.MedicalRecord) { m.Status, m.ErrorReason = models.RecordInError, phi.Of("wrong") }))
		require.ErrorIs(t, c.change(t, m.ID, func(m *models.MedicalRecord) { m.ErrorReason = phi.Of("right") }), models.ErrFrozen)
		for _, change := range []string{"error_reason = NULL", "error_reason = NULL, version = version + 1", "error_reason = NULL, title = title"} {
			require.ErrorContains(t, db.Exec("UPDATE medicalrecord SET "+change+" WHERE id = ?", m.ID).Error, "stays as it is", change)
		}
		require.ErrorContains(t, db.Exec("UPDATE medicalrecord SET error_reason = title, version = version + 1, status = 'amended' WHERE id = ?", other.ID).Error, "medicalrecord_error")
		require.ErrorIs(t, c.change(t, m.ID, func(m *models.MedicalRecord) { m.Status = models.RecordFinal }), models.ErrFrozen)
	})
}

// A second amendment of one record is refused with the right error.
func TestOneAmendmentFollows(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		c := newChart(t, store)
		m := c.signed(t)
		amend := func() error {
			later := &models.MedicalRecord{
				PatientID: m.PatientID, AuthorID: m.AuthorID, Kind: m.Kind, Sensitivity: m.Sensitivity, Status: models.RecordFinal, OccurredAt: m.OccurredAt,
				Title: phi.Of("Zcanary title"), Content: phi.Of("Zcanary content"), SignedAt: m.SignedAt, SignedBy: m.SignedBy, SupersedesID: &m.ID, AmendmentReason: phi.Of("Zcanary word"),
			}
			return store.InTx(actor(t.Context()), func(ctx context.Context) error { return c.records.Create(ctx, later) })
		}
		require.NoError(t, amend())
		err := amend()
		require.True(t, apperr.Is(err, apperr.Conflict) || apperr.Is(err, apperr.Duplicate), err)
	})
}

// The program sets the creation time of a row, to the microsecond on either engine. No row was changed before its
// creation.
func TestRowsTellWhenTheyWereMade(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store, db := openStore(t, url), dbtest.Open(t, url)
		for range 5 {
			c := newChart(t, store)
			m := c.signed(t)
			require.False(t, m.CreatedAt.IsZero())
			require.Equal(t, m.CreatedAt, m.UpdatedAt)
			require.NoError(t, c.change(t, m.ID, func(m *models.MedicalRecord) { m.Status = models.RecordAmended }))
		}
		for _, table := range []string{"medicalrecord", "patient", "account", "auditlog"} {
			var rows []struct{ CreatedAt, UpdatedAt time.Time }
			require.NoError(t, db.Raw("SELECT created_at, updated_at FROM "+table).Scan(&rows).Error)
			require.GreaterOrEqual(t, len(rows), 5)
			toTheMicrosecond := false
			for _, row := range rows {
				require.False(t, row.UpdatedAt.Before(row.CreatedAt), table)
				toTheMicrosecond = toTheMicrosecond || row.CreatedAt.Nanosecond()%1_000_000 != 0
			}
			require.True(t, toTheMicrosecond, table)
		}
	})
}
