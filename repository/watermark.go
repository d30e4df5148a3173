package repository

import (
	"context"
	"database/sql"
	"time"
)

// ClockTolerance is the largest difference allowed between the clocks of the servers and of the database.
const ClockTolerance = time.Minute

// Since narrows a list to changes at a time or later.
type Since struct {
	From time.Time

	// Watermark is set by the list before it reads, if it is zero. Any change that the list does not show has that
	// time or a later one. Ask for changes since Watermark next.
	Watermark time.Time
}

// mark sets the watermark. No transaction that commits after the list may bring a change from before the watermark.
// A change has the time of its statement, by the clock of its server. So its transaction had begun by then, and is
// under way now or begins later.
func (s *Since) mark(ctx context.Context, store *Store) error {
	if !s.Watermark.IsZero() {
		return nil
	}
	begun, err := store.oldestUnderWay(ctx)
	s.Watermark = begun.Add(-ClockTolerance).UTC().Truncate(time.Microsecond)
	return err
}

// oldestUnderWay returns the time at which the oldest transaction under way began, or the current time. PostgreSQL
// shows it the transactions of its own role; all servers and commands of a database have the same role. SQLite has
// one writer at a time, of any process: while this process is the writer, there is no other.
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
