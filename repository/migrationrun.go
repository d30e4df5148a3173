package repository

import (
	"context"
	"strconv"

	"github.com/google/uuid"
)

// MigrationRun is one run of a migration, as the runner logged it.
type MigrationRun struct {
	ID             int64
	MigrationID    string
	Direction      string // up, down, stamp, unstamp or repair
	ProgramVersion string
	Actor          string
	Origin         string // runner, or offline: by SQL that was printed
}

// runNamespace makes ids of the runner's log numbers (RFC 9562, version 5).
var runNamespace = uuid.MustParse("01a207c0-0000-7000-8000-6e6f76616d64")

// EntityID is what an event about the run names it by.
func (r MigrationRun) EntityID() uuid.UUID {
	return uuid.NewSHA1(runNamespace, []byte(strconv.FormatInt(r.ID, 10)))
}

// MigrationRunRepository reads the runner's log.
type MigrationRunRepository struct{ store *Store }

// NewMigrationRunRepository returns the runner's log of a store.
func NewMigrationRunRepository(s *Store) *MigrationRunRepository {
	return &MigrationRunRepository{s}
}

// Unrecorded returns the runs that the audit log does not tell of yet, in order.
func (r *MigrationRunRepository) Unrecorded(ctx context.Context) ([]MigrationRun, error) {
	runs, err := r.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []MigrationRun
	for _, run := range runs {
		var recorded bool
		row := r.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx,
			r.store.rebind("SELECT EXISTS (SELECT 1 FROM auditlog WHERE entity_id = ?)"), run.EntityID().String())
		if err := row.Scan(&recorded); err != nil {
			return nil, translate(err)
		}
		if !recorded {
			out = append(out, run)
		}
	}
	return out, nil
}

func (r *MigrationRunRepository) all(ctx context.Context) ([]MigrationRun, error) {
	var runs []MigrationRun
	err := r.store.handle(ctx).Raw("SELECT * FROM schemamigrationlog ORDER BY id").Scan(&runs).Error
	return runs, translate(err)
}
