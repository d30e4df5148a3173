package autogenerate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/models"
	"novamind/models/extras"
)

// wanted is what the program's own models want.
var wanted = Desired{Models: models.All(), Naming: models.Naming{}, Extras: func(engine string) (Extras, error) {
	e, err := extras.Of(engine)
	return Extras(e), err
}}

// onEachEngine runs test with a source of scratch databases of each engine.
func onEachEngine(t *testing.T, test func(t *testing.T, engine string, source scratch.Source)) {
	t.Helper()
	for _, engine := range dbtest.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			source := scratch.Source(scratch.Memory)
			if engine.Name == migrations.Postgres {
				source = pooled(t)
			}
			test(t, engine.Name, source)
		})
	}
}

func TestModelsAreWhatTheMigrationsMake(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string, source scratch.Source) {
		set, err := migrations.Embedded(engine)
		require.NoError(t, err)
		lines, err := Drift(t.Context(), source, set, wanted)
		require.NoError(t, err)
		require.Empty(t, lines)
	})
}

func TestMigrationsMakeTheSameOnBothEngines(t *testing.T) {
	t.Parallel()
	sets := map[string]migrations.Set{}
	for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
		set, err := migrations.Embedded(engine)
		require.NoError(t, err)
		sets[engine] = set
	}
	lines, err := Unlike(t.Context(), map[string]scratch.Source{migrations.Postgres: pooled(t), migrations.SQLite: scratch.Memory}, sets, extras.Apart())
	require.NoError(t, err)
	require.Empty(t, lines)
}

func TestEachVersionUpDownAndUpAgainChangesNothing(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string, source scratch.Source) {
		set, err := migrations.Embedded(engine)
		require.NoError(t, err)
		lines, err := Identity(t.Context(), source, set, Seeds(extras.Seeds()))
		require.NoError(t, err)
		require.Empty(t, lines)
	})
}
