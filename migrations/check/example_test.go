package check_test

import (
	"log/slog"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
)

var example = regexp.MustCompile("(?s)```sql\n-- (\\w+)\\.postgres\\.(up|down)\\.sql\n(.*?)```")

// documented returns the versions of the rename in docs/migrations.md, in their order.
func documented(t *testing.T) []migrations.Migration {
	t.Helper()
	text, err := os.ReadFile("../../docs/migrations.md")
	require.NoError(t, err)
	var found []migrations.Migration
	for _, part := range example.FindAllStringSubmatch(string(text), -1) {
		id, direction, sql := part[1], part[2], part[3]
		if direction == "up" {
			found = append(found, migrationtest.Migration(id, sql))
		} else {
			require.Equal(t, id, found[len(found)-1].ID)
			found[len(found)-1].Down = sql
		}
	}
	return found
}

// The rename in docs/migrations.md works, with statements of the old and of the new release after each step.
func TestTheDocumentedRenameNeedsNoDowntime(t *testing.T) {
	t.Parallel()
	steps := documented(t)
	require.Len(t, steps, 3)
	db := dbtest.Open(t, dbtest.Postgres(t))
	set, err := migrations.Embedded(migrations.Postgres)
	require.NoError(t, err)
	set.Migrations = append(set.Migrations, steps...)
	r, err := runner.New(db, set, runner.Program{Rows: runner.MadeUpRows}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)

	const old, now = "retained_until", "kept_until"
	write(t, db, old, "old") // before the migration
	require.NoError(t, db.Exec(`INSERT INTO backup (id, key_ids, retained_until) SELECT gen_random_uuid(), '[]', now() FROM generate_series(1, 2500)`).Error)
	for range 2 { // up, down and up again
		for _, m := range steps[:2] {
			_, err = r.Up(t.Context(), m.ID)
			require.NoError(t, err)
			write(t, db, old, m.ID+" old")
			require.True(t, holds(t, db, now, m.ID+" old", m.ID+" old"))
			write(t, db, now, m.ID+" new")
			require.True(t, holds(t, db, old, m.ID+" new", m.ID+" new"))
			change(t, db, old, m.ID+" old", "changed by old")
			require.True(t, holds(t, db, now, m.ID+" old", "changed by old"))
			change(t, db, now, m.ID+" new", "changed by new")
			require.True(t, holds(t, db, old, m.ID+" new", "changed by new"))
		}
		require.True(t, holds(t, db, now, "old", "old"))
		_, err = r.Up(t.Context(), "")
		require.NoError(t, err)
		require.False(t, db.Migrator().HasColumn("backup", old))
		write(t, db, now, "alone")
		_, err = r.DownBy(t.Context(), 3)
		require.NoError(t, err)
		require.True(t, holds(t, db, old, "alone", "alone"))
		require.NoError(t, db.Exec(`DELETE FROM backup WHERE key_ids <> '"old"'`).Error)
	}
}

// at is the SQL for a time made from a text.
const at = "to_timestamp(abs(hashtext(?)))"

// write adds a backup that is identified by a text, in the way of a release with this name of the column.
func write(t *testing.T, db *gorm.DB, column, text string) {
	t.Helper()
	require.NoError(t, db.Exec("INSERT INTO backup (id, key_ids, "+column+") VALUES (gen_random_uuid(), to_jsonb(?::text), "+at+")", text, text).Error)
}

// holds reports whether a backup's column has the time made from a text.
func holds(t *testing.T, db *gorm.DB, column, backup, text string) (ok bool) {
	t.Helper()
	require.NoError(t, db.Raw("SELECT "+column+" = "+at+" FROM backup WHERE key_ids = to_jsonb(?::text)", text, backup).Scan(&ok).Error)
	return ok
}

func change(t *testing.T, db *gorm.DB, column, backup, text string) {
	t.Helper()
	require.NoError(t, db.Exec("UPDATE backup SET "+column+" = "+at+" WHERE key_ids = to_jsonb(?::text)", text, backup).Error)
}
