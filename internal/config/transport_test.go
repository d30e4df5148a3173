package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoadTransport(t *testing.T) {
	const secure = ""
	const refused = "database.url (from DATABASE_URL): leads to a host that is neither loopback nor a socket: add sslmode=verify-full"
	const unreadable = "database.url (from DATABASE_URL): is not a PostgreSQL URL that can be read"
	for _, test := range []struct {
		url  string
		env  map[string]string
		want string
	}{
		{"postgres://u:p@localhost/db", nil, secure},
		{"postgres://127.0.0.1:5433/db?sslmode=disable", nil, secure},
		{"postgres://127.8.9.10/db", nil, secure},
		{"postgres://[::1]/db", nil, secure},
		{"postgres:///db?host=/run/postgresql", nil, secure},
		{"postgres://%2Frun%2Fpostgresql/db", nil, secure},
		{"postgres://u:p@db.example/db?sslmode=verify-full", nil, secure},
		{"postgres://192.0.2.1/db?sslmode=verify-full", nil, secure},
		{"postgres://db.example,localhost/db?sslmode=verify-full", nil, secure},
		{"postgresql+asyncpg://u:p@db.example/db?ssl=verify-full", nil, secure},
		{"postgres://db.example/db", map[string]string{"PGSSLMODE": "verify-full"}, secure},

		{"postgres://u:" + canary + "@db.example/db", nil, refused},
		{"postgres://db.example/db?sslmode=require", nil, refused},
		{"postgres://db.example/db?sslmode=prefer", nil, refused},
		{"postgres://db.example/db?ssl=true", nil, refused},
		{"postgres://192.0.2.1/db?sslmode=disable", nil, refused},
		{"postgres://0.0.0.0/db", nil, refused},
		{"postgres://localhost.example/db", nil, refused},
		{"postgres://localhost,db.example/db", nil, refused},
		{"postgres://localhost:5432,192.0.2.1:5432/db", nil, refused},
		{"postgres://localhost/db?host=db.example", nil, refused},
		{"postgres:///db?host=localhost,db.example", nil, refused},
		{"postgres://db.example/db?sslmode=verify-full&sslmode=disable", nil, refused},
		{"postgres:///db", map[string]string{"PGHOST": "db.example"}, refused},
		{"postgres:///db", map[string]string{"PGHOST": "db.example", "PGSSLMODE": "require"}, refused},

		{"postgres://localhost:" + canary + "/db", nil, unreadable},
		{"postgres://u:a/" + canary + "@localhost/db", nil, unreadable},
		{"postgres://localhost/db?sslmode=" + canary, nil, unreadable},
		{"postgres://localhost/db?sslrootcert=/" + canary, nil, "names a certificate or key file that can't be read"},
	} {
		t.Run(test.url, func(t *testing.T) {
			install(t, "", test.env)
			t.Setenv("DATABASE_URL", test.url)
			cfg, err := Load("")
			if test.want != secure {
				requireRefusal(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Empty(t, cfg.Warnings())
		})
	}
}

func TestLoadTransportFromAServiceFile(t *testing.T) {
	services := filepath.Join(t.TempDir(), "services")
	require.NoError(t, os.WriteFile(services, []byte("[remote]\nhost=db.example\nsslmode=require\n"), 0o600))
	for _, test := range []struct {
		url string
		env map[string]string
	}{
		{"postgres:///db?service=remote&servicefile=" + services, nil},
		{"postgres:///db", map[string]string{"PGSERVICE": "remote", "PGSERVICEFILE": services}},
	} {
		install(t, "", test.env)
		t.Setenv("DATABASE_URL", test.url)
		_, err := Load("")
		requireRefusal(t, err, "leads to a host that is neither loopback nor a socket")
	}
}

func TestLoadTransportOfTheMigrations(t *testing.T) {
	env := map[string]string{
		"DATABASE_URL":                   "postgres://app@localhost/db",
		"NOVAMIND_DATABASE__MIGRATE_URL": "postgresql://owner:" + canary + "@db.example/db",
	}
	install(t, "", env)
	_, err := Load("")
	requireRefusal(t, err, "database.migrate_url (from NOVAMIND_DATABASE__MIGRATE_URL): leads to a host")

	t.Setenv("NOVAMIND_DATABASE__MIGRATE_URL", "postgresql://owner:"+canary+"@localhost/db")
	cfg, err := Load("")
	require.NoError(t, err)
	require.Equal(t, "postgres://owner:"+canary+"@localhost/db", string(cfg.Database.MigrateURL))
}

func TestLoadAllowInsecureWarns(t *testing.T) {
	install(t, "database:\n  allow_insecure: true\n", map[string]string{
		"DATABASE_URL":                   "postgres://app:" + canary + "@db.example/db",
		"NOVAMIND_DATABASE__MIGRATE_URL": "postgres://owner:" + canary + "@db.example/db",
	})
	cfg, err := Load("")
	require.NoError(t, err)
	require.Len(t, cfg.Warnings(), 2)
	require.Contains(t, cfg.Warnings()[0], "database.url")
	require.Contains(t, cfg.Warnings()[1], "database.migrate_url")
	require.NotContains(t, cfg.Warnings()[0]+cfg.Warnings()[1], canary)

	t.Setenv("DATABASE_URL", "sqlite://data/x.db")
	t.Setenv("NOVAMIND_DATABASE__MIGRATE_URL", "")
	cfg, err = Load("")
	require.NoError(t, err)
	require.Empty(t, cfg.Warnings())
}
