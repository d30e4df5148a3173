package scale

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"novamind/internal/phi"
	"novamind/internal/sqlitedriver"
	"novamind/models"
)

// newKeys returns a handle with its own keys and without tables, which is enough to make tokens.
func newKeys(t *testing.T) *gorm.DB {
	t.Helper()
	uri := "file:" + filepath.Join(t.TempDir(), "kek")
	require.NoError(t, phi.CreateKEK(uri))
	kek, err := phi.LoadKEK(uri)
	require.NoError(t, err)
	wrapped := map[phi.Purpose]string{}
	for _, p := range phi.Purposes() {
		wrapped[p], err = phi.NewKeyset(p, kek)
		require.NoError(t, err)
	}
	ring, err := phi.OpenKeyring(kek, wrapped, "US")
	require.NoError(t, err)
	db, err := gorm.Open(&sqlite.Dialector{DriverName: sqlitedriver.Name, DSN: ":memory:"}, &gorm.Config{NamingStrategy: models.Naming{}})
	require.NoError(t, err)
	require.NoError(t, db.Use(&models.Guard{Keyring: ring}))
	return db
}
