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
		p, err := newPair(t.Context(), source, set, wanted)
		require.NoError(t, err)
		t.Cleanup(p.drop)
		d, err := between(p.history, p.desired)
		require.NoError(t, err)
		require.Empty(t, d.describe())
	})
}
