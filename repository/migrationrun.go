package repository

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
)

// MigrationRun is one run of a migration, as the runner logged it.
type MigrationRun struct {
	ID             int64
	MigrationID    string
	Direction      string // up, down, stamp, unstamp or repair
	ProgramVersion string
	Actor          string
	Origin         string // runner, or offline: by printed SQL
	Discarded      string // "table: 3 rows, table.column: 1 rows"
}

// runNamespace is the namespace of ids made from the numbers of the runner's log (RFC 9562, version 5).
var runNamespace = uuid.MustParse("01a207c0-0000-7000-8000-6e6f76616d64")

// EntityID returns the id by which an event about the run names it.
func (r MigrationRun) EntityID() uuid.UUID {
	return uuid.NewSHA1(runNamespace, []byte(strconv.FormatInt(r.ID, 10)))
}

// MigrationRunRepository reads the runner's log.
type MigrationRunRepository struct{ store *Store }

// NewMigrationRunRepository returns the runner's log of a store.
func NewMigrationRunRepository(s *Store) *MigrationRunRepository {
	return &MigrationRunRepository{s}
}

// Unrecorded returns the runs about which the audit log has no event yet, in order.
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

// DiscardedRows returns the rows that a run discarded and that events have digests of, for the event about the run.
// If a table misses another number of rows than the run discarded, something else removed rows too. Then none of
// the table's rows is returned, so that verifying the log finds them.
func (r *MigrationRunRepository) DiscardedRows(ctx context.Context, run MigrationRun) ([]audit.Subject, error) {
	var subjects []audit.Subject
	for _, model := range models.DigestedRows() {
		table := models.TableOf(model)
		rows := 0
		for part := range strings.SplitSeq(run.Discarded, ", ") {
			var n int
			if _, err := fmt.Sscanf(part, table+": %d row", &n); err == nil {
				rows = n
			}
		}
		if rows == 0 {
			continue
		}
		var gone []audit.Subject
		err := NewAuditTreeRepository(r.store).gone(ctx, table, func(row RowState) error {
			if row.Logged != audit.Removed {
				gone = append(gone, audit.Subject{ID: row.ID, EntityType: table, RowVersion: row.Version, RowDigest: audit.Removed})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(gone) == rows {
			subjects = append(subjects, gone...)
		}
	}
	return subjects, nil
}
