package check_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/autogenerate"
	"novamind/migrations/check"
	"novamind/migrations/inspect"
	"novamind/models"
	"novamind/models/extras"
)

func TestMain(m *testing.M) {
	status := m.Run()
	dbtest.DropScratch()
	os.Exit(status)
}

// wanted is the schema of the program's own models.
var wanted = autogenerate.Desired{Models: models.All(), Naming: models.Naming{}, Extras: func(engine string) (autogenerate.Extras, error) {
	e, err := extras.Of(engine)
	return autogenerate.Extras(e), err
}}

// onEachEngine runs test with the program's migrations for each engine.
func onEachEngine(t *testing.T, test func(t *testing.T, set migrations.Set, source scratch.Source)) {
	t.Helper()
	for _, engine := range dbtest.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			set, err := migrations.Embedded(engine.Name)
			require.NoError(t, err)
			test(t, set, dbtest.Scratch(t, engine.Name))
		})
	}
}

func TestModelsAreWhatTheMigrationsMake(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, set migrations.Set, source scratch.Source) {
		lines, err := check.Drift(t.Context(), source, set, wanted)
		require.NoError(t, err)
		require.Empty(t, lines)
	})
}

// The check finds every missing part of a version of the history.
func TestDriftIsFound(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, set migrations.Set, source scratch.Source) {
		var changes, findings []string
		for change, finding := range map[string]string{
			"CREATE TABLE stray (id int);":                                 "table stray: not in the models",
			"ALTER TABLE account ADD COLUMN stray text;":                   "table account: column stray: not in the models",
			"DROP INDEX account_email_key;":                                "table account: index account_email_key: missing",
			"CREATE VIEW stray_view AS SELECT 1 AS one;":                   "view stray_view: not declared",
			drops[set.Engine]["trigger"]:                                   drops[set.Engine]["finding"],
			"DROP TABLE retiredkey;":                                       "table retiredkey: missing",
			"CREATE INDEX stray_idx ON consent (id) WHERE id IS NOT NULL;": "table consent: index stray_idx: not in the models",
		} {
			changes, findings = append(changes, change), append(findings, finding)
		}
		set.Migrations = append(slices.Clone(set.Migrations), migrationtest.Migration("9999_strays", strings.Join(changes, "\n")))
		lines, err := check.Drift(t.Context(), source, set, wanted)
		require.NoError(t, err)
		require.ElementsMatch(t, findings, lines)

		db, drop, err := source(t.Context())
		require.NoError(t, err)
		defer drop()
		require.NoError(t, inspect.Replay(set)(t.Context(), db))
		lines, err = check.LiveDrift(t.Context(), db, source, wanted)
		require.NoError(t, err)
		require.ElementsMatch(t, findings, lines)
	})
}

// The check also finds differences that atlas does not report.
func TestUnusualTraitsAreFound(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, set migrations.Set, source scratch.Source) {
		changes := map[string]string{
			"CREATE RULE stray AS ON DELETE TO account DO INSTEAD NOTHING;":                               "rule stray on account",
			"ALTER TABLE retiredkey SET UNLOGGED;":                                                        "table retiredkey: unlogged",
			"ALTER TABLE account ENABLE ROW LEVEL SECURITY;":                                              "table account: row level security",
			"ALTER TABLE account FORCE ROW LEVEL SECURITY;":                                               "table account: row level security, forced",
			"CREATE POLICY stray ON account USING (true);":                                                "policy stray on account",
			"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'account_email_key'::regclass;":    "index account_email_key: invalid",
			"ALTER TABLE apikey ALTER COLUMN name TYPE varchar(200) COLLATE \"C\";":                       "column apikey.name: collation C",
			"ALTER TABLE consent ALTER CONSTRAINT consent_patient_id_fkey DEFERRABLE INITIALLY DEFERRED;": "constraint consent_patient_id_fkey on consent: deferrable, initially deferred",
			"UPDATE pg_constraint SET convalidated = false WHERE conname = 'consent_patient_id_fkey';":    "constraint consent_patient_id_fkey on consent: not valid",
		}
		if set.Engine == migrations.SQLite {
			rewritten := func(from, to string) string {
				return "PRAGMA writable_schema = on; UPDATE sqlite_master SET sql = replace(sql, '" + from + "', '" + to + "') WHERE name = 'account'; PRAGMA writable_schema = off;"
			}
			changes = map[string]string{
				"CREATE INDEX stray ON account (name COLLATE NOCASE);":      "index stray, name: collation nocase",
				rewritten("PRIMARY KEY", "PRIMARY KEY ON CONFLICT REPLACE"): "on conflict replace",
			}
		}
		db, drop, err := source(t.Context())
		require.NoError(t, err)
		defer drop()
		require.NoError(t, inspect.Replay(set)(t.Context(), db))
		for change := range changes {
			require.NoError(t, db.Exec(change).Error, change)
		}
		lines, err := check.LiveDrift(t.Context(), db, source, wanted)
		require.NoError(t, err)
		for _, finding := range changes {
			require.Contains(t, strings.Join(lines, "\n"), finding)
		}
	})
}

var drops = map[string]map[string]string{
	migrations.Postgres: {"trigger": "DROP TRIGGER patient_witness_update ON patient;", "finding": "trigger patient_witness_update on patient: missing"},
	migrations.SQLite:   {"trigger": "DROP TRIGGER patient_ours_update;", "finding": "trigger patient_ours_update on patient: missing"},
}

func TestMigrationsMakeTheSameOnBothEngines(t *testing.T) {
	t.Parallel()
	lines, err := check.Unlike(t.Context(), bothSources(t), bothSets(t, map[string]string{}), extras.Apart())
	require.NoError(t, err)
	require.Empty(t, lines)
}

func TestUnlikeEnginesAreFound(t *testing.T) {
	t.Parallel()
	lines, err := check.Unlike(t.Context(), bothSources(t), bothSets(t, map[string]string{
		migrations.Postgres: "ALTER TABLE account ADD COLUMN badge bigint; CREATE UNIQUE INDEX badge_key ON account (badge); ALTER TABLE account ALTER disabled SET DEFAULT true;",
		migrations.SQLite:   "ALTER TABLE account ADD COLUMN badge text NOT NULL DEFAULT 'x'; CREATE INDEX badge_key ON account (badge);",
	}), extras.Apart())
	require.NoError(t, err)
	require.Equal(t, []string{
		"column account.badge: integer on PostgreSQL, text not null on SQLite",
		"default of account.badge: '' on PostgreSQL, 'x' on SQLite",
		"default of account.disabled: 'true' on PostgreSQL, '' on SQLite",
		"index badge_key: on account (badge), unique on PostgreSQL, on account (badge) on SQLite",
	}, lines)
}

func bothSources(t *testing.T) map[string]scratch.Source {
	return map[string]scratch.Source{
		migrations.Postgres: dbtest.Scratch(t, migrations.Postgres), migrations.SQLite: dbtest.Scratch(t, migrations.SQLite),
	}
}

// bothSets returns the program's migrations, with one more on each engine that more names.
func bothSets(t *testing.T, more map[string]string) map[string]migrations.Set {
	t.Helper()
	sets := map[string]migrations.Set{}
	for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
		set, err := migrations.Embedded(engine)
		require.NoError(t, err)
		if sql, ok := more[engine]; ok {
			set.Migrations = append(set.Migrations, migrationtest.Migration("9999_more", sql))
		}
		sets[engine] = set
	}
	return sets
}

func TestEachVersionUpDownAndUpAgainChangesNothing(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, set migrations.Set, source scratch.Source) {
		lines, err := check.Identity(t.Context(), source, set, extras.Seeds())
		require.NoError(t, err)
		require.Empty(t, lines)
	})
}

func TestAWayDownThatDoesNotLeadBackIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		up, down string
		findings []string
	}{
		"rows lost on the way up": {"DELETE FROM a WHERE id = 0;", "SELECT 1;", []string{
			"0002_more down: table a has 2 rows instead of 3", "0002_more down: the values of a.id changed",
			"0002_more up again: table a has 2 rows instead of 3", "0002_more up again: the values of a.id changed",
			"0002_more up: table a has 2 rows instead of 3", "0002_more up: the values of a.id changed",
		}},
		"something is left": {"CREATE TABLE b (id int);", "SELECT 1;", nil},
		"values changed on the way down": {"CREATE TABLE b (id int PRIMARY KEY);", "DROP TABLE b; UPDATE a SET id = id + 10;", []string{
			"0002_more down: the values of a.id changed", "0002_more up again: the values of a.id changed",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, set migrations.Set, source scratch.Source) {
				first, second := migrationtest.Migration("0001_initial", "CREATE TABLE a (id int PRIMARY KEY);"), migrationtest.Migration("0002_more", c.up)
				first.Down, second.Down = "DROP TABLE a;", c.down
				set.Migrations = []migrations.Migration{first, second}
				lines, err := check.Identity(t.Context(), source, set, nil)
				if c.findings == nil {
					require.Error(t, err, "the second up fails")
					return
				}
				require.NoError(t, err)
				require.Equal(t, c.findings, lines)
			})
		})
	}
}
