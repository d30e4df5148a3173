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

// documented returns the versions of the rename in docs/migrations.md, each before the next.
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

// The rename in docs/migrations.md, with statements of the old and of the new release after each step.
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

	write(t, db, "name", "old") // before the migration
	for i := 1; i <= 2500; i++ {
		require.NoError(t, db.Exec(`INSERT INTO account (id, email, name, roles, password_hash, must_change_password, disabled)
			VALUES (gen_random_uuid(), gen_random_uuid(), 'Somebody', '[]', '-', false, false)`).Error)
	}
	for range 2 { // up, down and up again
		for _, m := range steps[:2] {
			_, err = r.Up(t.Context(), m.ID)
			require.NoError(t, err)
			write(t, db, "name", m.ID+" old")
			require.Equal(t, m.ID+" old", read(t, db, "display_name", m.ID+" old"))
			write(t, db, "display_name", m.ID+" new")
			require.Equal(t, m.ID+" new", read(t, db, "name", m.ID+" new"))
			change(t, db, "name", m.ID+" old", "changed by old")
			require.Equal(t, "changed by old", read(t, db, "display_name", m.ID+" old"))
			change(t, db, "display_name", m.ID+" new", "changed by new")
			require.Equal(t, "changed by new", read(t, db, "name", m.ID+" new"))
		}
		require.Equal(t, "old", read(t, db, "display_name", "old"))
		_, err = r.Up(t.Context(), "")
		require.NoError(t, err)
		require.False(t, db.Migrator().HasColumn("account", "name"))
		write(t, db, "display_name", "alone")
		_, err = r.DownBy(t.Context(), 3)
		require.NoError(t, err)
		require.Equal(t, "alone", read(t, db, "name", "alone"))
		require.NoError(t, db.Exec("DELETE FROM account WHERE email <> 'old'").Error)
	}
}

// write adds an account as a release does that calls its name so.
func write(t *testing.T, db *gorm.DB, column, value string) {
	t.Helper()
	require.NoError(t, db.Exec("INSERT INTO account (id, email, "+column+`, roles, password_hash, must_change_password, disabled)
		VALUES (gen_random_uuid(), ?, ?, '[]', '-', false, false)`, value, value).Error)
}

func read(t *testing.T, db *gorm.DB, column, email string) (value string) {
	t.Helper()
	require.NoError(t, db.Raw("SELECT "+column+" FROM account WHERE email = ?", email).Scan(&value).Error)
	return value
}

func change(t *testing.T, db *gorm.DB, column, email, value string) {
	t.Helper()
	require.NoError(t, db.Exec("UPDATE account SET "+column+" = ? WHERE email = ?", value, email).Error)
}
