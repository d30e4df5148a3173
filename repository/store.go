// Package repository is the only package that talks to a database. It has the store with its unit of work, and one
// repository for each model. It turns engine errors into apperr errors. The rules of the domain are the services'
// business.
package repository

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/phi"
	"novamind/models"
)

// recordTimeout bounds the time for storing an event after its request failed or was cancelled.
const recordTimeout = 10 * time.Second

// Store is an opened database with its unit of work. It is safe for concurrent use.
type Store struct {
	db      *gorm.DB
	engine  Engine
	keyring *phi.Keyring
	keys    *keyCare
	// writer admits one write transaction into SQLite at a time, in order of arrival. SQLite itself would poll.
	writer chan struct{}
	// onRevoke are called with each account from which something was taken.
	onRevoke []func(accountID uuid.UUID)
}

// Open opens the database that cfg names. Rows can be reached after Unlock.
func Open(ctx context.Context, cfg config.Database, log *slog.Logger) (*Store, error) {
	db, err := Connect(ctx, cfg, string(cfg.URL), log)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, engine: EngineOf(string(cfg.URL)), writer: make(chan struct{}, 1)}, nil
}

// Keyring returns the opened keysets.
func (s *Store) Keyring() *phi.Keyring { return s.keyring }

// Close closes every connection.
func (s *Store) Close() error {
	pool, err := s.db.DB()
	if err != nil {
		return fmt.Errorf("repository: %w", err)
	}
	return pool.Close()
}

// Ping returns an Unavailable error if the database does not answer.
func (s *Store) Ping(ctx context.Context) error {
	pool, err := s.db.DB()
	if err != nil {
		return unavailable(err)
	}
	if err := pool.PingContext(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}

type txKey struct{}

// transaction is the transaction that a context carries.
type transaction struct {
	db *gorm.DB
	// the error of a nested call: the whole transaction is rolled back, even if the caller dropped the error
	failed error

	revoked []uuid.UUID // accounts from which the transaction takes something
}

// errPanicked is the error of a nested call that did not return.
var errPanicked = errors.New("repository: a nested unit of work panicked")

// join runs fn as part of the transaction.
func (tx *transaction) join(ctx context.Context, fn func(context.Context) error) error {
	err := errPanicked
	defer func() {
		if err != nil {
			tx.failed = err
		}
	}()
	err = fn(ctx)
	return err
}

func current(ctx context.Context) *transaction {
	tx, _ := ctx.Value(txKey{}).(*transaction)
	return tx
}

// handle returns the transaction of ctx, or the pool if ctx has none.
func (s *Store) handle(ctx context.Context) *gorm.DB {
	if tx := current(ctx); tx != nil {
		return tx.db.WithContext(ctx)
	}
	return s.db.WithContext(ctx)
}

// InTx runs fn as one unit of work (specification 2.1, get_db_session). The changes of fn and their events commit
// together if fn returns nil. If fn returns an error or panics, nothing commits. Nested calls join the outer one.
// If a unit is rolled back, InTx returns the error of fn. The unit's reads are recorded all the same, and rows can
// be written again as they are in memory. Inside Read, InTx commits by itself.
//
// It returns an audit.unavailable error if the events can't be stored, and an internal error if ctx has no actor.
func (s *Store) InTx(ctx context.Context, fn func(context.Context) error) error {
	return s.inTx(ctx, func(error) bool { return false }, fn)
}

// Retried is InTx with a retry on conflict, for work that many callers want at the same time. fn runs again if
// the database gave up its transaction in favour of another one. So fn must start from the content of the database
// alone.
func (s *Store) Retried(ctx context.Context, fn func(context.Context) error) error {
	return s.inTx(ctx, lostToAnother, fn)
}

// InBatch is Retried for one batch of a job that no client waits for. fn also runs again if another transaction
// held a lock for longer than one statement waits (busy_timeout, lock_timeout). Under load, that is an ordinary
// wait: it is recorded as a failure only after the last try.
func (s *Store) InBatch(ctx context.Context, fn func(context.Context) error) error {
	return s.inTx(ctx, func(err error) bool { return lostToAnother(err) || lockedByAnother(err) }, fn)
}

// tries is the largest number of times that a transaction is begun while others keep winning.
const tries = 5

func (s *Store) inTx(ctx context.Context, retry func(error) bool, fn func(context.Context) error) error {
	if tx := current(ctx); tx != nil {
		return tx.join(ctx, fn)
	}
	commit := (*audit.Unit).Commit
	if _, err := audit.Current(ctx); err == nil {
		commit = (*audit.Unit).TakeChanges // the Read around it records the rows that were seen
	}
	return s.inUnit(ctx, func(ctx context.Context, unit *audit.Unit) error {
		return again(retry, func() error {
			var revoked []uuid.UUID
			defer func() { s.tellRevoked(revoked) }() // also if it is unknown whether the transaction was committed
			committed := false
			defer func() { unit.Ended(committed) }()
			err := s.transact(ctx, func(tx *transaction) error {
				defer func() { revoked = tx.revoked }()
				unit.ForgetChanges() // an earlier transaction in this unit was rolled back
				if err := fn(context.WithValue(ctx, txKey{}, tx)); err != nil {
					return err
				}
				if tx.failed != nil {
					return tx.failed
				}
				return insertEvents(tx.db, commit(unit))
			})
			committed = err == nil
			return err
		})
	}, nil)
}

// again runs transact until it succeeds, returns an error that retry does not accept, or has failed tries times.
func again(retry func(error) bool, transact func() error) error {
	for try := 1; ; try++ {
		if err := transact(); err == nil || try == tries || !retry(err) {
			return err
		}
	}
}

// Read runs fn without a transaction. Before Read returns, one event with every row that fn saw is durable, whether
// fn succeeded or not. Nested calls, also in InTx, join.
//
// It returns an audit.unavailable error if the event can't be stored: then nothing that fn saw may be shown.
func (s *Store) Read(ctx context.Context, fn func(context.Context) error) error {
	return s.inUnit(ctx, func(ctx context.Context, _ *audit.Unit) error { return fn(ctx) }, (*audit.Unit).Answer)
}

// inUnit runs work in the unit of ctx, or in a new one. At the end of a new unit, it stores the events that answer
// returns if work succeeded. Otherwise, also after a panic, it stores the events of the failure.
func (s *Store) inUnit(ctx context.Context, work func(context.Context, *audit.Unit) error, answer func(*audit.Unit) []audit.Event) error {
	if unit, err := audit.Current(ctx); err == nil {
		return translate(work(ctx, unit))
	}
	ctx, unit, err := audit.Begin(ctx)
	if err != nil {
		return translate(err)
	}
	finished := false
	defer func() {
		if !finished { // a panic passes through
			_ = s.record(ctx, unit.Fail(audit.Failure, string(apperr.Internal)))
		}
	}()
	if err = s.keys.refresh(ctx, s); err == nil {
		err = translate(work(ctx, unit))
	}
	finished = true
	var events []audit.Event
	switch {
	case apperr.Is(err, apperr.Invalid) && unit.Untouched():
		// A request that breaks a rule before it touched anything is not an access.
	case err != nil:
		events = unit.Fail(outcomeOf(err), string(apperr.CodeOf(err)))
	case answer != nil:
		events = answer(unit)
	}
	if recordErr := s.record(ctx, events); recordErr != nil {
		return recordErr
	}
	return err
}

func outcomeOf(err error) string {
	if apperr.Is(err, apperr.Forbidden) || errors.Is(err, audit.ErrOutOfScope) {
		return audit.Denied
	}
	return audit.Failure
}

// record stores events in a transaction of their own. The events of a request that was cancelled in the meantime
// are stored like any others.
func (s *Store) record(ctx context.Context, events []audit.Event) error {
	if len(events) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := s.transact(ctx, func(tx *transaction) error { return insertEvents(tx.db, events) }); err != nil {
		if apperr.Is(err, apperr.AuditUnavailable) {
			return err
		}
		return auditUnavailable(err)
	}
	return nil
}

func insertEvents(tx *gorm.DB, events []audit.Event) error {
	if len(events) == 0 {
		return nil
	}
	rows := make([]*models.AuditLog, len(events))
	for i, e := range events {
		rows[i] = models.NewAuditLog(e)
	}
	if err := tx.Create(&rows).Error; err != nil {
		return auditUnavailable(err)
	}
	return nil
}

func (s *Store) transact(ctx context.Context, fn func(*transaction) error) error {
	if s.engine == SQLite {
		select {
		case s.writer <- struct{}{}:
			defer func() { <-s.writer }()
		case <-ctx.Done():
			return unavailable(ctx.Err())
		}
	}

	return s.db.WithContext(ctx).Transaction(func(db *gorm.DB) error { return fn(&transaction{db: db}) })
}
