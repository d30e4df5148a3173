package models_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// guarded returns a GORM handle with hooks and guard, in a unit of work.
func guarded(t *testing.T, url string) *gorm.DB {
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
	require.NoError(t, db.Use(&models.Guard{Keyring: ring}))
	ctx, _, err := audit.Begin(audit.System(t.Context(), "test"))
	require.NoError(t, err)
	return db.WithContext(ctx)
}

const canary = "Zcanary"

func invented() *models.Patient {
	day, _ := phi.ParseCalendarDate("1980-02-03")
	return &models.Patient{
		FirstName: phi.Of(canary), LastName: phi.Of(canary), DateOfBirth: phi.Of(day), Active: true,
		ContactInfo: phi.JSONOf(models.ContactInfo{Email: canary + "@example.org"}),
	}
}

// Every way that GORM has to reach a sealed table either seals, opens and notes, or fails.
func TestNoWayRoundTheHooks(t *testing.T) {
	t.Parallel()
	plain := map[string]any{"first_name": canary}
	envelope := phi.Of(canary)
	dbtest.Run(t, func(t *testing.T, url string) {
		db := guarded(t, url)
		sql := dbtest.Open(t, url)
		loaded := func() *models.Patient {
			p := invented()
			require.NoError(t, db.Create(p).Error)
			var back models.Patient
			require.NoError(t, db.Take(&back, "id = ?", p.ID).Error)
			return &back
		}
		for name, way := range map[string]func() error{
			"create one":   func() error { return db.Create(invented()).Error },
			"create slice": func() error { return db.Create([]*models.Patient{invented(), invented()}).Error },
			"create in batches": func() error {
				rows := []models.Patient{*invented(), *invented()}
				return db.CreateInBatches(&rows, 1).Error
			},
			"first or create": func() error { return db.Where("id = ?", uuid.New()).FirstOrCreate(invented()).Error },
			"generics create": func() error { return gorm.G[models.Patient](db).Create(db.Statement.Context, invented()) },
			"updates whole": func() error {
				p := loaded()
				p.FirstName = phi.Of("Other" + canary)
				return db.Model(p).Select("*").Updates(p).Error
			},
			"delete read row": func() error { return db.Delete(loaded()).Error },
			"find slice":      func() error { var rows []models.Patient; return db.Find(&rows).Error },
			"first":           func() error { loaded(); return db.First(&models.Patient{}).Error }, // the table may be empty: the order is random
			"count":           func() error { var n int64; return db.Model(&models.Patient{}).Count(&n).Error },
			"bare ids":        func() error { var ids []uuid.UUID; return db.Model(&models.Patient{}).Pluck("id", &ids).Error },
			"preload":         func() error { var rows []models.BlindIndex; return db.Preload("Patient").Find(&rows).Error },
		} {
			require.NoError(t, way(), name)
			requireSealed(t, sql, name)
		}
		p := loaded()
		for name, way := range map[string]func() error{
			"create map":          func() error { return db.Model(&models.Patient{}).Create(plain).Error },
			"create some":         func() error { return db.Select("first_name").Create(invented()).Error },
			"upsert":              func() error { return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(invented()).Error },
			"create by table":     func() error { return db.Table("patient").Create(plain).Error },
			"update field":        func() error { return db.Model(p).Update("first_name", envelope).Error },
			"update string":       func() error { return db.Model(p).Update("first_name", canary).Error },
			"update plain column": func() error { return db.Model(p).Update("active", false).Error },
			"updates struct":      func() error { return db.Model(p).Updates(models.Patient{FirstName: envelope}).Error },
			"updates map":         func() error { return db.Model(p).Updates(plain).Error },
			"update column":       func() error { return db.Model(p).UpdateColumn("first_name", canary).Error },
			"update columns":      func() error { return db.Model(p).UpdateColumns(plain).Error },
			"update by table":     func() error { return db.Table("patient").Where("id = ?", p.ID).Updates(plain).Error },
			"update all":          func() error { return db.Model(&models.Patient{}).Where("1 = 1").Update("active", false).Error },
			"first or create assign": func() error {
				return db.Where("id = ?", p.ID).Assign(plain).FirstOrCreate(&models.Patient{}).Error
			},
			"skip hooks create": func() error { return db.Session(&gorm.Session{SkipHooks: true}).Create(invented()).Error },
			"skip hooks find":   func() error { return db.Session(&gorm.Session{SkipHooks: true}).Find(&[]models.Patient{}).Error },
			"delete bulk":       func() error { return db.Where("1 = 1").Delete(&models.Patient{}).Error },
			"delete unread":     func() error { return db.Delete(&models.Patient{Base: models.Base{ID: p.ID}}).Error },
			"pluck":             func() error { var names []string; return db.Model(&models.Patient{}).Pluck("first_name", &names).Error },
			"scan into struct":  func() error { var dto struct{ FirstName string }; return db.Model(&models.Patient{}).Scan(&dto).Error },
			"find into maps":    func() error { var rows []map[string]any; return db.Model(&models.Patient{}).Find(&rows).Error },
			"table into maps":   func() error { var rows []map[string]any; return db.Table("patient").Find(&rows).Error },
			"table alias":       func() error { var rows []map[string]any; return db.Table("patient AS p").Find(&rows).Error },
			"select some":       func() error { return db.Select("first_name").Find(&[]models.Patient{}).Error },
			"rows": func() error {
				rows, err := db.Model(&models.Patient{}).Rows()
				if err == nil {
					_ = rows.Close()
					err = rows.Err()
				}
				return err
			},
			"raw":        func() error { return db.Raw("SELECT first_name FROM patient").Scan(&[]string{}).Error },
			"exec":       func() error { return db.Exec("UPDATE patient SET active = false").Error },
			"joins":      func() error { return db.Joins("JOIN patient ON true").Find(&[]models.Account{}).Error },
			"log update": func() error { return db.Model(&models.AuditLog{}).Where("1 = 1").Update("action", "x").Error },
			"log delete": func() error { return db.Where("1 = 1").Delete(&models.AuditLog{}).Error },
			"outside a unit": func() error {
				return db.WithContext(audit.System(context.Background(), "test")).Find(&[]models.Patient{}).Error
			},
		} {
			require.Error(t, way(), name)
			requireSealed(t, sql, name)
		}
		require.Equal(t, canary, p.FirstName.Plain(), "a failed write leaves the plain values")
		p.Active = false
		require.NoError(t, db.Save(p).Error, "Save of a row that was read is a whole, version-checked update")
		requireSealed(t, sql, "save")
		stale := *p
		require.NoError(t, db.Save(p).Error)
		require.ErrorIs(t, db.Save(&stale).Error, models.ErrStale, "a stale Save neither wins nor inserts")
	})
}

// requireSealed looks past the program at everything that is in the table.
func requireSealed(t *testing.T, sql *gorm.DB, name string) {
	t.Helper()
	var rows []map[string]any
	require.NoError(t, sql.Table("patient").Find(&rows).Error)
	for _, row := range rows {
		for column, value := range row {
			text, _ := value.(string)
			require.NotContains(t, text, canary, "%s: %s", name, column)
			require.LessOrEqual(t, strings.Count(text, "phi1:"), 1, "%s: sealed twice", name)
		}
	}
}

// What looks like PHI is sealed, or stands here with its reason.
func TestWhatLooksLikePHIIsSealed(t *testing.T) {
	t.Parallel()
	allowed := map[string]string{
		"account.email": "staff, not a patient", "account.name": "staff, not a patient",
	}
	words := []string{"name", "birth", "contact", "address", "insurance", "phone", "email", "reason", "note", "content", "title"}
	sealed := map[string]bool{}
	for _, c := range models.SealedColumns() {
		sealed[c.Table+"."+c.Column] = true
	}
	for _, m := range models.All() {
		for column := range models.ToMap(m) {
			for _, word := range words {
				place := models.TableOf(m) + "." + column
				if strings.Contains(column, word) && allowed[place] == "" {
					require.True(t, sealed[place], "%s looks like PHI and is not sealed", place)
				}
			}
		}
	}
	require.Equal(t, phi.Redacted, models.ToMap(invented())["first_name"])
}
