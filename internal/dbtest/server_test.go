package dbtest_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
)

func TestServerKeepsItsDataWhenKilled(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t, dbtest.Options{Fsync: true})
	db := dbtest.Open(t, server.URL())
	var fsync string
	require.NoError(t, db.Raw("SHOW fsync").Scan(&fsync).Error)
	require.Equal(t, "on", fsync)
	require.NoError(t, db.Exec("CREATE TABLE kept (id int)").Error)

	server.Kill(t)
	require.Error(t, db.Exec("SELECT 1").Error)
	server.Start(t)
	require.True(t, dbtest.Open(t, server.URL()).Migrator().HasTable("kept"))
}

// childOf makes the test binary start a server, print its socket folder and wait to be killed.
const childOf = "NOVAMIND_TEST_CHILD"

func TestServerEndsWithAKilledTestProcess(t *testing.T) {
	if os.Getenv(childOf) != "" {
		server := dbtest.NewServer(t, dbtest.Options{})
		_, err := os.Stdout.WriteString("folder " + server.Dir() + "\n")
		require.NoError(t, err)
		time.Sleep(time.Minute)
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("-short runs SQLite alone")
	}
	child := exec.Command(os.Args[0], "-test.run=^TestServerEndsWithAKilledTestProcess$")
	child.Env = append(os.Environ(), childOf+"=1")
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	folder, found := strings.CutPrefix(strings.TrimSpace(line), "folder ")
	require.True(t, found)
	require.DirExists(t, folder)
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	require.Eventually(t, func() bool {
		_, err := os.Stat(folder)
		return os.IsNotExist(err)
	}, time.Minute, 20*time.Millisecond, "the server outlives its test process")
}
