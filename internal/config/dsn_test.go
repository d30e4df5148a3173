package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDSNNormalise(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ from, to DSN }{
		{"sqlite://data/novamind.db", "sqlite://data/novamind.db"},
		{"sqlite://./a//b.db", "sqlite://a/b.db"},
		{"sqlite:///tmp/x.db", "sqlite:///tmp/x.db"},
		{"sqlite:////tmp/x.db", "sqlite:///tmp/x.db"},
		{"sqlite://50%25#1.db", "sqlite://50%25#1.db"},
		{"sqlite+aiosqlite:///x.db", "sqlite://x.db"},
		{"sqlite+aiosqlite:////tmp/x.db", "sqlite:///tmp/x.db"},
		{"postgres://u@h/db?sslmode=disable", "postgres://u@h/db?sslmode=disable"},
		{"postgresql://h1:1,h2:2/db", "postgres://h1:1,h2:2/db"},
		{"postgresql+asyncpg://u:p@h/db", "postgres://u:p@h/db"},
		{"postgresql+asyncpg://h/db?a=1&ssl=verify-full", "postgres://h/db?a=1&sslmode=verify-full"},
	} {
		got, err := test.from.normalise()
		require.NoError(t, err, test.from)
		require.Equal(t, string(test.to), string(got))
		again, err := got.normalise()
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	}
}

func TestDSNNormaliseRefuses(t *testing.T) {
	t.Parallel()
	for _, d := range []DSN{
		"", "data/novamind.db", "sqlite:data.db", "sqlite://", "sqlite://data/", "sqlite://:memory:", "sqlite://file:x.db",
		"sqlite://x.db?mode=ro", "sqlite+aiosqlite://", "sqlite+aiosqlite://x.db", "sqlite+aiosqlite:///",
		"SQLITE://x.db", "mysql://h/db", "postgresql+psycopg2://h/db", "host=localhost dbname=x",
	} {
		_, err := d.normalise()
		require.Error(t, err, string(d))
	}
}

func TestDSNHasPassword(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[DSN]bool{
		"postgres://u:p@h/db":                       true,
		"postgresql+asyncpg://u:p@h1:1,h2:2/db":     true,
		"postgres://u:p/q@h/db":                     true,
		"postgres://h/db?user=u&password=p":         true,
		"postgres://h/db?sslpassword=p":             true,
		"postgres://h/db?p%61ssword=p":              true,
		"postgres://u@h:5432/db?sslmode=disable":    false,
		"postgres://u:@h/db":                        false,
		"postgres://h:5432/db?application_name=x@y": false,
		"postgres:///db?host=/run/postgresql":       false,
		"sqlite://data/novamind.db":                 false,
	} {
		require.Equal(t, want, dsn.hasPassword(), string(dsn))
	}
}

func TestDSNRedacted(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[DSN]string{
		"":                                        "",
		"sqlite://data/x.db":                      "sqlite://data/x.db",
		"postgres://h1:1,h2:2/db?sslmode=x":       "postgres://h1:1,h2:2/db",
		"postgres://u:" + canary + "@h/db?a=1":    "postgres://[redacted]@h/db",
		"postgres://u:a@" + canary + "@h/db":      "postgres://[redacted]@h/db",
		"postgres://u:a/" + canary + "@h/db":      "postgres://[redacted]@h/db",
		"postgres://u:a?" + canary + "@h/db":      "[redacted]",
		"postgres://h/db?password=" + canary:      "postgres://h/db",
		"host=h password=" + canary:               "[redacted]",
		"postgres://u:p@h/db?password=@" + canary: "[redacted]",
	} {
		require.Equal(t, want, dsn.Redacted())
	}
}

func TestDSNRedactedNeverHoldsThePassword(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		around := rapid.StringMatching(`[a-z:/?#@&=%]{0,6}`)
		password := around.Draw(t, "before") + canary + around.Draw(t, "after")
		dsn := DSN("postgres://u:" + password + "@h/db")
		require.NotContains(t, dsn.Redacted(), canary)
	})
}

func TestConfigPrintsWithoutSecrets(t *testing.T) {
	t.Parallel()
	cfg := Default()
	cfg.Database.URL = "postgres://u:" + canary + "@h/db"
	cfg.Database.MigrateURL = "postgres://h/db?password=" + canary

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", *cfg)
		fmt.Fprintf(&out, verb+"\n", cfg)
		fmt.Fprintf(&out, verb+"\n", cfg.Database.URL)
	}
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))} {
		logger.Info("loaded", "config", cfg, "url", cfg.Database.URL)
	}
	require.NoError(t, json.NewEncoder(&out).Encode(cfg))

	require.NotContains(t, out.String(), canary)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", canary))
	require.Contains(t, out.String(), "postgres://[redacted]@h/db")
}
