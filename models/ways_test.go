package models_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/audit"
	"novamind/models"
)

// way is one of GORM's ways to reach a table with sealed columns. p was read before.
type way struct {
	name   string
	do     func(tx *gorm.DB, p *models.Patient) error
	events []string
}

var (
	created = []string{audit.Create}
	read    = []string{audit.Read}
	updated = []string{audit.Update}
	purged  = []string{audit.Purge}
)

func waysToCreate() []way {
	return []way{
		{"one", func(tx *gorm.DB, _ *models.Patient) error { return tx.Create(invented()).Error }, created},
		{"slice of pointers", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Create([]*models.Patient{invented(), invented()}).Error
		}, []string{audit.Create, audit.Create}},
		{"slice of rows", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Create([]models.Patient{*invented(), *invented()}).Error
		}, []string{audit.Create, audit.Create}},
		{"batches", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.CreateInBatches([]models.Patient{*invented(), *invented(), *invented()}, 2).Error
		}, []string{audit.Create, audit.Create, audit.Create}},
		{"save without id", func(tx *gorm.DB, _ *models.Patient) error { return tx.Save(invented()).Error }, created},
		{"first or create, absent", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Where("id = ?", uuid.New()).FirstOrCreate(invented()).Error
		}, created},
		{"first or create, attrs", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Where("id = ?", uuid.New()).Attrs(invented()).FirstOrCreate(&models.Patient{}).Error
		}, created},
		{"first or create, assign, absent", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Where("id = ?", uuid.New()).Assign(invented()).FirstOrCreate(&models.Patient{}).Error
		}, created},
		{"generics", func(tx *gorm.DB, _ *models.Patient) error {
			return gorm.G[models.Patient](tx).Create(tx.Statement.Context, invented())
		}, created},
	}
}

func waysToRead() []way {
	return []way{
		{"first", func(tx *gorm.DB, p *models.Patient) error { return tx.First(&models.Patient{}, "id = ?", p.ID).Error }, read},
		{"last", func(tx *gorm.DB, p *models.Patient) error { return tx.Last(&models.Patient{}, "id = ?", p.ID).Error }, read},
		{"take", func(tx *gorm.DB, p *models.Patient) error { return tx.Take(&models.Patient{}, "id = ?", p.ID).Error }, read},
		{"find rows", func(tx *gorm.DB, _ *models.Patient) error { return tx.Find(&[]models.Patient{}).Error }, read},
		{"find pointers", func(tx *gorm.DB, _ *models.Patient) error { return tx.Find(&[]*models.Patient{}).Error }, read},
		{"find in batches", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.FindInBatches(&[]models.Patient{}, 1, func(*gorm.DB, int) error { return nil }).Error
		}, read},
		{"scan into the model", func(tx *gorm.DB, p *models.Patient) error {
			return tx.Model(&models.Patient{}).Where("id = ?", p.ID).Find(&models.Patient{}).Error
		}, read},
		{"unscoped", func(tx *gorm.DB, _ *models.Patient) error { return tx.Unscoped().Find(&[]models.Patient{}).Error }, read},
		{"scopes", func(tx *gorm.DB, _ *models.Patient) error {
			active := func(db *gorm.DB) *gorm.DB { return db.Where("active = ?", true).Order("id").Limit(1000) }
			return tx.Scopes(active).Find(&[]models.Patient{}).Error
		}, read},
		{"locked", func(tx *gorm.DB, p *models.Patient) error {
			return tx.Clauses(clause.Locking{Strength: "UPDATE"}).Take(&models.Patient{}, "id = ?", p.ID).Error
		}, read},
		{"first or create, present", func(tx *gorm.DB, p *models.Patient) error {
			return tx.Where("id = ?", p.ID).FirstOrCreate(&models.Patient{}).Error
		}, read},
		{"first or init, present", func(tx *gorm.DB, p *models.Patient) error {
			return tx.Where("id = ?", p.ID).FirstOrInit(&models.Patient{}).Error
		}, read},
		{"first or init, absent", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Where("id = ?", uuid.New()).FirstOrInit(&models.Patient{}).Error
		}, nil},
		{"preload", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Preload("Patient").Find(&[]models.BlindIndex{}).Error
		}, read},
		{"association", func(tx *gorm.DB, p *models.Patient) error {
			return tx.Model(&models.BlindIndex{PatientID: p.ID}).Association("Patient").Find(&models.Patient{})
		}, read},
		{"generics", func(tx *gorm.DB, _ *models.Patient) error {
			_, err := gorm.G[models.Patient](tx).Find(tx.Statement.Context)
			return err
		}, read},
		{"by key", func(tx *gorm.DB, p *models.Patient) error {
			db := tx.Where("id = ?", p.ID)
			for _, c := range models.SealedColumns() {
				if c.Table == "patient" {
					db = db.Where(c.KeyID() + " <> '00000000' OR " + c.Column + " IS NULL")
				}
			}
			return db.Find(&[]models.Patient{}).Error
		}, read},
		{"by what is missing", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Where(map[string]any{"insurance": nil}).Not(map[string]any{"first_name": nil}).Find(&[]models.Patient{}).Error
		}, read},
		{"by index token", func(tx *gorm.DB, p *models.Patient) error {
			return tx.Where("id IN (SELECT patient_id FROM blindindex WHERE patient_id = ?)", p.ID).Find(&models.Patient{}).Error
		}, read},
		{"count", func(tx *gorm.DB, _ *models.Patient) error { return tx.Model(&models.Patient{}).Count(new(int64)).Error }, nil},
		{"bare ids", func(tx *gorm.DB, _ *models.Patient) error {
			return tx.Model(&models.Patient{}).Pluck("id", &[]uuid.UUID{}).Error
		}, nil},
	}
}

func waysToChange() []way {
	return []way{
		{"updates", func(tx *gorm.DB, p *models.Patient) error {
			p.Active = false
			return tx.Model(p).Select("*").Updates(p).Error
		}, updated},
		{"save", func(tx *gorm.DB, p *models.Patient) error {
			p.Active = false
			return tx.Save(p).Error
		}, updated},
		{"delete", func(tx *gorm.DB, p *models.Patient) error { return tx.Delete(p).Error }, purged},
		{"unscoped delete", func(tx *gorm.DB, p *models.Patient) error { return tx.Unscoped().Delete(p).Error }, purged},
	}
}

// Every permitted way seals the values that it writes, and leaves its event.
func TestWaysThroughTheHooks(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		for _, w := range waysToCreate() {
			before := len(g.rows(t)["patient"])
			requireEvents(t, g, w, g.loaded(t), false)
			require.Len(t, g.rows(t)["patient"], before+1+len(w.events), w.name)
		}
		for _, w := range waysToRead() {
			requireEvents(t, g, w, g.loaded(t), w.events != nil)
		}
		for _, w := range waysToChange() {
			requireEvents(t, g, w, g.loaded(t), true)
		}
	})
}

// requireEvents runs w and requires the due events, which name p if concerned is true. The table then holds no
// plain text.
func requireEvents(t *testing.T, g guarded, w way, p *models.Patient, concerned bool) {
	t.Helper()
	events, err := g.unit(t, func(tx *gorm.DB) error { return w.do(tx, p) })
	require.NoError(t, err, w.name)
	var actions []string
	var subjects []uuid.UUID
	for _, e := range events {
		require.Equal(t, "patient", e.EntityType, w.name)
		actions = append(actions, e.Action)
		for _, s := range e.Subjects {
			subjects = append(subjects, s.ID)
		}
	}
	require.Equal(t, w.events, actions, w.name)
	if concerned {
		require.Contains(t, subjects, p.ID, w.name)
	}
	g.requireSealed(t)
}
