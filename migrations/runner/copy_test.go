package runner_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/migrations/runner"
)

func TestSQLiteKeepsACopyOfWhatItStartsFrom(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptySQLite(t)
	db := dbtest.Open(t, url)
	folder := filepath.Dir(strings.TrimPrefix(url, "sqlite://"))
	copies := func() []string {
		found, err := filepath.Glob(filepath.Join(folder, "*.before-*"))
		require.NoError(t, err)
		return found
	}
	_, err := newRunner(t, db, v1).Up(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, copies(), "there was nothing to copy")

	_, err = newRunner(t, db, v3).Up(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, copies(), 1, "one for a run")
	path := filepath.Join(folder, "novamind.db.before-0002_more")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	before := dbtest.Open(t, "sqlite://"+path)
	require.EqualValues(t, 1, count(t, before, "a"))
	require.False(t, before.Migrator().HasTable("b"))
}

// The copy of the database before up is still there after down and another up.
func TestSQLiteOverwritesNoCopy(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptySQLite(t)
	db := dbtest.Open(t, url)
	_, err := newRunner(t, db, v1).Up(t.Context(), "")
	require.NoError(t, err)
	r := newRunnerWith(t, db, v2, map[string]string{"0002_more": "DROP TABLE b; DELETE FROM a WHERE id = 2;"})
	_, err = r.Up(t.Context(), "")
	require.NoError(t, err)
	path := strings.TrimPrefix(url, "sqlite://")
	first, err := os.ReadFile(path + ".before-0002_more")
	require.NoError(t, err)
	_, err = r.DownBy(t.Context(), 1)
	require.NoError(t, err)
	_, err = r.Up(t.Context(), "")
	require.NoError(t, err)

	still, err := os.ReadFile(path + ".before-0002_more")
	require.NoError(t, err)
	require.True(t, bytes.Equal(first, still))
	require.True(t, dbtest.Open(t, "sqlite://"+path+".before-0002_more.2").Migrator().HasTable("b"))
	require.False(t, dbtest.Open(t, "sqlite://"+path+".before-0002_more.3").Migrator().HasTable("b"))
	copies, err := runner.Copies(path)
	require.NoError(t, err)
	require.Len(t, copies, 3)
}

func TestSQLiteRunsNothingWhereNoCopyCanBeMade(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptySQLite(t)
	db := dbtest.Open(t, url)
	_, err := newRunner(t, db, v1).Up(t.Context(), "")
	require.NoError(t, err)
	// A folder takes the place of the copy.
	place := strings.TrimPrefix(url, "sqlite://") + ".before-0002_more.unfinished"
	require.NoError(t, os.MkdirAll(filepath.Join(place, "full"), 0o700))
	done, err := newRunner(t, db, v2).Up(t.Context(), "")
	require.ErrorContains(t, err, "the copy before migration 0002_more")
	require.Empty(t, done)
	require.False(t, db.Migrator().HasTable("b"))
}

func TestSQLiteKeepsTheNewestCopies(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptySQLite(t)
	db := dbtest.Open(t, url)
	_, err := newRunner(t, db, v1).Up(t.Context(), "")
	require.NoError(t, err)
	path := strings.TrimPrefix(url, "sqlite://")
	for i := range runner.KeptCopies + 2 {
		old := fmt.Sprintf("%s.before-000%d_old", path, i)
		require.NoError(t, os.WriteFile(old, nil, 0o600))
		made := time.Now().Add(-time.Duration(i+1) * time.Hour)
		require.NoError(t, os.Chtimes(old, made, made))
	}
	apart := path + "-other.before-0001_old"
	require.NoError(t, os.WriteFile(apart, nil, 0o600))
	_, err = newRunner(t, db, v3).Up(t.Context(), "")
	require.NoError(t, err)
	copies, err := runner.Copies(path)
	require.NoError(t, err)
	require.Equal(t, []string{
		path + ".before-0002_more", path + ".before-0000_old", path + ".before-0001_old", path + ".before-0002_old", path + ".before-0003_old",
	}, copies)
	require.FileExists(t, apart)
}
