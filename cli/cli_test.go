package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"novamind/internal/config"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"novamind": func() { os.Exit(Main()) }})
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	require.Equal(t, exitDone, exitStatus(nil))
	require.Equal(t, exitNo, exitStatus(errNo{"the log was tampered with"}))
	require.Equal(t, exitNo, exitStatus(fmt.Errorf("verify: %w", errNo{"tampered"})))
	require.Equal(t, exitFailed, exitStatus(errors.New("no connection")))
	require.Equal(t, exitFailed, exitStatus(context.Canceled))
}

func TestDiagnosisIsOneLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "first second", diagnosis(t.Context(), errors.New("first\n\tsecond\n")))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, "interrupted", diagnosis(ctx, fmt.Errorf("query: %w", context.Canceled)))
}

func TestGroupRefusesUnknownSubcommand(t *testing.T) {
	t.Parallel()
	leaf := &cobra.Command{Use: "verify", Run: func(*cobra.Command, []string) {}}
	inner, outer := &cobra.Command{Use: "audit"}, &cobra.Command{Use: "outer", SilenceErrors: true, SilenceUsage: true}
	inner.AddCommand(leaf)
	outer.AddCommand(inner)
	checkArguments(outer)
	outer.SetOut(io.Discard)

	for _, args := range [][]string{{}, {"audit"}, {"audit", "verify"}} {
		outer.SetArgs(args)
		require.NoError(t, outer.Execute(), args)
	}
	outer.SetArgs([]string{"audit", "verfy"})
	require.ErrorContains(t, outer.Execute(), `unknown command "verfy" for "outer audit": did you mean "verify"?`)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	inProcess.Lock() // the commands read their configuration from the environment
	defer inProcess.Unlock()
	file := filepath.Join(t.TempDir(), "clinic.yaml")
	text := "database:\n  allow_insecure: true\n  url: postgres://db.example/db\nlog:\n  level: warn\n  format: json\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	var stderr bytes.Buffer
	shared := &app{configFile: file, stderr: &stderr}

	cfg, logger, err := shared.load()
	require.NoError(t, err)
	require.True(t, cfg.Database.AllowInsecure)
	require.Contains(t, stderr.String(), `"level":"WARN"`)
	require.Contains(t, stderr.String(), "database.allow_insecure")

	again, _, err := shared.load()
	require.NoError(t, err)
	require.Same(t, cfg, again)
	logger.Info("not at this level")
	require.Equal(t, 1, strings.Count(stderr.String(), "\n"))

	_, _, err = (&app{configFile: file + ".missing", stderr: &stderr}).load()
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestLoggerFormats(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"auto": "level=INFO", "text": "level=INFO", "json": `"level":"INFO"`} {
		var out bytes.Buffer
		newLogger(&out, config.Log{Level: slog.LevelInfo, Format: format}).Info("started")
		require.Contains(t, out.String(), want)
	}
}

func TestBuildVersion(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	v := buildVersion(info)
	require.Equal(t, []string{"v1.2.3", "abc", "2026-01-02T03:04:05Z", "go1.26"}, []string{v.Version, v.Commit, v.Time, v.Go})
	require.True(t, v.Modified)
}
