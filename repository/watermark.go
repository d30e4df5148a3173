package repository

import (
	"context"
	"database/sql"
	"time"
)

// ClockTolerance is how much the clocks of the servers may differ from each other and from the database's.
const ClockTolerance = time.Minute

// Since narrows a list to what changed at a time or later.
type Since struct {
	From time.Time

	// Watermark is set by the list before it reads, where it is zero. A row that the list does not show has a change
	// at that time or later, or none: what to ask for next.
	Watermark time.Time
}

// mark sets the watermark. No transaction may commit after the list a change from before it. A change has the time of
// its statement, by the clock of its server; so its transaction had begun then, and is under way now or begins later.
func (s *Since) mark(ctx context.Context, store *Store) error {
	if !s.Watermark.IsZero() {
		return nil
	}
	begun, err := store.oldestUnderWay(ctx)
	s.Watermark = begun.Add(-ClockTolerance).UTC().Truncate(time.Microsecond)
	return err
}

// oldestUnderWay returns when the oldest transaction under way began, or the time now. PostgreSQL shows it the
// transactions of the own role: all servers and commands of a database have the same. SQLite has one writer at a time,
// of whatever process: while we are it, there is no other.
func (s *Store) oldestUnderWay(ctx context.Context) (time.Time, error) {
	if s.engine == SQLite {
		if current(ctx) != nil {
			return time.Now(), nil
		}
		var now time.Time
		err := s.transact(ctx, func(*transaction) error {
			now = time.Now()
			return nil
		})
		return now, translate(err)
	}
	var begun sql.NullTime
	row := s.handle(ctx).Statement.ConnPool.QueryRowContext(ctx, "SELECT LEAST(statement_timestamp(), min(xact_start)) "+
		"FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	err := row.Scan(&begun)
	return begun.Time, translate(err)
}
