package faults

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
)

// Resealing that was killed continues from its last batch while the server works, and loses nothing.
func TestKilledResealing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		in := newInstallation(t, url)
		s := in.serve()
		db := dbtest.Open(t, url)
		for range 250 { // more than one batch
			require.Equal(t, http.StatusCreated, s.do("POST", "/api/v1/patients", somebody, nil))
		}
		old := in.primary("data")
		in.run("keys", "rotate", "--dek")
		l := writing(s)
		for range rounds {
			cmd, output := in.command("keys", "reseal", "--rate", "100")
			require.NoError(t, cmd.Start())
			before := under(t, db, old)
			require.Eventually(t, func() bool { return under(t, db, old) < before || before == 0 }, time.Minute, 10*time.Millisecond)
			_ = cmd.Process.Signal(syscall.SIGKILL) // unless it has ended already
			requireKilled(t, cmd, output)
		}
		l.end()
		require.Empty(t, l.refused, "a request failed")
		in.run("keys", "reseal")
		require.Zero(t, under(t, db, old))
		in.run("keys", "retire", old)
		requireKept(s, l, db)
		requirePaired(s, db)
		s.stop(syscall.SIGTERM)
		requireSound(in, db)
		var failures []string
		require.NoError(t, db.Raw("SELECT origin || ' ' || action || ' ' || coalesce(details, '') FROM auditlog WHERE outcome <> 'success'").Scan(&failures).Error)
		require.Empty(t, failures)
	})
}

// requireKilled waits for a command, and fails if it ended by itself with an error.
func requireKilled(t *testing.T, cmd *exec.Cmd, output string) {
	t.Helper()
	if cmd.Wait() == nil {
		return // it has ended already
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok && status.Signaled(), "the command failed:\n%s", read(t, output))
}

// under returns the number of first names that are sealed under a key.
func under(t *testing.T, db *gorm.DB, keyID string) (n int) {
	t.Helper()
	require.NoError(t, db.Raw("SELECT count(*) FROM patient WHERE substr(first_name, 6, 8) = ?", keyID).Scan(&n).Error)
	return n
}

// primary returns the key that seals new values of a purpose.
func (i *installation) primary(purpose string) string {
	i.t.Helper()
	var status struct {
		Keys []struct{ ID, Purpose, State string }
	}
	_, printed, found := strings.Cut(i.run("--json", "keys", "status"), "{\n") // after the log lines
	require.True(i.t, found)
	require.NoError(i.t, json.Unmarshal([]byte("{"+printed), &status), printed)
	for _, key := range status.Keys {
		if key.Purpose == purpose && key.State == "primary" {
			return key.ID
		}
	}
	require.Fail(i.t, "there is no primary key")
	return ""
}
