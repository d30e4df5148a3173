package models_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/phi"
	"novamind/models"
)

// bypass is a way past the hooks. p was read before. do returns the rows that the way got beside its error.
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
		{"raw index", func(tx *gorm.DB) *gorm.DB { return tx.Raw("SELECT token FROM blindindex") }},
		{"raw change of the index", func(tx *gorm.DB) *gorm.DB { return tx.Raw("DELETE FROM blindindex RETURNING token") }},
		{"end of the transaction", func(tx *gorm.DB) *gorm.DB { return tx.Raw("ROLLBACK") }},
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

// bypassedConditions ask the engine for sealed values in the clear, which the engine does not have.
func bypassedConditions() []bypass {
	var out []bypass
	for name, narrow := range map[string]func(tx *gorm.DB) *gorm.DB{
		"text":        func(tx *gorm.DB) *gorm.DB { return tx.Where("first_name = ?", canary) },
		"map":         func(tx *gorm.DB) *gorm.DB { return tx.Where(plain()) },
		"struct":      func(tx *gorm.DB) *gorm.DB { return tx.Where(&models.Patient{FirstName: phi.Of(canary)}) },
		"not":         func(tx *gorm.DB) *gorm.DB { return tx.Not(plain()) },
		"or":          func(tx *gorm.DB) *gorm.DB { return tx.Where("active").Or("patient.last_name LIKE ?", canary+"%") },
		"quoted":      func(tx *gorm.DB) *gorm.DB { return tx.Where(`"patient"."FIRST_NAME" = ?`, canary) },
		"IS":          func(tx *gorm.DB) *gorm.DB { return tx.Where("first_name IS NOT DISTINCT FROM ?", canary) },
		"JSON member": func(tx *gorm.DB) *gorm.DB { return tx.Where("contact_info ->> 'email' = ?", canary) },
		"group":       func(tx *gorm.DB) *gorm.DB { return tx.Where(tx.Where("first_name = ?", canary).Or("active")) },
		"order":       func(tx *gorm.DB) *gorm.DB { return tx.Order("last_name") },
	} {
		out = append(out,
			bypass{"find by " + name, func(tx *gorm.DB, _ *models.Patient) (any, error) {
				var got []models.Patient
				err := narrow(tx).Find(&got).Error
				return len(got), err
			}},
			bypass{"ids by " + name, func(tx *gorm.DB, _ *models.Patient) (any, error) {
				var got []uuid.UUID
				err := narrow(patients(tx)).Pluck("id", &got).Error
				return got, err
			}},
			bypass{"preload by " + name, func(tx *gorm.DB, _ *models.Patient) (any, error) {
				return nil, tx.Preload("Patient", narrow).Find(&[]models.BlindIndex{}).Error
			}})
	}
	return append(out,
		bypass{"pluck as ids", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, patients(tx).Pluck("first_name", &[]uuid.UUID{}).Error
		}},
		bypass{"first or init, map", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, tx.Where(plain()).FirstOrInit(&models.Patient{}).Error
		}},
		bypass{"first or create, map", func(tx *gorm.DB, _ *models.Patient) (any, error) {
			return nil, tx.Where(plain()).FirstOrCreate(&models.Patient{}).Error
		}})
}

// Reading past the hooks fails, and nothing comes back.
func TestBypassedReadsFail(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		for _, ways := range [][]bypass{bypassedReads(), bypassedPartialReads(), bypassedConditions()} {
			for _, b := range ways {
				requireRefused(t, g, b, p)
			}
		}
		require.Equal(t, canary, p.FirstName.Plain())
	})
}

// requireRefused runs b and requires that it returns ErrBypass, gets nothing and changes nothing.
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

// token has the form of an index token.
const token = "bi1:00000000:email:00000000000000000000000000000000"

// another returns p as it was read, with the id of another row.
func another(tx *gorm.DB, p *models.Patient) (*models.Patient, error) {
	var ids []uuid.UUID
	err := patients(tx).Where("id <> ?", p.ID).Limit(1).Pluck("id", &ids).Error
	moved := *p
	moved.ID = ids[0]
	return &moved, err
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
		{"create an index row", func(tx *gorm.DB, p *models.Patient) (any, error) {
			return nil, tx.Create(&models.BlindIndex{Token: token, PatientID: p.ID}).Error
		}},
		{"save an index row", func(tx *gorm.DB, p *models.Patient) (any, error) {
			return nil, tx.Save(&models.BlindIndex{Token: token, PatientID: p.ID}).Error
		}},
		{"create in the index's table", func(tx *gorm.DB, p *models.Patient) (any, error) {
			return nil, tx.Table("blindindex").Create(map[string]any{"token": token, "patient_id": p.ID}).Error
		}},
		{"create with a relation of an index row", func(tx *gorm.DB, p *models.Patient) (any, error) {
			return nil, tx.Session(&gorm.Session{FullSaveAssociations: true}).Save(&models.BlindIndex{Token: token, PatientID: p.ID, Patient: p}).Error
		}},
		{"dry run", created(func(tx *gorm.DB) *gorm.DB { return tx.Session(&gorm.Session{DryRun: true}).Create(invented()) })},
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

func whole(tx *gorm.DB, p *models.Patient) *gorm.DB { return tx.Model(p).Select("*").Updates(p) }

func bypassedUpdates() []bypass {
	envelope := phi.Of(canary)
	changed := func(do func(tx *gorm.DB, p *models.Patient) *gorm.DB) func(*gorm.DB, *models.Patient) (any, error) {
		return func(tx *gorm.DB, p *models.Patient) (any, error) { return nil, do(tx, p).Error }
	}
	type change = func(tx *gorm.DB, p *models.Patient) *gorm.DB
	out := []bypass{
		{"generics update", func(tx *gorm.DB, p *models.Patient) (any, error) {
			_, err := gorm.G[models.Patient](tx).Where("id = ?", p.ID).Update(tx.Statement.Context, "active", false)
			return nil, err
		}},
		{"save another's id", func(tx *gorm.DB, p *models.Patient) (any, error) {
			moved, err := another(tx, p)
			return nil, errors.Join(err, tx.Save(moved).Error)
		}},
		{"updates of another's id", func(tx *gorm.DB, p *models.Patient) (any, error) {
			moved, err := another(tx, p)
			return nil, errors.Join(err, whole(tx, moved).Error)
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
		"dry run": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return whole(tx.Session(&gorm.Session{DryRun: true}), p)
		},
		"index row": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Model(&models.BlindIndex{}).Where("patient_id = ?", p.ID).Update("token", token)
		},
		"index table": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Table("blindindex").Where("patient_id = ?", p.ID).Update("token", token)
		},
		"exec on the index": func(tx *gorm.DB, _ *models.Patient) *gorm.DB {
			return tx.Exec("UPDATE blindindex SET token = ?", token)
		},
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
		"dry run": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Session(&gorm.Session{DryRun: true}).Delete(p)
		},
		"index rows": func(tx *gorm.DB, p *models.Patient) *gorm.DB {
			return tx.Where("patient_id = ?", p.ID).Delete(&models.BlindIndex{})
		},
		"index table":       func(tx *gorm.DB, _ *models.Patient) *gorm.DB { return tx.Table("blindindex").Where("true").Delete(nil) },
		"exec on the index": func(tx *gorm.DB, _ *models.Patient) *gorm.DB { return tx.Exec("DELETE FROM blindindex") },
		"log":               func(tx *gorm.DB, _ *models.Patient) *gorm.DB { return tx.Where("true").Delete(&models.AuditLog{}) },
	} {
		out = append(out, bypass{"delete " + name, func(tx *gorm.DB, p *models.Patient) (any, error) { return nil, do(tx, p).Error }})
	}
	return append(out,
		bypass{"generics delete", func(tx *gorm.DB, p *models.Patient) (any, error) {
			_, err := gorm.G[models.Patient](tx).Where("id = ?", p.ID).Delete(tx.Statement.Context)
			return nil, err
		}},
		bypass{"delete another's id", func(tx *gorm.DB, p *models.Patient) (any, error) {
			moved, err := another(tx, p)
			return nil, errors.Join(err, tx.Delete(moved).Error)
		}})
}

// bypassedElsewhere change another table using values of a sealed one.
func bypassedElsewhere() []bypass {
	backups := func(tx *gorm.DB) *gorm.DB { return tx.Model(&models.Backup{}).Where("true") }
	names := func(tx *gorm.DB) clause.Expr {
		array := map[string]string{"postgres": "json_build_array", "sqlite": "json_array"}[tx.Name()]
		return gorm.Expr("(SELECT " + array + "(first_name) FROM patient LIMIT 1)")
	}
	var out []bypass
	for name, do := range map[string]func(tx *gorm.DB) *gorm.DB{
		"update to an expression": func(tx *gorm.DB) *gorm.DB { return backups(tx).Update("key_ids", names(tx)) },
		"update column likewise":  func(tx *gorm.DB) *gorm.DB { return backups(tx).UpdateColumn("key_ids", names(tx)) },
		"update to a map":         func(tx *gorm.DB) *gorm.DB { return backups(tx).Updates(map[string]any{"key_ids": names(tx)}) },
		"update by a condition": func(tx *gorm.DB) *gorm.DB {
			return backups(tx).Where("EXISTS (SELECT 1 FROM patient WHERE active)").Update("key_ids", "[]")
		},
		"update to index tokens": func(tx *gorm.DB) *gorm.DB {
			return backups(tx).Update("key_ids", gorm.Expr("(SELECT token FROM blindindex LIMIT 1)"))
		},
		"update to a subquery": func(tx *gorm.DB) *gorm.DB {
			return backups(tx).Updates(map[string]any{"key_ids": patients(tx).Select("first_name").Limit(1)})
		},
		"update where a subquery": func(tx *gorm.DB) *gorm.DB {
			return backups(tx).Where("id NOT IN (?)", patients(tx).Select("first_name")).Update("key_ids", "[]")
		},
		"delete where a subquery": func(tx *gorm.DB) *gorm.DB {
			return tx.Where("id NOT IN (?)", patients(tx).Select("first_name")).Delete(&models.Backup{})
		},
		"delete by a condition": func(tx *gorm.DB) *gorm.DB {
			return tx.Where("EXISTS (SELECT 1 FROM patient WHERE active)").Delete(&models.Backup{})
		},
		"create from a map": func(tx *gorm.DB) *gorm.DB {
			return tx.Model(&models.Backup{}).Create(map[string]any{"id": uuid.New(), "retained_until": "2030-01-01", "key_ids": names(tx)})
		},
		"create in a table": func(tx *gorm.DB) *gorm.DB {
			return tx.Table("backup").Create(map[string]any{"id": uuid.New(), "retained_until": "2030-01-01", "key_ids": names(tx)})
		},
		"update that returns": func(tx *gorm.DB) *gorm.DB {
			return backups(tx.Clauses(returning)).Update("retained_until", "2031-01-01")
		},
		"delete that returns": func(tx *gorm.DB) *gorm.DB { return backups(tx.Clauses(returning)).Delete(&[]models.Backup{}) },
		"create that returns": func(tx *gorm.DB) *gorm.DB { return tx.Clauses(returning).Create(&models.Backup{KeyIDs: []string{}}) },
		"create or else update": func(tx *gorm.DB) *gorm.DB {
			var present models.Backup
			otherwise := clause.Assignments(map[string]any{"key_ids": names(tx)})
			return tx.Take(&present).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: otherwise}).Create(&present)
		},
	} {
		out = append(out, bypass{name, func(tx *gorm.DB, _ *models.Patient) (any, error) {
			done := do(tx)
			return done.Statement.Dest, done.Error
		}})
	}
	return out
}

var returning = clause.Returning{Columns: []clause.Column{{Name: "(SELECT first_name FROM patient LIMIT 1) AS key_ids", Raw: true}}}

// bypassedTransactions undo a part of a transaction, or end it, while its events stay.
func bypassedTransactions() []bypass {
	undone := errors.New("undone")
	var out []bypass
	for name, do := range map[string]func(tx *gorm.DB, p *models.Patient) error{
		"nested transaction": func(tx *gorm.DB, p *models.Patient) error {
			changed := *p
			changed.FirstName = phi.Of("Never")
			return tx.Transaction(func(tx *gorm.DB) error { return errors.Join(whole(tx, &changed).Error, undone) })
		},
		"savepoint":            func(tx *gorm.DB, _ *models.Patient) error { return tx.SavePoint("here").Error },
		"rollback to":          func(tx *gorm.DB, _ *models.Patient) error { return tx.RollbackTo("here").Error },
		"exec savepoint":       func(tx *gorm.DB, _ *models.Patient) error { return tx.Exec("SAVEPOINT here").Error },
		"exec rollback to":     func(tx *gorm.DB, _ *models.Patient) error { return tx.Exec("rollback to here").Error },
		"exec rollback":        func(tx *gorm.DB, _ *models.Patient) error { return tx.Exec("ROLLBACK").Error },
		"exec commit":          func(tx *gorm.DB, _ *models.Patient) error { return tx.Exec(" COMMIT").Error },
		"exec after something": func(tx *gorm.DB, _ *models.Patient) error { return tx.Exec("SELECT 1; COMMIT").Error },
	} {
		out = append(out, bypass{name, func(tx *gorm.DB, p *models.Patient) (any, error) { return nil, do(tx, p) }})
	}
	return out
}

// Changing past the hooks fails, writes nothing and leaves the struct as it was.
func TestBypassedChangesFail(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		g.loaded(t) // another row, which must stay unchanged
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Create(&models.Backup{KeyIDs: []string{"a"}}).Error })))
		for _, ways := range [][]bypass{bypassedCreates(), bypassedUpdates(), bypassedDeletes(), bypassedElsewhere(), bypassedTransactions()} {
			for _, b := range ways {
				requireRefused(t, g, b, p)
				require.Equal(t, int64(1), p.Version, b.name)
				require.Equal(t, canary, p.FirstName.Plain(), b.name)
			}
		}
	})
}
