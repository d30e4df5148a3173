package models_test

import (
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

// A removed row does not come back, whatever its struct is used for.
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

// Every Save seals the plain values anew, so nothing is sealed twice, and no sealed text outlives its version.
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

// What a struct held before a read is not taken for what the read gave.
func TestStructsThatAreUsedAgain(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		good, bad := g.loaded(t), g.loaded(t)
		require.NoError(t, g.sql.Exec("UPDATE patient SET first_name = last_name WHERE id = ?", bad.ID).Error)
		var p models.Patient
		take := func(id uuid.UUID) error {
			p.ID = uuid.Nil // GORM makes a condition of it
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
