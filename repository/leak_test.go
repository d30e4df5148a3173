package repository_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
)

// No engine error that the repository returns quotes a row, in any printed form. DB_ECHO quotes no row either.
func TestErrorsQuoteNoRow(t *testing.T) {
	t.Parallel()
	const canary = "canary-4711"
	refuse := map[string][]string{
		"postgres": {
			"ALTER TABLE patient ADD CONSTRAINT all_active CHECK (active)",
			`CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'row: %', NEW; END $$`,
			"CREATE TRIGGER quote BEFORE INSERT ON session FOR EACH ROW EXECUTE FUNCTION quote()",
		},
		"sqlite": {
			"CREATE TRIGGER all_active BEFORE UPDATE ON patient WHEN NOT NEW.active BEGIN SELECT RAISE(ABORT, 'all_active'); END",
			"CREATE TRIGGER none BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'none'); END",
		},
	}
	dbtest.Run(t, func(t *testing.T, url string) {
		var log bytes.Buffer
		cfg := config.Default().Database
		cfg.URL, cfg.Echo = config.DSN(url), true
		store, err := repository.Open(t.Context(), cfg, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		require.NoError(t, store.Unlock(t.Context(), "file:"+filepath.Join(t.TempDir(), "kek"), "US"))
		accounts, sessions, patients := repository.NewAccountRepository(store), repository.NewSessionRepository(store), repository.NewPatientRepository(store)
		account := func() *models.Account {
			return &models.Account{Email: canary + "@example.org", Name: canary, Roles: []string{}, PasswordHash: canary}
		}
		mine := account()
		require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error { return accounts.Create(ctx, mine) }))
		p := create(t, store, complete())
		db := dbtest.Open(t, url)
		for _, statement := range refuse[db.Name()] {
			require.NoError(t, db.Exec(statement).Error)
		}
		for name, attempt := range map[string]func(context.Context) error{
			"CHECK": func(ctx context.Context) error {
				p, err := patients.ByID(ctx, p.ID)
				require.NoError(t, err)
				p.Active = false
				return patients.Update(ctx, p)
			},
			"unique": func(ctx context.Context) error { return accounts.Create(ctx, account()) },
			"trigger": func(ctx context.Context) error {
				return sessions.Create(ctx, &models.Session{AccountID: mine.ID, TokenHash: canary})
			},
			"foreign key": func(ctx context.Context) error {
				return sessions.Create(ctx, &models.Session{AccountID: uuid.New(), TokenHash: canary})
			},
		} {
			err := store.InTx(actor(t.Context()), attempt)
			require.Error(t, err, name)
			require.False(t, apperr.Is(err, apperr.AuditUnavailable), "%s: the attempt is what failed", name)
			var pg *pgconn.PgError
			require.NotErrorAs(t, err, &pg, "%s: the engine's own error must not be in reach", name)
			for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q"} {
				for _, secret := range []string{canary, "phi1:", p.ID.String(), mine.ID.String(), "Zoë"} {
					require.NotContains(t, fmt.Sprintf(verb, err), secret, name)
				}
			}
		}
		_, err = accounts.ByEmail(t.Context(), canary+"\x00")
		require.Error(t, err)
		require.NotContains(t, err.Error(), canary)
		require.Contains(t, log.String(), "UPDATE")
		for _, secret := range []string{canary, "phi1:", "bi1:", p.ID.String(), mine.ID.String(), "Zoë"} {
			require.NotContains(t, log.String(), secret)
		}
	})
}
