package service

import (
	"context"

	"novamind/internal/audit"
	"novamind/repository"
)

// MigrationRunService records schema changes in the audit log. The migration runner can't, because it makes the
// tables of the log.
type MigrationRunService struct {
	store *repository.Store
	runs  *repository.MigrationRunRepository
}

// NewMigrationRunService returns the service on a store.
func NewMigrationRunService(store *repository.Store) *MigrationRunService {
	return &MigrationRunService{store: store, runs: repository.NewMigrationRunRepository(store)}
}

// Record adds an event for each run of a migration that has no event yet.
func (s *MigrationRunService) Record(ctx context.Context) error {
	missing, err := s.runs.Unrecorded(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	return s.store.InBatch(ctx, func(ctx context.Context) error {
		missing, err := s.runs.Unrecorded(ctx) // another process may have recorded some of them
		if err != nil {
			return err
		}
		unit, err := audit.Current(ctx)
		if err != nil {
			return err
		}
		for _, run := range missing {
			gone, err := s.runs.DiscardedRows(ctx, run)
			if err != nil {
				return err
			}
			unit.Record(audit.Event{
				Action: audit.Migrate, EntityType: "schemamigration", EntityID: run.EntityID(), Outcome: audit.Success,
				Details: details(run), Subjects: gone,
			})
		}
		return nil
	})
}

// details describes a run: the migration and its direction, discarded rows, whether printed SQL was applied offline,
// the program's version, and the actor.
func details(run repository.MigrationRun) string {
	out := run.MigrationID + " " + run.Direction
	if run.Discarded != "" {
		out += ", discarded " + run.Discarded
	}
	if run.Origin == "offline" {
		out += ", applied offline"
	}
	if run.ProgramVersion != "" {
		out += ", program " + run.ProgramVersion
	}
	if run.Actor != "" {
		out += ", by " + run.Actor
	}
	return out
}
