package models_test

import (
	"log/slog"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// guarded is a migrated database, seen with hooks and guard, and by plain SQL.
type guarded struct {
	db  *gorm.DB
	sql *gorm.DB
}

// runGuarded runs test on each engine.
func runGuarded(t *testing.T, test func(t *testing.T, g guarded)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, url string) { test(t, newGuarded(t, url)) })
}

func newGuarded(t *testing.T, url string) guarded {
	t.Helper()
	cfg := config.Default().Database
	cfg.URL = config.DSN(url)
	kek := "file:" + filepath.Join(t.TempDir(), "kek")
	store, err := repository.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, store.Unlock(t.Context(), kek, "US"))
	require.NoError(t, store.Close())

	db, err := repository.Connect(t.Context(), cfg, url, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() {
		pool, err := db.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	})
	require.NoError(t, db.Use(&models.Guard{Keyring: openRing(t, db, kek)}))
	return guarded{db: db, sql: dbtest.Open(t, url)}
}

func openRing(t *testing.T, db *gorm.DB, kek string) *phi.Keyring {
	t.Helper()
	var rows []models.Keyset
	require.NoError(t, db.Find(&rows).Error)
	wrapped := map[phi.Purpose]string{}
	for _, row := range rows {
		wrapped[phi.Purpose(row.Purpose)] = row.Wrapped
	}
	key, err := phi.LoadKEK(kek)
	require.NoError(t, err)
	ring, err := phi.OpenKeyring(key, wrapped, "US")
	require.NoError(t, err)
	return ring
}

// unit runs work in a unit of work and a transaction. It commits even after an error, so that a rollback hides
// nothing that a refused statement wrote.
func (g guarded) unit(t *testing.T, work func(tx *gorm.DB) error) ([]audit.Event, error) {
	t.Helper()
	ctx, unit, err := audit.Begin(audit.System(t.Context(), "test"))
	require.NoError(t, err)
	tx := g.db.WithContext(ctx).Begin()
	require.NoError(t, tx.Error)
	if err := work(tx); err != nil {
		_ = tx.Commit().Error // PostgreSQL rolls back if the statement itself failed
		return nil, err
	}
	require.NoError(t, tx.Commit().Error)
	return unit.Commit(), nil
}

// loaded returns a patient that was created in one unit of work and read in another.
func (g guarded) loaded(t *testing.T) *models.Patient {
	t.Helper()
	p := invented()
	_, err := g.unit(t, func(tx *gorm.DB) error { return tx.Create(p).Error })
	require.NoError(t, err)
	return g.read(t, p)
}

func (g guarded) read(t *testing.T, p *models.Patient) *models.Patient {
	t.Helper()
	var back models.Patient
	_, err := g.unit(t, func(tx *gorm.DB) error { return tx.Take(&back, "id = ?", p.ID).Error })
	require.NoError(t, err)
	return &back
}

// rows returns all rows that plain SQL finds in the tables about patients, and in some others.
func (g guarded) rows(t *testing.T) map[string][]map[string]any {
	t.Helper()
	out := map[string][]map[string]any{}
	for _, table := range []string{"patient", "blindindex", "auditlog", "backup", "keyset"} {
		var rows []map[string]any
		require.NoError(t, g.sql.Raw("SELECT * FROM "+table+" ORDER BY 1, 2").Scan(&rows).Error)
		out[table] = rows
	}
	return out
}

var (
	sealedText = regexp.MustCompile(`^phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}$`)
	sealedJSON = regexp.MustCompile(`^\{"phi": ?"phi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}"\}$`)
)

// requireSealed reads every sealed column of every patient by plain SQL: each value is NULL, or sealed once.
func (g guarded) requireSealed(t *testing.T) {
	t.Helper()
	for _, row := range g.rows(t)["patient"] {
		for _, column := range models.SealedColumns() {
			if column.Table != "patient" || row[column.Column] == nil {
				continue
			}
			text, ok := row[column.Column].(string)
			require.True(t, ok, column.Column)
			shape := sealedText
			if column.JSON {
				shape = sealedJSON
			}
			require.True(t, shape.MatchString(text), "%s is not sealed", column.Column)
		}
	}
}

const canary = "Zcanary"

func invented() *models.Patient {
	day, _ := phi.ParseCalendarDate("1980-02-03")
	return &models.Patient{
		FirstName: phi.Of(canary), LastName: phi.Of(canary), DateOfBirth: phi.Of(day), Active: true,
		ContactInfo: phi.JSONOf(models.ContactInfo{Email: canary + "@example.org"}),
	}
}
