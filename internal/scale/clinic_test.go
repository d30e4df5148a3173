package scale

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// clinic is the program's services on a separate database.
type clinic struct {
	cfg      *config.Config
	db       *gorm.DB // bypasses the program
	store    *repository.Store
	patients *service.PatientService
	keys     *service.KeyService
}

func newClinic(tb testing.TB, url string) *clinic {
	tb.Helper()
	cfg := config.Default()
	cfg.Database.URL = config.DSN(url)
	store, err := repository.Open(tb.Context(), cfg.Database, slog.New(slog.DiscardHandler))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	kek := "file:" + filepath.Join(tb.TempDir(), "kek")
	require.NoError(tb, store.Unlock(tb.Context(), kek, "US"))
	return &clinic{
		cfg: cfg, db: dbtest.Open(tb, url), store: store,
		patients: service.NewPatientService(store, service.NewCare(store, cfg.Access), "US"), keys: service.NewKeyService(store, kek),
	}
}

// loaders is the number of concurrent loaders of the database.
const loaders = 4

// load stores patients as an import does, in transactions of 100.
func (c *clinic) load(tb testing.TB, all []*models.Patient) {
	tb.Helper()
	patients := repository.NewPatientRepository(c.store)
	group, ctx := errgroup.WithContext(audit.System(tb.Context(), "scale"))
	group.SetLimit(loaders)
	for batch := range slices.Chunk(all, 100) {
		group.Go(func() error {
			return c.store.InTx(ctx, func(ctx context.Context) error {
				for _, p := range batch {
					if err := patients.Create(ctx, p); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	require.NoError(tb, group.Wait())
}

// receptionist returns the context of a receptionist, whose scope is all patients.
func receptionist(ctx context.Context) context.Context {
	return audit.WithActor(ctx, audit.Actor{ID: uuid.Must(uuid.NewV7()), Roles: []string{service.RoleFrontDesk}, Origin: "scale"})
}
