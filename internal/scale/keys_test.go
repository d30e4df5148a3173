package scale

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"novamind/internal/phi"
	"novamind/models"
)

// sameKeys returns a handle whose index key is the same each time, that of testdata, so that tokens are. It guards nothing.
func sameKeys(t *testing.T) *gorm.DB {
	t.Helper()
	text, err := os.ReadFile("testdata/kek")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "kek")
	require.NoError(t, os.WriteFile(path, text, 0o600)) // a checkout gives it to everyone
	kek, err := phi.LoadKEK("file:" + path)
	require.NoError(t, err)
	wrapped := map[phi.Purpose]string{}
	for _, p := range phi.Purposes() {
		wrapped[p], err = phi.NewKeyset(p, kek)
		require.NoError(t, err)
	}
	text, err = os.ReadFile("testdata/index-keyset")
	require.NoError(t, err)
	wrapped[phi.Index] = string(text)
	ring, err := phi.OpenKeyring(kek, wrapped, "US")
	require.NoError(t, err)
	db, err := gorm.Open(&sqlite.Dialector{DriverName: "sqlite", DSN: ":memory:"}, &gorm.Config{NamingStrategy: models.Naming{}})
	require.NoError(t, err)
	require.NoError(t, db.Use(&models.Guard{Keyring: ring}))
	return db
}
