package models_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/phi"
	"novamind/models"
)

// bypass is a way past the hooks. p was read before; what the way got is returned beside its error.
type bypass struct {
	name string
	do   func(tx *gorm.DB, p *models.Patient) (got any, err error)
}

type rowsOf = []map[string]any

func plain() map[string]any { return map[string]any{"first_name": canary} }

func patients(tx *gorm.DB) *gorm.DB { return tx.Model(&models.Patient{}) }

func bypassedReads() []bypass {
	found := func(db *gorm.DB) (any, error) {
		var got rowsOf
		err := db.Find(&got).Error
		return got, err
	}
	reads := []struct {
		name  string
		query func(tx *gorm.DB) *gorm.DB
	}{
		{"maps", patients},
		{"table", func(tx *gorm.DB) *gorm.DB { return tx.Table("patient") }},
		{"table in capitals", func(tx *gorm.DB) *gorm.DB { return tx.Table("PATIENT") }},
		{"table with alias", func(tx *gorm.DB) *gorm.DB { return tx.Table("patient AS p") }},
		{"another model's table", func(tx *gorm.DB) *gorm.DB { return tx.Model(&models.Backup{}).Table("patient") }},
		{"table of a subquery", func(tx *gorm.DB) *gorm.DB { return tx.Table("(?) AS p", patients(tx)) }},
		{"select of a subquery", func(tx *gorm.DB) *gorm.DB {
			return tx.Model(&models.Keyset{}).Select("(SELECT first_name FROM patient LIMIT 1) AS name")
		}},
		{"where of a subquery", func(tx *gorm.DB) *gorm.DB {
			return tx.Model(&models.Keyset{}).Where("EXISTS (?)", patients(tx))
		}},
		{"table of a subquery of some", func(tx *gorm.DB) *gorm.DB {
			return tx.Table("(?) AS p", patients(tx).Select("first_name"))
		}},
		{"where of a subquery of some", func(tx *gorm.DB) *gorm.DB {
			return tx.Model(&models.Keyset{}).Where("wrapped NOT IN (?)", patients(tx).Select("first_name"))
		}},
		{"from clause", func(tx *gorm.DB) *gorm.DB {
			return tx.Model(&models.Keyset{}).Clauses(clause.From{Tables: []clause.Table{{Name: "patient"}}})
		}},
		{"join", func(tx *gorm.DB) *gorm.DB {
			return tx.Model(&models.Keyset{}).Select("p.*").Joins("JOIN patient p ON true")
		}},
		{"join of a subquery", func(tx *gorm.DB) *gorm.DB {
			return tx.Model(&models.Keyset{}).Select("p.*").Joins("JOIN (?) p ON true", patients(tx))
		}},
		{"raw", func(tx *gorm.DB) *gorm.DB { return tx.Raw("SELECT first_name FROM patient") }},
		{"raw, quoted", func(tx *gorm.DB) *gorm.DB { return tx.Raw(`SELECT first_name FROM "patient"`) }},
		{"raw of a subquery", func(tx *gorm.DB) *gorm.DB { return tx.Raw("SELECT * FROM (?) AS p", patients(tx)) }},
		{"log", func(tx *gorm.DB) *gorm.DB { return tx.Model(&models.AuditLog{}) }},
	}
	var out []bypass
	for _, r := range reads {
		out = append(out,
			bypass{"find " + r.name, func(tx *gorm.DB, _ *models.Patient) (any, error) { return found(r.query(tx)) }},
			bypass{"rows " + r.name, func(tx *gorm.DB, _ *models.Patient) (any, error) { return scanRows(tx, r.query(tx)) }})
	}
	return out
}

// scanRows reads with Rows and ScanRows.
func scanRows(tx, query *gorm.DB) (any, error) {
	rows, err := query.Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var got rowsOf
	for rows.Next() {
		row := map[string]any{}
		if err := tx.ScanRows(rows, &row); err != nil {
			return got, err
		}
		got = append(got, row)
	}
	return got, rows.Err()
}

func bypassedPartialReads() []bypass {
	return []bypass{
		{"pluck", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			var got []string
			err := patients(tx).Pluck("first_name", &got).Error
			return got, err
		}},
		{"scan into a struct", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			var got struct{ FirstName string }
			err := patients(tx).Scan(&got).Error
			return got, err
		}},
		{"find into a struct", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			var got []struct{ FirstName string }
			err := patients(tx).Find(&got).Error
			return got, err
		}},
		{"another model of the name", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			type Patient struct{ FirstName string }
			var got []Patient
			err := tx.Find(&got).Error
			return got, err
		}},
		{"select some", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, tx.Select("id", "first_name").Find(&[]models.Patient{}).Error
		}},
		{"select clause", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, tx.Clauses(clause.Select{Columns: []clause.Column{{Name: "id"}}}).Find(&[]models.Patient{}).Error
		}},
		{"omit some", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, tx.Omit("insurance").Find(&[]models.Patient{}).Error
		}},
		{"distinct", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, tx.Distinct("first_name").Find(&[]models.Patient{}).Error
		}},
		{"raw into the model", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, tx.Raw("SELECT id, version, first_name FROM patient").Find(&[]models.Patient{}).Error
		}},
		{"change that returns", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, tx.Raw("UPDATE patient SET active = false RETURNING *").Find(&[]models.Patient{}).Error
		}},
		{"no hooks", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			var got []models.Patient
			err := tx.Session(&gorm.Session{SkipHooks: true}).Find(&got).Error
			return got, err
		}},
		{"join of a relation", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			var got []models.BlindIndex
			err := tx.Joins("Patient").Find(&got).Error
			return got, err
		}},
		{"preload of some", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			var got []models.BlindIndex
			some := func(db *gorm.DB) *gorm.DB { return db.Select("id", "first_name") }
			err := tx.Preload("Patient", some).Find(&got).Error
			return nil, err
		}},
		{"generics raw", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return gorm.G[map[string]any](tx).Raw("SELECT * FROM patient").Find(tx.Statement.Context)
		}},
	}
}

// Reading past the hooks fails, and nothing comes back.
func TestBypassedReadsFail(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		for _, b := range append(bypassedReads(), bypassedPartialReads()...) {
			requireRefused(t, g, b, p)
		}
		require.Equal(t, canary, p.FirstName.Plain())
	})
}

// requireRefused runs b: it is ErrBypass, it gets nothing and it changes nothing.
func requireRefused(t *testing.T, g guarded, b bypass, p *models.Patient) {
	t.Helper()
	before := g.rows(t)
	var got any
	_, err := g.unit(t, func(tx *gorm.DB) (err error) {
		got, err = b.do(tx, p)
		return err
	})
	require.ErrorIs(t, err, models.ErrBypass, b.name)
	require.NotContains(t, err.Error(), canary, b.name)
	shown := fmt.Sprintf("%+v", got)
	require.NotContains(t, shown, "phi1:", b.name)
	require.NotContains(t, shown, canary, b.name)
	require.Equal(t, before, g.rows(t), b.name)
}

func bypassedCreates() []bypass {
	created := func(do func(tx *gorm.DB) *gorm.DB) func(*gorm.DB, *models.Patient) (any, error) {
		return func(tx *gorm.DB, _ *models.Patient) (any, error) { return nil, do(tx).Error }
	}
	return []bypass{
		{"create map", created(func(tx *gorm.DB) *gorm.DB { return patients(tx).Create(plain()) })},
		{"create maps", created(func(tx *gorm.DB) *gorm.DB { return patients(tx).Create([]map[string]any{plain(), plain()}) })},
		{"create by table", created(func(tx *gorm.DB) *gorm.DB { return tx.Table("patient").Create(plain()) })},
		{"create in another table", created(func(tx *gorm.DB) *gorm.DB { return tx.Table("backup").Create(invented()) })},
		{"create some", created(func(tx *gorm.DB) *gorm.DB { return tx.Select("first_name").Create(invented()) })},
		{"create without some", created(func(tx *gorm.DB) *gorm.DB { return tx.Omit("insurance").Create(invented()) })},
		{"create without hooks", created(func(tx *gorm.DB) *gorm.DB {
			return tx.Session(&gorm.Session{SkipHooks: true}).Create(invented())
		})},
		{"create returning", created(func(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.Returning{}).Create(invented()) })},
		{"upsert", created(func(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(invented()) })},
		{"insert or nothing", created(func(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(invented()) })},
		{"save slice", created(func(tx *gorm.DB) *gorm.DB { return tx.Save([]*models.Patient{invented()}) })},
		{"create with a relation", created(func(tx *gorm.DB) *gorm.DB {
			return tx.Create(&models.BlindIndex{Token: "bi1:00000000:email:00000000", Patient: invented()})
		})},
		{"insert clause", created(func(tx *gorm.DB) *gorm.DB {
			return tx.Clauses(clause.Insert{Table: clause.Table{Name: "patient"}}).Create(&models.Backup{})
		})},
		{"insert or replace", func(tx *gorm.DB, p *models.Patient) (any, error) {
			other := invented()
			other.ID = p.ID
			return nil, tx.Clauses(clause.Insert{Modifier: "OR REPLACE"}).Create(other).Error
		}},
		{"create what was read", func(tx *gorm.DB, p *models.Patient) (any, error) {
			other := *p
			other.ID = uuid.New()
			return nil, tx.Create([]*models.Patient{invented(), &other}).Error
		}},
	}
}

func bypassedUpdates() []bypass {
	envelope := phi.Of(canary)
	changed := func(do func(tx *gorm.DB, p *models.Patient) *gorm.DB) func(*gorm.DB, *models.Patient) (any, error) {
		return func(tx *gorm.DB, p *models.Patient) (any, error) { return nil, do(tx, p).Error }
	}
	type change = func(tx *gorm.DB, p *models.Patient) *gorm.DB
	whole := func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).Select("*").Updates(p) }
	out := []bypass{
		{"generics update", func(tx *gorm.DB, p *models.Patient) (any, error) {
			_, err := gorm.G[models.Patient](tx).Where("id = ?", p.ID).Update(tx.Statement.Context, "active", false)
			return nil, err
		}},
		{"replace a relation", func(tx *gorm.DB, p *models.Patient) (any, error) {
			return nil, tx.Model(&models.BlindIndex{Token: "x", PatientID: p.ID}).Association("Patient").Replace(invented())
		}},
	}
	for name, do := range map[string]change{
		"sealed field":  func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).Update("first_name", envelope) },
		"sealed column": func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).Update("first_name", canary) },
		"other column":  func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).Update("active", false) },
		"struct": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Model(p).Updates(models.Patient{FirstName: envelope})
		},
		"map":          func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).Updates(plain()) },
		"map of all":   func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).Select("*").Updates(plain()) },
		"bare column":  func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).UpdateColumn("active", false) },
		"bare columns": func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).UpdateColumns(plain()) },
		"some":         func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).Select("active").Updates(p) },
		"not all": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Model(p).Select("*").Omit("insurance").Updates(p)
		},
		"by value": func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Select("*").Updates(*p) },
		"slice": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			s := []*models.Patient{p}
			return tx.Model(&s).Select("*").Updates(&s)
		},
		"table": func(tx *gorm.DB, _ *models.Patient) *gorm.DB {
			return tx.Table("patient").Where("true").Updates(plain())
		},
		"TABLE": func(tx *gorm.DB, _ *models.Patient) *gorm.DB {
			return tx.Table("PATIENT").Where("true").Updates(plain())
		},
		"all rows": func(tx *gorm.DB, _ *models.Patient) *gorm.DB {
			return patients(tx).Where("true").Update("active", false)
		},
		"or all rows": func(tx *gorm.DB, p *models.Patient) *gorm.DB { return whole(tx.Where("true").Or("true"), p) },
		"returning":   func(tx *gorm.DB, p *models.Patient) *gorm.DB { return whole(tx.Clauses(clause.Returning{}), p) },
		"without hooks": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return whole(tx.Session(&gorm.Session{SkipHooks: true}), p)
		},
		"save some": func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Select("active").Save(p) },
		"set clause": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return whole(tx.Clauses(clause.Set{{Column: clause.Column{Name: "active"}, Value: false}}), p)
		},
		"update clause": func(tx *gorm.DB, _ *models.Patient) *gorm.DB {
			return tx.Model(&models.Backup{}).Clauses(clause.Update{Table: clause.Table{Name: "patient"}}).Where("true").UpdateColumn("active", false)
		},
		"assign": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Where("id = ?", p.ID).Assign(plain()).FirstOrCreate(&models.Patient{})
		},
		"exec": func(tx *gorm.DB, _ *models.Patient) *gorm.DB { return tx.Exec("UPDATE patient SET active = false") },
		"log": func(tx *gorm.DB, _ *models.Patient) *gorm.DB {
			return tx.Model(&models.AuditLog{}).Where("true").Update("action", "x")
		},
	} {
		out = append(out, bypass{"update " + name, changed(do)})
	}
	return out
}

func bypassedDeletes() []bypass {
	var out []bypass
	for name, do := range map[string]func(tx *gorm.DB, p *models.Patient) *gorm.DB{
		"all": func(tx *gorm.DB, _ *models.Patient) *gorm.DB { return tx.Where("true").Delete(&models.Patient{}) },
		"unread": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Delete(&models.Patient{Base: models.Base{ID: p.ID}})
		},
		"by id":     func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Delete(&models.Patient{}, "id = ?", p.ID) },
		"slice":     func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Delete([]*models.Patient{p}) },
		"or all":    func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Where("true").Or("true").Delete(p) },
		"returning": func(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Clauses(clause.Returning{}).Delete(p) },
		"without hooks": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Session(&gorm.Session{SkipHooks: true}).Delete(p)
		},
		"table": func(tx *gorm.DB, _ *models.Patient) *gorm.DB { return tx.Table("patient").Where("true").Delete(nil) },
		"from clause": func(tx *gorm.DB, _ *models.Patient) *gorm.DB {
			return tx.Clauses(clause.From{Tables: []clause.Table{{Name: "patient"}}}).Where("true").Delete(&models.Backup{})
		},
		"exec": func(tx *gorm.DB, _ *models.Patient) *gorm.DB { return tx.Exec("DELETE FROM patient") },
		"log":  func(tx *gorm.DB, _ *models.Patient) *gorm.DB { return tx.Where("true").Delete(&models.AuditLog{}) },
	} {
		out = append(out, bypass{"delete " + name, func(tx *gorm.DB, p *models.Patient) (any, error) { return nil, do(tx, p).Error }})
	}
	return append(out, bypass{"generics delete", func(tx *gorm.DB, p *models.Patient) (any, error) {
		_, err := gorm.G[models.Patient](tx).Where("id = ?", p.ID).Delete(tx.Statement.Context)
		return nil, err
	}})
}

// Changing past the hooks fails, writes nothing and leaves the struct as it was.
func TestBypassedChangesFail(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		g.loaded(t) // another row, to be left alone
		for _, ways := range [][]bypass{bypassedCreates(), bypassedUpdates(), bypassedDeletes()} {
			for _, b := range ways {
				requireRefused(t, g, b, p)
				require.Equal(t, int64(1), p.Version, b.name)
				require.Equal(t, canary, p.FirstName.Plain(), b.name)
			}
		}
	})
}

// A change of another table can't take what it writes from a sealed one either: GORM drops the guard's error, and the engine
// refuses what is left.
func TestSubqueriesOfChangesFail(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		g.loaded(t)
		before := g.rows(t)
		for _, do := range []func(tx, names *gorm.DB) *gorm.DB{
			func(tx, names *gorm.DB) *gorm.DB {
				return tx.Model(&models.Backup{}).Where("true").Updates(map[string]any{"key_ids": names})
			},
			func(tx, names *gorm.DB) *gorm.DB { return tx.Where("id NOT IN (?)", names).Delete(&models.Backup{}) },
		} {
			_, err := g.unit(t, func(tx *gorm.DB) error { return do(tx, patients(tx).Select("first_name").Limit(1)).Error })
			require.Error(t, err)
			require.NotContains(t, err.Error(), "phi1:")
			require.Equal(t, before, g.rows(t))
		}
	})
}
