// Package migrationtest makes folders of migrations for tests.
package migrationtest

import (
	"crypto/sha256"
	"fmt"
	"strings"
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

// Migration returns a version that is in no folder, with nothing to undo it.
func Migration(id, up string) migrations.Migration {
	number, name, _ := strings.Cut(id, "_")
	return migrations.Migration{Version: number, Name: name, ID: id, Up: up, Down: "SELECT 1;", Checksum: fmt.Sprintf("%x", sha256.Sum256([]byte(up)))}
}
