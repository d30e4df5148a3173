package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// canary stands for a secret: no error may hold it.
const canary = "Tr0ub4dor"

// install puts the test into an empty folder with nothing set in the environment but env, and a config.yaml if file is
// not empty.
func install(t *testing.T, file string, env map[string]string) {
	t.Helper()
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, variablePrefix) || strings.HasPrefix(name, "PG") || aliases[name] != "" {
			t.Setenv(name, value) // restores it afterwards
			require.NoError(t, os.Unsetenv(name))
		}
	}
	t.Chdir(t.TempDir())
	t.Setenv("HOME", t.TempDir()) // no ~/.pg_service.conf, ~/.postgresql
	for name, value := range env {
		t.Setenv(name, value)
	}
	if file != "" {
		require.NoError(t, os.WriteFile(DefaultFile, []byte(file), 0o600))
	}
}

func TestLoadWithNothingSetIsTheDefault(t *testing.T) {
	install(t, "", map[string]string{"FERNET_KEY": canary})

	cfg, err := Load("")

	require.NoError(t, err)
	want := Default()
	want.Database.MigrateURL = want.Database.URL
	require.Equal(t, want, cfg)
	require.Empty(t, cfg.Warnings())
}

func TestLoadOrder(t *testing.T) {
	const file = "database:\n  url: sqlite://file.db\n  echo: false\n  max_open_conns: 3\nserver:\n  trusted_proxies: [10.0.0.1, 10.0.0.2]\n"
	for _, test := range []struct {
		name string
		env  map[string]string
		url  DSN
	}{
		{"the file wins over the defaults", nil, "sqlite://file.db"},
		{"an alias wins over the file", map[string]string{"DATABASE_URL": "sqlite://alias.db"}, "sqlite://alias.db"},
		{"an empty alias is none", map[string]string{"DATABASE_URL": ""}, "sqlite://file.db"},
		{"the key's own variable wins over the alias", map[string]string{
			"DATABASE_URL": "sqlite://alias.db", "NOVAMIND_DATABASE__URL": "sqlite://own.db",
		}, "sqlite://own.db"},
	} {
		t.Run(test.name, func(t *testing.T) {
			install(t, file, test.env)
			cfg, err := Load("")
			require.NoError(t, err)
			require.Equal(t, test.url, cfg.Database.URL)
			require.Equal(t, test.url, cfg.Database.MigrateURL)
			require.Equal(t, 3, cfg.Database.MaxOpenConns)
			require.True(t, cfg.Database.AutoMigrate)
			require.Equal(t, []string{"10.0.0.1", "10.0.0.2"}, cfg.Server.TrustedProxies)
		})
	}
}

func TestLoadTypesFromTheEnvironment(t *testing.T) {
	install(t, "server:\n  trusted_proxies: [10.0.0.1, 10.0.0.2]\n", map[string]string{
		"DB_ECHO":                              "True",
		"NOVAMIND_DATABASE__AUTO_MIGRATE":      "false",
		"NOVAMIND_DATABASE__MAX_OPEN_CONNS":    "7",
		"NOVAMIND_DATABASE__LOCK_TIMEOUT":      "0",
		"NOVAMIND_SERVER__MAX_BODY_BYTES":      "4096",
		"NOVAMIND_SERVER__TRUSTED_PROXIES":     "192.0.2.0/24, 2001:db8::1",
		"NOVAMIND_AUTH__SESSION_LIFETIME":      "90m",
		"NOVAMIND_AUTH__ARGON2__PASSES":        "5",
		"NOVAMIND_CLINIC__PHONE_REGION":        "NO",
		"NOVAMIND_LOG__LEVEL":                  "debug",
		"NOVAMIND_PHI__KEK":                    "env:NOVAMIND_CLINIC_KEK",
		"NOVAMIND_CLINIC_KEK":                  canary,
		"NOVAMIND_ADMIN_PASSWORD":              canary,
		"NOVAMIND_TEST_POSTGRES_URL":           canary,
		"NOVAMIND_DATABASE__STATEMENT_TIMEOUT": "1h",
	})

	cfg, err := Load("")

	require.NoError(t, err)
	require.True(t, cfg.Database.Echo)
	require.False(t, cfg.Database.AutoMigrate)
	require.Equal(t, 7, cfg.Database.MaxOpenConns)
	require.Zero(t, cfg.Database.LockTimeout)
	require.Equal(t, time.Hour, cfg.Database.StatementTimeout)
	require.EqualValues(t, 4096, cfg.Server.MaxBodyBytes)
	require.Equal(t, []string{"192.0.2.0/24", "2001:db8::1"}, cfg.Server.TrustedProxies)
	require.Equal(t, 90*time.Minute, cfg.Auth.SessionLifetime)
	require.Equal(t, 5, cfg.Auth.Argon2.Passes)
	require.Equal(t, "NO", cfg.Clinic.PhoneRegion)
	require.Equal(t, slog.LevelDebug, cfg.Log.Level)
}

func TestLoadNamedFile(t *testing.T) {
	install(t, "log:\n  level: error\n", nil)
	named := filepath.Join(t.TempDir(), "clinic.yaml")
	_, err := Load(named)
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.WriteFile(named, []byte("log:\n  level: warn\n"), 0o600))
	cfg, err := Load(named)
	require.NoError(t, err)
	require.Equal(t, slog.LevelWarn, cfg.Log.Level)

	require.NoError(t, os.WriteFile(named, []byte("log:\n  levell: warn\n"), 0o600))
	_, err = Load(named)
	require.ErrorContains(t, err, "log.levell (from "+named+")")
}

func TestLoadRefusesFile(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"unknown key", "database:\n  urll: " + canary, "database.urll (from config.yaml): no such key"},
		{"unknown section", "log:\n  level: info\n" + canary + "y:\n  url: x", "config.yaml: line 3 has a key that there is not"},
		{"sentence", "Dear colleague " + canary + ": read this", "config.yaml: line 1 has a key that there is not"},
		{"sentence in a section", "database:\n  # a comment\n  the password is " + canary + ": yes", "config.yaml: line 3 has a key that there is not"},
		{"lines of text", "Notes\n" + canary + "\n", "config.yaml: line 1 is not valid YAML"},
		{"dotted key", "database.url: sqlite://" + canary, "database.url (from config.yaml): no such key"},
		{"key in capitals", "database:\n  URL: sqlite://" + canary, "database.URL (from config.yaml): no such key"},
		{"key without its section", "url: sqlite://" + canary, "url (from config.yaml): no such key"},
		{"no value", "server:\n  addr:", "server.addr (from config.yaml): has no value"},
		{"text for a bool", "database:\n  echo: " + canary, "database.echo (from config.yaml): must be true or false"},
		{"text for a number", "database:\n  max_open_conns: " + canary, "database.max_open_conns (from config.yaml): must be a whole number"},
		{"quoted number", "database:\n  max_open_conns: \"4\"", "database.max_open_conns (from config.yaml): must be a whole number"},
		{"fraction", "database:\n  max_open_conns: 2.5", "database.max_open_conns (from config.yaml): must be a whole number"},
		{"number without unit", "auth:\n  session_lifetime: 30", "auth.session_lifetime (from config.yaml): must be a duration"},
		{"bad duration", "auth:\n  session_lifetime: " + canary, "auth.session_lifetime (from config.yaml): must be a duration"},
		{"number for a text", "server:\n  addr: 8080", "server.addr (from config.yaml): must be a text"},
		{"map for a text", "server:\n  addr: {host: x}", "server.addr (from config.yaml): must be a text"},
		{"text for a list", "server:\n  trusted_proxies: 10.0.0.1", "server.trusted_proxies (from config.yaml): must be a list of texts"},
		{"numbers in a list", "server:\n  trusted_proxies: [10]", "server.trusted_proxies (from config.yaml): must be a list of texts"},
		{"bad level", "log:\n  level: " + canary, "log.level (from config.yaml): must be debug, info, warn or error"},
		{"number for a level", "log:\n  level: 4", "log.level (from config.yaml): must be debug, info, warn or error"},
		{"text for a section", "database: " + canary, "database (from config.yaml): must be a section"},
		{"list for a section", "auth:\n  argon2: [1]", "auth.argon2 (from config.yaml): must be a section"},
		{"text at the top", canary, "config.yaml: line 1 is not valid YAML"},
		{"broken YAML", "server:\n  addr: \"" + canary, "is not valid YAML"},
		{"repeated key", "log:\n  level: info\n  level: warn", "config.yaml: line 3 is not valid YAML, or repeats a key"},
		{"second document", "log:\n  level: info\n---\nlog:\n  level: warn", "more than one YAML document"},
		{
			"password in the URL", "database:\n  url: postgres://u:" + canary + "@localhost/db",
			"database.url (from config.yaml): secrets never appear in a configuration file: set NOVAMIND_DATABASE__URL",
		},
		{
			"password in a parameter", "database:\n  migrate_url: postgres://localhost/db?password=" + canary,
			"database.migrate_url (from config.yaml): secrets never appear in a configuration file: set NOVAMIND_DATABASE__MIGRATE_URL",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			install(t, test.file, nil)
			_, err := Load("")
			requireRefusal(t, err, test.want)
		})
	}
}

func TestLoadRefusesSecretInFileThoughTheEnvironmentOverridesIt(t *testing.T) {
	install(t, "database:\n  url: postgres://u:"+canary+"@localhost/db", map[string]string{"DATABASE_URL": "sqlite://x.db"})
	_, err := Load("")
	requireRefusal(t, err, "database.url (from config.yaml): secrets never appear")
}

// A variable sets one key, and does not turn a text into a section.
func TestLoadRefusesAWrongSectionThoughTheEnvironmentOverridesIt(t *testing.T) {
	install(t, "server: "+canary, map[string]string{"NOVAMIND_SERVER__ADDR": "127.0.0.1:0"})
	_, err := Load("")
	requireRefusal(t, err, "server (from config.yaml): must be a section")
}

func TestLoadRefusesVariable(t *testing.T) {
	for _, test := range []struct{ variable, value, want string }{
		{"NOVAMIND_DATABSE__URL", canary, "NOVAMIND_DATABSE__URL (from the environment): names no configuration key"},
		{"NOVAMIND_DATABASE_URL", canary, "NOVAMIND_DATABASE_URL (from the environment): names no configuration key"},
		{"NOVAMIND_database__url", canary, "NOVAMIND_database__url (from the environment): names no configuration key"},
		{"NOVAMIND_DATABASE", canary, "NOVAMIND_DATABASE (from the environment): names no configuration key"},
		{"DB_ECHO", canary, "database.echo (from DB_ECHO): must be true or false"},
		{"NOVAMIND_DATABASE__ECHO", "", "database.echo (from NOVAMIND_DATABASE__ECHO): must be true or false"},
		{"NOVAMIND_DATABASE__MAX_OPEN_CONNS", canary, "must be a whole number"},
		{"NOVAMIND_DATABASE__MAX_OPEN_CONNS", "0", "database.max_open_conns (from NOVAMIND_DATABASE__MAX_OPEN_CONNS): must be at least 1"},
		{"NOVAMIND_DATABASE__MAX_IDLE_CONNS", "-1", "must be at least 0"},
		{"NOVAMIND_DATABASE__BUSY_TIMEOUT", "-1s", "must be at least 0s"},
		{"NOVAMIND_DATABASE__CONNECT_TIMEOUT", "10ms", "must be at least 1s"},
		{"NOVAMIND_SERVER__READ_HEADER_TIMEOUT", "0s", "must be at least 1ms"},
		{"NOVAMIND_SERVER__MAX_BODY_BYTES", "99999999999999999999", "must be a whole number"},
		{"NOVAMIND_AUTH__ARGON2__LANES", "256", "must be at most 255"},
		{"NOVAMIND_AUTH__ARGON2__MEMORY_KIB", "64", "must be at least 7168"},
		{"NOVAMIND_AUTH__SESSION_LIFETIME", canary, "must be a duration"},
		{"NOVAMIND_SERVER__ADDR", canary, "server.addr (from NOVAMIND_SERVER__ADDR): must be HOST:PORT"},
		{"NOVAMIND_SERVER__ADDR", "127.0.0.1:65536", "must be HOST:PORT"},
		{"NOVAMIND_SERVER__ADDR", "127.0.0.1:http", "must be HOST:PORT"},
		{"NOVAMIND_SERVER__TRUSTED_PROXIES", "10.0.0.1," + canary, "must list IP addresses or ranges"},
		{"NOVAMIND_PHI__KEK", canary, "phi.kek (from NOVAMIND_PHI__KEK): must be file:PATH, env:NAME or hcvault:"},
		{"NOVAMIND_PHI__KEK", "env:", "must be file:PATH, env:NAME or hcvault:"},
		{"NOVAMIND_PHI__KEK", "env:A-" + canary, "must be file:PATH, env:NAME or hcvault:"},
		{"NOVAMIND_PHI__KEK", "file:", "must be file:PATH, env:NAME or hcvault:"},
		{"NOVAMIND_PHI__KEK", "file:data/" + canary, "must not lie in the database's folder"},
		{"NOVAMIND_PHI__KEK", "file:./data/../data/" + canary, "must not lie in the database's folder"},
		{"NOVAMIND_CLINIC__PHONE_REGION", "XX", "clinic.phone_region (from NOVAMIND_CLINIC__PHONE_REGION): must be a region"},
		{"NOVAMIND_CLINIC__PHONE_REGION", "us", "must be a region"},
		{"NOVAMIND_LOG__FORMAT", canary, "log.format (from NOVAMIND_LOG__FORMAT): must be auto, text or json"},
		{"DATABASE_URL", "mysql://u:" + canary + "@h/db", "database.url (from DATABASE_URL): must be sqlite://PATH or postgres://"},
		{"DATABASE_URL", "host=localhost password=" + canary, "database.url (from DATABASE_URL): must be sqlite://PATH or postgres://"},
		{"NOVAMIND_DATABASE__URL", "", "database.url (from NOVAMIND_DATABASE__URL): must be sqlite://PATH or postgres://"},
		{"NOVAMIND_DATABASE__MIGRATE_URL", "sqlite://other.db", "database.migrate_url (from NOVAMIND_DATABASE__MIGRATE_URL): must lead to the same database"},
		{"NOVAMIND_DATABASE__MIGRATE_URL", "postgres://localhost/db", "must lead to the same database"},
	} {
		t.Run(test.variable+" "+test.want, func(t *testing.T) {
			install(t, "", map[string]string{test.variable: test.value})
			_, err := Load("")
			requireRefusal(t, err, test.want)
		})
	}
}

func TestLoadRefusesKEKBesideTheDatabaseBehindALink(t *testing.T) {
	install(t, "", map[string]string{"NOVAMIND_PHI__KEK": "file:keys/kek"})
	require.NoError(t, os.Mkdir("data", 0o700))
	require.NoError(t, os.Symlink("data", "keys"))
	_, err := Load("")
	requireRefusal(t, err, "phi.kek (from NOVAMIND_PHI__KEK): must not lie in the database's folder")
}

func requireRefusal(t *testing.T, err error, want string) {
	t.Helper()
	require.ErrorContains(t, err, want)
	require.NotContains(t, err.Error(), "\n")
	require.NotContains(t, err.Error(), canary)
}
