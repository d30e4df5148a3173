package models_test

import (
	"database/sql/driver"
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

func rename(tx *gorm.DB, p *models.Patient, name string) error {
	p.FirstName = phi.Of(name)
	return tx.Model(p).Select("*").Updates(p).Error
}

func TestFailedWritesLeaveTheStruct(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		current, stale := g.read(t, p), p
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error { return rename(tx, current, "Other") })))
		before := g.rows(t)
		for range 2 {
			require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return rename(tx, stale, "Mine") })), models.ErrStale)
			require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Save(stale).Error })), models.ErrStale)
			require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Delete(stale).Error })), models.ErrStale)
			require.Equal(t, "Mine", stale.FirstName.Plain())
			require.Equal(t, canary, stale.LastName.Plain())
			require.Equal(t, int64(1), stale.Version)
		}
		require.Equal(t, before, g.rows(t), "a stale change writes nothing")

		unread := invented()
		unread.ID, unread.Version = p.ID, 2
		require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return rename(tx, unread, "Mine") })), models.ErrNotLoaded)
		require.Equal(t, int64(2), unread.Version)

		twin := invented()
		twin.ID = p.ID
		require.Error(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Create(twin).Error })))
		require.Zero(t, twin.Version)
		require.Equal(t, canary, twin.FirstName.Plain())
		require.Equal(t, before, g.rows(t))
		twin.ID = uuid.Nil
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Create(twin).Error })), "it can be written after all")
		require.Equal(t, canary, g.read(t, twin).FirstName.Plain())
	})
}

func firstError(_ []audit.Event, err error) error { return err }

// A removed row does not come back through any use of its struct.
func TestRemovedRowsStayAway(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Delete(p).Error })))
		require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Save(p).Error })), models.ErrStale)
		require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Create(p).Error })), models.ErrBypass)
		require.Empty(t, g.rows(t)["patient"])
		require.Empty(t, g.rows(t)["blindindex"])
	})
}

// rolledBack is guarded.unit, but rolls back in the end.
func (g guarded) rolledBack(t *testing.T, work func(tx *gorm.DB) error) {
	t.Helper()
	ctx, unit, err := audit.Begin(audit.System(t.Context(), "test"))
	require.NoError(t, err)
	tx := g.db.WithContext(ctx).Begin()
	require.NoError(t, work(tx))
	require.NoError(t, tx.Rollback().Error)
	unit.Ended(false)
}

// A write that was rolled back can be repeated, as if it were the first time.
func TestRolledBackWritesCanBeRepeated(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		fresh, p := invented(), g.loaded(t)
		before := g.rows(t)
		for range 2 {
			g.rolledBack(t, func(tx *gorm.DB) error {
				if err := tx.Create(fresh).Error; err != nil {
					return err
				}
				return errors.Join(rename(tx, fresh, "First"), rename(tx, p, "Mine"), rename(tx, p, "Mine again"))
			})
			require.Equal(t, []int64{0, 1}, []int64{fresh.Version, p.Version})
			require.Equal(t, []string{"First", "Mine again"}, []string{fresh.FirstName.Plain(), p.FirstName.Plain()})
			require.Equal(t, before, g.rows(t))
		}
		events, err := g.unit(t, func(tx *gorm.DB) error { return errors.Join(tx.Create(fresh).Error, tx.Save(p).Error) })
		require.NoError(t, err)
		require.Equal(t, []string{audit.Create, audit.Update}, []string{events[0].Action, events[1].Action})
		require.Equal(t, []string{"first_name"}, events[1].Fields)
		require.Equal(t, []string{"First", "Mine again"}, []string{g.read(t, fresh).FirstName.Plain(), g.read(t, p).FirstName.Plain()})

		g.rolledBack(t, func(tx *gorm.DB) error {
			if err := rename(tx, p, "Never"); err != nil {
				return err
			}
			return tx.Take(p).Error
		})
		require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Save(p).Error })), models.ErrStale, "read from what was rolled back")
		p = g.read(t, p)
		g.rolledBack(t, func(tx *gorm.DB) error { return tx.Delete(p).Error })
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error { return rename(tx, p, "Still there") })))
	})
}

// A dry run leaves no event, and leaves the struct as it was.
func TestDryRunsChangeNothing(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		fresh, p := invented(), g.loaded(t)
		p.Active = false
		events, err := g.unit(t, func(tx *gorm.DB) error {
			for _, do := range []func(tx *gorm.DB) *gorm.DB{
				func(tx *gorm.DB) *gorm.DB { return tx.Create(fresh) },
				func(tx *gorm.DB) *gorm.DB { return tx.Save(p) },
				func(tx *gorm.DB) *gorm.DB { return tx.Delete(p) },
			} {
				require.Empty(t, tx.ToSQL(do))
			}
			return nil
		})
		require.NoError(t, err)
		require.Empty(t, events)
		events, err = g.unit(t, func(tx *gorm.DB) error { return errors.Join(tx.Create(fresh).Error, tx.Save(p).Error) })
		require.NoError(t, err)
		require.Len(t, events, 2)
		require.Equal(t, []int64{1, 2}, []int64{fresh.Version, p.Version})
	})
}

// A value that GORM fills in from a map is not a sealed value, and no reader gets it as one.
func TestMapsFillInNothingSealed(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		var p models.Patient
		filled := map[string]any{"first_name": canary, "contact_info": `{"phi":"` + canary + `"}`}
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error {
			return tx.Where("id = ?", uuid.New()).Attrs(filled).FirstOrInit(&p).Error
		})))
		for _, value := range []func() (driver.Value, error){p.FirstName.Value, p.ContactInfo.Value} {
			got, err := value()
			require.ErrorIs(t, err, phi.ErrUnreadable)
			require.Equal(t, phi.Redacted, got)
		}
		require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Create(&p).Error })), phi.ErrNotSealed)
	})
}

// A change repairs index rows that somebody else wrote or removed, and leaves an event about the repair.
func TestChangesMendTheIndex(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		sound := g.rows(t)["blindindex"]
		for name, alter := range map[string]func() error{
			"nothing": func() error { return nil },
			"removed": func() error { return g.sql.Exec("DELETE FROM blindindex").Error },
			"one removed": func() error {
				return g.sql.Exec("DELETE FROM blindindex WHERE token = (SELECT min(token) FROM blindindex)").Error
			},
			"changed": func() error {
				return g.sql.Exec("UPDATE blindindex SET token = ? WHERE token = (SELECT min(token) FROM blindindex)", token).Error
			},
			"added": func() error {
				return g.sql.Exec("INSERT INTO blindindex (token, patient_id) VALUES (?, ?)", token, p.ID.String()).Error
			},
		} {
			require.NoError(t, alter(), name)
			for _, found := range []bool{name != "nothing", false} {
				p.Active = !p.Active
				events, err := g.unit(t, func(tx *gorm.DB) error { return tx.Save(p).Error })
				require.NoError(t, err, name)
				require.Equal(t, sound, g.rows(t)["blindindex"], name)
				if found {
					require.Equal(t, audit.MendIndex, events[0].Action, name)
					require.Equal(t, p.ID, events[0].EntityID, name)
					require.NotEmpty(t, events[0].Details, name)
					events = events[1:]
				}
				require.Len(t, events, 1, name)
				require.Equal(t, audit.Update, events[0].Action, name)
			}
		}
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error { return rename(tx, p, "Other") })))
		changed := g.rows(t)["blindindex"]
		require.NotEqual(t, sound, changed)
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error { return rename(tx, p, canary) })))
		require.Equal(t, sound, g.rows(t)["blindindex"])
	})
}

// A row that can't be opened can be removed by a caller that tolerates it, and the event says so. The row can't be
// changed.
func TestUnreadableRowsCanBeRemoved(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		bad := g.loaded(t)
		require.NoError(t, g.sql.Exec("UPDATE patient SET first_name = last_name WHERE id = ?", bad.ID).Error)
		var p models.Patient
		events, err := g.unit(t, func(tx *gorm.DB) error {
			err := tx.WithContext(models.TolerateUnreadable(tx.Statement.Context)).Take(&p, "id = ?", bad.ID).Error
			require.NoError(t, err)
			require.True(t, p.Unreadable())
			require.ErrorIs(t, tx.Save(&p).Error, models.ErrNotLoaded)
			require.ErrorIs(t, tx.Create(&p).Error, models.ErrBypass)
			return tx.Delete(&p).Error
		})
		require.NoError(t, err)
		require.Equal(t, []string{audit.Purge, audit.Read}, []string{events[0].Action, events[1].Action})
		require.Equal(t, []string{"phi.unreadable", "phi.unreadable"}, []string{events[0].Details, events[1].Details})
		require.Empty(t, g.rows(t)["patient"])
	})
}

// The guard affects only its own tables: other tables can be changed by expressions with any parameters.
func TestOtherTablesChange(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error {
			backup := models.Backup{KeyIDs: []string{"patient", "blindindex", "SAVEPOINT"}}
			require.NoError(t, tx.Create(&backup).Error)
			for range 2 {
				kept := tx.Model(&backup).Where("id IN (SELECT id FROM backup)").Update("retained_until", gorm.Expr("CURRENT_TIMESTAMP"))
				require.NoError(t, kept.Error)
				require.Equal(t, int64(1), kept.RowsAffected)
			}
			return tx.Where("id = ?", backup.ID).Delete(&models.Backup{}).Error
		})))
	})
}

// Every Save seals the plain values anew. Nothing is sealed twice, and no sealed text outlives its version.
func TestRepeatedSaves(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := invented()
		var seen []any
		for version := range int64(4) {
			require.NoError(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Save(p).Error })))
			require.Equal(t, version+1, p.Version)
			rows := g.rows(t)["patient"]
			require.Len(t, rows, 1)
			require.False(t, slices.Contains(seen, rows[0]["first_name"]), "a sealed text is used again")
			seen = append(seen, rows[0]["first_name"])
			g.requireSealed(t)
			back := g.read(t, p)
			require.Equal(t, canary, back.FirstName.Plain())
			require.Equal(t, p.ContactInfo.Plain(), back.ContactInfo.Plain())
			require.True(t, back.Insurance.IsNull())
		}
	})
}

func TestChangesNameTheirFields(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		events, err := g.unit(t, func(tx *gorm.DB) error {
			p.Active = false
			p.Insurance = phi.JSONOf(models.Insurance{Provider: canary})
			return rename(tx, p, canary) // the same as before
		})
		require.NoError(t, err)
		require.Len(t, events, 1)
		require.ElementsMatch(t, []string{"active", "insurance"}, events[0].Fields)
	})
}

func TestNothingWithoutUnitActorOrTransaction(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		p := g.loaded(t)
		before := g.rows(t)
		for _, ctx := range []*gorm.DB{g.db, g.db.WithContext(audit.System(t.Context(), "test"))} {
			bare := ctx.Begin()
			require.ErrorIs(t, bare.Create(invented()).Error, audit.ErrOutsideUnit)
			require.ErrorIs(t, rename(bare, p, "Other"), audit.ErrOutsideUnit)
			require.ErrorIs(t, bare.Delete(p).Error, audit.ErrOutsideUnit)
			var got []models.Patient
			require.ErrorIs(t, bare.Find(&got).Error, audit.ErrOutsideUnit)
			require.Empty(t, got)
			require.NoError(t, bare.Commit().Error)
		}
		_, _, err := audit.Begin(t.Context())
		require.ErrorIs(t, err, audit.ErrNoActor)

		ctx, unit, err := audit.Begin(audit.System(t.Context(), "test"))
		require.NoError(t, err)
		pool := g.db.WithContext(ctx)
		require.ErrorIs(t, pool.Create(invented()).Error, models.ErrBypass, "its event could not commit with it")
		require.ErrorIs(t, rename(pool, p, "Other"), models.ErrBypass)
		require.ErrorIs(t, pool.Delete(p).Error, models.ErrBypass)
		require.True(t, unit.Untouched())
		require.Equal(t, before, g.rows(t))
	})
}

// The earlier content of a struct is not mistaken for the result of a read.
func TestStructsThatAreUsedAgain(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		good, bad := g.loaded(t), g.loaded(t)
		require.NoError(t, g.sql.Exec("UPDATE patient SET first_name = last_name WHERE id = ?", bad.ID).Error)
		var p models.Patient
		take := func(id uuid.UUID) error {
			p.ID = uuid.Nil // GORM would turn the id into a condition
			return firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Take(&p, "id = ?", id).Error }))
		}
		require.NoError(t, take(good.ID))
		require.ErrorIs(t, take(bad.ID), phi.ErrUnreadable)
		require.True(t, p.Unreadable())
		require.True(t, p.FirstName.IsNull() && p.LastName.IsNull() && p.ContactInfo.IsNull(), "something stays readable")
		require.ErrorIs(t, firstError(g.unit(t, func(tx *gorm.DB) error { return tx.Delete(&p).Error })), models.ErrBypass)

		require.NoError(t, take(good.ID))
		require.False(t, p.Unreadable())
		require.Equal(t, canary, p.FirstName.Plain())
	})
}
