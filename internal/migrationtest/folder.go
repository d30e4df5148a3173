// Package migrationtest makes folders of migrations for tests.
package migrationtest

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"novamind/migrations"
)

// Folder returns a file system with each id's SQL on both engines, and the sums.
func Folder(tb testing.TB, scripts map[string]string) fstest.MapFS {
	tb.Helper()
	fsys := fstest.MapFS{}
	for id, sql := range scripts {
		for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
			fsys[id+"."+engine+".up.sql"] = &fstest.MapFile{Data: []byte(sql)}
			fsys[id+"."+engine+".down.sql"] = &fstest.MapFile{Data: []byte("SELECT 'down';")}
		}
	}
	return Summed(tb, fsys)
}

// Summed returns fsys with its sums as they should be.
func Summed(tb testing.TB, fsys fstest.MapFS) fstest.MapFS {
	tb.Helper()
	sums, err := migrations.Sums(fsys)
	require.NoError(tb, err)
	fsys[migrations.SumsFile] = &fstest.MapFile{Data: sums}
	return fsys
}
