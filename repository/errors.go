package repository

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// retryAfter is the time that a client is told to wait if the database is busy or can't be reached.
const retryAfter = 2 * time.Second

// engineError is an engine's error without row content.
type engineError struct {
	text     string
	sqlState string // PostgreSQL's
}

func (e engineError) Error() string { return e.text }

// scrub removes row content from an engine's error. PostgreSQL puts the failing row into the error's detail, and
// the offending value into some messages.
func scrub(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		text := "postgres: SQLSTATE " + pg.Code
		if pg.ConstraintName != "" {
			text += " constraint " + pg.ConstraintName
		}
		if pg.Severity == "FATAL" { // no statement was running: connection, login, shutdown
			text += " " + pg.Message
		}
		return engineError{text, pg.Code}
	}
	return err
}

// translate turns an engine's error into an apperr error. An apperr error passes unchanged.
func translate(err error) error {
	var ours *apperr.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return apperr.New(apperr.NotFound, "The resource does not exist, or you may not see it.")
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return apperr.Wrap(apperr.Duplicate, "A resource with this id, or with another value that must be unique, already exists.", scrub(err))
	case errors.Is(err, models.ErrStale):
		return apperr.New(apperr.Stale, "The resource has changed since you read it. Read it again.")
	case errors.Is(err, phi.ErrUnreadable):
		return apperr.Wrap(apperr.Unreadable, "The stored data of this resource cannot be decrypted. Give the operator the request id. The access was recorded.", err)
	case errors.Is(err, audit.ErrNoActor), errors.Is(err, audit.ErrOutsideUnit):
		return apperr.Wrap(apperr.Internal, "The access could not be attributed.", err)
	case isOverlap(err):
		return apperr.Wrap(apperr.Taken, "The practitioner or the patient has another appointment at this time.", scrub(err))
	case isFrozen(err):
		return apperr.Wrap(apperr.Conflict, "The record was signed or amended in the meantime, and can no longer be changed. Read it again.", scrub(err))
	case outOfReach(err):
		return unavailable(err)
	case otherSchema(err):
		e := apperr.Wrap(apperr.Unavailable, "The database has another schema version than this server. Try again later.", scrub(err))
		e.RetryAfter = retryAfter
		return e
	default:
		return fmt.Errorf("repository: %w", scrub(err))
	}
}

// isOverlap reports whether the database refused an appointment because of another one.
func isOverlap(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == exclusionViolation
	}
	var lite *modernc.Error
	return errors.As(err, &lite) && lite.Code() == sqlite3.SQLITE_CONSTRAINT_TRIGGER && strings.Contains(lite.Error(), "_no_overlap")
}

// isFrozen reports whether the database refused to change a signed record.
func isFrozen(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == restrictViolation && pg.ConstraintName == "medicalrecord_frozen"
	}
	var lite *modernc.Error
	return errors.As(err, &lite) && lite.Code() == sqlite3.SQLITE_CONSTRAINT_TRIGGER && strings.Contains(lite.Error(), "what was signed stays as it is")
}

// lostToAnother reports whether the database gave up a transaction in favour of another one, so that a retry may
// succeed. The transaction was the victim of a deadlock, or met rows that others were about to commit.
func lostToAnother(err error) bool {
	state := sqlStateOf(err)
	return state == deadlockDetected || state == exclusionViolation
}

// lockedByAnother reports whether another transaction held a lock for longer than the engine was configured to
// wait.
func lockedByAnother(err error) bool {
	var lite *modernc.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	return sqlStateOf(err) == lockNotAvailable
}

// sqlStateOf returns the SQLSTATE of PostgreSQL's error in err, or "".
func sqlStateOf(err error) string {
	var engine engineError
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &engine):
		return engine.sqlState
	case errors.As(err, &pg):
		return pg.Code
	}
	return ""
}

// PostgreSQL's SQLSTATEs that are handled by name.
const (
	exclusionViolation = "23P01"
	restrictViolation  = "23001"
	deadlockDetected   = "40P01"
	lockNotAvailable   = "55P03"
	undefinedTable     = "42P01"
	undefinedColumn    = "42703"
)

// otherSchema reports whether a table or column is missing: the schema was migrated down or up under a running
// server.
func otherSchema(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == undefinedTable || pg.Code == undefinedColumn
	}
	var lite *modernc.Error
	return errors.As(err, &lite) && lite.Code() == sqlite3.SQLITE_ERROR &&
		(strings.Contains(lite.Error(), "no such table") || strings.Contains(lite.Error(), "no such column") || strings.Contains(lite.Error(), "has no column named"))
}

func unavailable(err error) error {
	e := apperr.Wrap(apperr.Unavailable, "The database is busy or cannot be reached. Try again later.", scrub(err))
	e.RetryAfter = retryAfter
	return e
}

func auditUnavailable(err error) error {
	e := apperr.Wrap(apperr.AuditUnavailable, "The access could not be recorded in the audit log, so it did not happen. Try again later.", scrub(err))
	e.RetryAfter = retryAfter
	return e
}

// outOfReach reports whether err says that the engine could not do its work now, but may later.
func outOfReach(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "08", "53", "57", "40", "55": // connection, resources, operator, rollback, lock not available
			return true
		}
		return false
	}
	var lite *modernc.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
			sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_INTERRUPT:
			return true
		}
		return false
	}
	var netErr net.Error
	var connect *pgconn.ConnectError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &netErr) ||
		errors.As(err, &connect) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, pgconn.ErrConnClosed) || pgconn.SafeToRetry(err) // the connection ended
}
