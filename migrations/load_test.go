package migrations_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"novamind/internal/migrationtest"
	"novamind/migrations"
)

func TestEmbeddedMatchesItsSums(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
		set, err := migrations.Embedded(engine)
		require.NoError(t, err)
		require.NotEmpty(t, set.Migrations)
		require.Equal(t, "0001_initial", set.Migrations[0].ID)
	}
}

func TestLoadOrdersVersionsAsNumbers(t *testing.T) {
	t.Parallel()
	fsys := migrationtest.Folder(t, map[string]string{"10000_late": "late", "9999_early": "early", "0001_initial": "first ? @x"})
	set, err := migrations.Load(fsys, migrations.SQLite)
	require.NoError(t, err)
	require.Len(t, set.Migrations, 3)
	require.Equal(t, migrations.Migration{
		Version: "0001", Name: "initial", ID: "0001_initial", Up: "first ? @x", Down: "SELECT 'down';",
		Checksum: "73d11263118cbb42c03e9e226118e6b3aafac6e1a8afb8017986b87f69280f46",
	}, set.Migrations[0])
	require.Equal(t, "9999_early", set.Migrations[1].ID)
	require.Equal(t, "10000_late", set.Migrations[2].ID)
}

func TestLoadRefusesWhatIsNotFrozen(t *testing.T) {
	t.Parallel()
	const file = "0002_more.sqlite.up.sql"
	for what, change := range map[string]func(fstest.MapFS){
		"was edited":    func(f fstest.MapFS) { f[file] = &fstest.MapFile{Data: []byte("SELECT 3;")} },
		"is missing":    func(f fstest.MapFS) { delete(f, file) },
		"is not listed": func(f fstest.MapFS) { maps.Copy(f, summedWithout(t, f, file)) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			fsys := migrationtest.Folder(t, map[string]string{"0001_initial": "SELECT 1;", "0002_more": "SELECT 2;"})
			change(fsys)
			for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
				_, err := migrations.Load(fsys, engine)
				require.ErrorIs(t, err, migrations.ErrSums)
				require.ErrorContains(t, err, file+" "+what)
			}
		})
	}
}

// summedWithout returns fsys with sums that omit file.
func summedWithout(t *testing.T, fsys fstest.MapFS, file string) fstest.MapFS {
	t.Helper()
	without := maps.Clone(fsys)
	delete(without, file)
	return migrationtest.Summed(t, without)
}

func TestLoadRefusesIncompleteAndUnreadableNames(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"no direction":             "0002_more.sqlite.sql",
		"unknown engine":           "0002_more.mysql.up.sql",
		"short version":            "002_more.sqlite.up.sql",
		"the other files missing":  "0002_more.sqlite.up.sql",
		"a second name":            "0001_other.sqlite.up.sql",
		"the same number, longer":  "00001_initial.sqlite.up.sql",
		"capitals in the name":     "0002_More.sqlite.up.sql",
		"something that is no SQL": "readme.sql",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := migrationtest.Folder(t, map[string]string{"0001_initial": "SELECT 1;"})
			fsys[file] = &fstest.MapFile{Data: []byte("SELECT 1;")}
			_, err := migrations.Load(migrationtest.Summed(t, fsys), migrations.SQLite)
			require.ErrorContains(t, err, file[:7])
		})
	}
}

func TestLoadRefusesAnotherEngine(t *testing.T) {
	t.Parallel()
	_, err := migrations.Load(migrationtest.Folder(t, nil), "mysql")
	require.ErrorContains(t, err, "mysql")
}

func TestWriteSumsMakesAFolderLoadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, file := range migrationtest.Folder(t, map[string]string{"0001_initial": "SELECT 1;"}) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), file.Data, 0o600))
	}
	added := filepath.Join(dir, "0001_initial.sqlite.up.sql")
	require.NoError(t, os.WriteFile(added, []byte("SELECT 2;"), 0o600))
	_, err := migrations.Load(os.DirFS(dir), migrations.SQLite)
	require.ErrorIs(t, err, migrations.ErrSums)

	require.NoError(t, migrations.WriteSums(dir))
	_, err = migrations.Load(os.DirFS(dir), migrations.SQLite)
	require.NoError(t, err)
}
