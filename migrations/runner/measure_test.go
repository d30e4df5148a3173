package runner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
)

// ward has objects by which a down file can remove rows: a trigger, a view, a cascade.
const ward = chart + `
	CREATE TABLE ward (id int PRIMARY KEY, name text);
	CREATE TABLE bed (ward_id int CONSTRAINT bed_ward_id_fkey REFERENCES ward (id) ON DELETE CASCADE);
	CREATE TABLE staff (id int, name text);`

// The losses of every down file are measured, in any form of its SQL.
func TestDownMeasuresWhatItTakesAway(t *testing.T) {
	t.Parallel()
	const both = ""
	for name, c := range map[string]struct {
		engine, up, down string
		want             error
		names            string
	}{
		"a CTE":                         {migrations.Postgres, "", "WITH d AS (DELETE FROM chart RETURNING 1) SELECT count(*) FROM d;", runner.ErrLosesPatients, "chart: 2 rows"},
		"MERGE":                         {migrations.Postgres, "", "MERGE INTO chart c USING ward ON c.id = ward.id WHEN MATCHED THEN DELETE;", runner.ErrLosesPatients, "chart: 1 row"},
		"a view":                        {migrations.Postgres, "CREATE VIEW charts AS SELECT * FROM chart;", "DELETE FROM charts;", runner.ErrLosesPatients, "chart: 2 rows"},
		"values by a change of type":    {migrations.Postgres, "", "ALTER TABLE chart ALTER COLUMN kind TYPE int USING NULL;", runner.ErrLosesPatients, "chart.kind: 2 rows"},
		"values cut short":              {migrations.Postgres, "", "ALTER TABLE chart ALTER COLUMN kind TYPE varchar(1) USING kind::varchar(1);", runner.ErrLosesPatients, "chart.kind: other values"},
		"a type that writes it alike":   {migrations.Postgres, "", "ALTER TABLE chart ALTER COLUMN id TYPE text;", nil, ""},
		"another schema's name":         {migrations.Postgres, "", "CREATE SCHEMA aside; ALTER TABLE chart SET SCHEMA aside;", runner.ErrUntold, ""},
		"a cascade":                     {migrations.Postgres, "", "DELETE FROM ward; DELETE FROM chart WHERE id IN (SELECT ward_id FROM bed);", runner.ErrLosesPatients, "chart: 2 rows"},
		"a table named in full":         {migrations.SQLite, "", "DELETE FROM main.chart;", runner.ErrLosesPatients, "chart: 2 rows"},
		"a rebuild that leaves rows":    {migrations.SQLite, "", "CREATE TABLE c2 (id int, kind text, note text); INSERT INTO c2 SELECT * FROM chart WHERE id = 1; DROP TABLE chart; ALTER TABLE c2 RENAME TO chart;", runner.ErrLosesPatients, "chart: 1 row"},
		"a rebuild that changes values": {migrations.SQLite, "", "CREATE TABLE c2 (id int, kind text, note text); INSERT INTO c2 SELECT id, 'z', note FROM chart; DROP TABLE chart; ALTER TABLE c2 RENAME TO chart;", runner.ErrLosesPatients, "chart.kind"},
		"a trigger":                     {migrations.SQLite, "CREATE TRIGGER swept AFTER UPDATE ON ward BEGIN DELETE FROM chart; END;", "UPDATE ward SET name = 'x';", runner.ErrLosesPatients, "chart: 2 rows"},
		"other values":                  {both, "", "UPDATE chart SET kind = 'z';", runner.ErrLosesPatients, "chart.kind: other values"},
		"other values of staff":         {both, "", "UPDATE staff SET name = 'z';", runner.ErrLosesPatients, "staff.name: other values"},
		"values of others":              {both, "", "UPDATE ward SET name = NULL;", nil, "ward.name: 1 row"},
		"values of others that change":  {both, "", "UPDATE ward SET name = 'z';", nil, ""},
		"all under another name":        {both, "", "ALTER TABLE chart RENAME TO c; ALTER TABLE c RENAME COLUMN kind TO sort;", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, url string) {
				db := dbtest.Open(t, url)
				if c.engine != both && c.engine != db.Name() {
					t.Skip("it is the other engine's")
				}
				r, _ := undoer(t, db, runner.DiscardRows, map[string]string{"0001_first": ward + c.up}, map[string]string{"0001_first": c.down})
				require.NoError(t, db.Exec("INSERT INTO ward VALUES (1, 'x')").Error)
				require.NoError(t, db.Exec("INSERT INTO staff VALUES (1, 'x')").Error)
				require.NoError(t, db.Exec("INSERT INTO chart (id, kind, note) VALUES (1, 'xx', '"+envelope+"'), (2, 'yy', NULL)").Error)
				_, err := r.DownBy(t.Context(), 1)
				require.ErrorIs(t, err, c.want)
				if c.want != nil {
					require.ErrorContains(t, err, c.names)
					require.EqualValues(t, 2, count(t, db, "chart"))
					return
				}
				runs, err := r.Log(t.Context())
				require.NoError(t, err)
				require.Equal(t, c.names, runs[len(runs)-1].Discarded)
			})
		})
	}
}

// Without a transaction there is no rollback.
func TestDownWithoutATransactionMayTakeNothing(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]error{
		"CREATE INDEX CONCURRENTLY IF NOT EXISTS chart_id_idx ON chart (id); DROP INDEX CONCURRENTLY IF EXISTS chart_id_idx;": nil,
		"UPDATE chart SET kind = NULL;":                                  runner.ErrUnheld,
		"ALTER TABLE chart ALTER COLUMN kind TYPE varchar(1) USING NULL": runner.ErrUnheld,
	} {
		db := dbtest.Open(t, dbtest.EmptyPostgres(t))
		fsys := migrationtest.Folder(t, map[string]string{"0001_first": chart})
		fsys["0001_first.postgres.down.sql"].Data = []byte("-- migrate:no-transaction\n" + sql)
		r := runnerOf(t, db, migrationtest.Summed(t, fsys))
		_, err := r.Up(t.Context(), "")
		require.NoError(t, err)
		_, err = r.DownBy(t.Context(), 1)
		require.ErrorIs(t, err, want, sql)
	}
}
