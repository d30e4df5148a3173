package explain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/explain"
)

func explained(t *testing.T, up ...string) ([]explain.Effect, error) {
	t.Helper()
	set := migrations.Set{Engine: migrations.Postgres}
	for i, sql := range up {
		set.Migrations = append(set.Migrations, migrations.Migration{ID: []string{"0001_a", "0002_b", "0003_c"}[i], Up: sql})
	}
	return explain.Run(t.Context(), scratch.Beside(dbtest.EmptyPostgres(t)), set)
}

func TestRunTellsLocksAndRewrites(t *testing.T) {
	t.Parallel()
	effects, err := explained(t,
		"CREATE TABLE room (id bigint, colour varchar(20)); CREATE INDEX room_id_idx ON room (id);",
		"CREATE TABLE bed (id bigint);\nCREATE INDEX bed_id_idx ON bed (id);\nALTER TABLE room ADD COLUMN floor integer DEFAULT 1;\n"+
			"ALTER TABLE room ALTER COLUMN id TYPE integer;\nSELECT 1;",
		"-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY room_floor_idx ON room (floor);",
	)
	require.NoError(t, err)
	require.Len(t, effects, 3)

	added := effects[0]
	require.Equal(t, "0002_b.postgres.up.sql", added.File)
	require.Equal(t, 3, added.Line)
	require.Equal(t, "ALTER TABLE room ADD COLUMN floor integer DEFAULT 1;", added.Statement)
	require.Contains(t, added.Locks, explain.Lock{Table: "room", Mode: "AccessExclusiveLock"})
	require.Empty(t, added.Rewritten)
	require.False(t, added.Unseen)

	require.Equal(t, []string{"room"}, effects[1].Rewritten)
	require.True(t, effects[2].Unseen)
	require.Empty(t, effects[2].Rewritten)
}

func TestRunNamesWhatFails(t *testing.T) {
	t.Parallel()
	_, err := explained(t, "SELECT 1;\nDROP TABLE nothing;")
	require.ErrorContains(t, err, "0001_a.postgres.up.sql:2: ")
}

func TestRunOnOurMigrations(t *testing.T) {
	t.Parallel()
	set, err := migrations.Embedded(migrations.Postgres)
	require.NoError(t, err)
	effects, err := explain.Run(t.Context(), scratch.Beside(dbtest.EmptyPostgres(t)), set)
	require.NoError(t, err)
	require.NotEmpty(t, effects)
	for _, e := range effects {
		require.Empty(t, e.Rewritten, "%s:%d rewrites a table", e.File, e.Line)
	}
}
