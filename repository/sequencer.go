package repository

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"novamind/internal/audit"
	"novamind/internal/audit/tree"
	"novamind/models"
)

// The sequencer's pace.
const (
	sequenceInterval = 400 * time.Millisecond // a checkpoint within a second, and few of them
	sequenceBatch    = 2000
	// sequenceLock is the advisory lock of whoever sequences; any number will do, as long as nothing else uses it.
	sequenceLock = 0x6e6f7661
)

// Sequencer makes leaves of the audit events that wait in the outbox: one at a time for a database, whichever server is first.
type Sequencer struct {
	store *Store
	tree  *AuditTreeRepository
}

// NewSequencer returns the sequencer of a store.
func NewSequencer(s *Store) *Sequencer { return &Sequencer{store: s, tree: NewAuditTreeRepository(s)} }

// Run sequences until ctx is done, and then once more what is left.
func (q *Sequencer) Run(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(sequenceInterval)
	defer ticker.Stop()
	failing := false
	for {
		err := q.Drain(ctx)
		switch {
		case ctx.Err() != nil:
			q.finish(ctx, log)
			return
		case err != nil && !failing:
			log.ErrorContext(ctx, "the audit log can't be sequenced", "error", err)
		case err == nil && failing:
			log.InfoContext(ctx, "the audit log is sequenced again")
		}
		failing = err != nil
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func (q *Sequencer) finish(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := q.Drain(ctx); err != nil {
		log.WarnContext(ctx, "events are left to sequence; the next start does it", "error", err)
	}
}

// Drain sequences until nothing waits, or until another server is at it. It returns tree.ErrTampered where the stored tree is not the signed one.
func (q *Sequencer) Drain(ctx context.Context) error {
	for {
		more, err := q.batch(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// errIdle rolls a batch back that has nothing to do.
var errIdle = errors.New("repository: nothing to sequence")

// batch sequences one batch in one transaction: either all of it is in the tree, under a new signed checkpoint, or nothing is. It reports
// whether something is left: what a full batch did not hold, or events of changes by direct SQL that it wrote itself.
func (q *Sequencer) batch(ctx context.Context) (more bool, err error) {
	if err := q.store.keys.refresh(ctx, q.store); err != nil {
		return false, err
	}
	waiting, err := q.waiting(ctx)
	if err != nil || !waiting {
		return false, err
	}
	ctx, _, err = audit.Begin(audit.System(ctx, "sequencer"))
	if err != nil {
		return false, translate(err)
	}
	err = q.store.transact(ctx, func(tx *transaction) (err error) {
		more, err = q.sequence(context.WithValue(ctx, txKey{}, tx))
		return err
	})
	if errors.Is(err, errIdle) {
		return false, nil
	}
	return more, translate(err)
}

// waiting looks without a transaction: an idle clinic's database stays idle.
func (q *Sequencer) waiting(ctx context.Context) (bool, error) {
	var waiting bool
	row := q.store.db.WithContext(ctx).Statement.ConnPool.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT 1 FROM auditoutbox) OR EXISTS (SELECT 1 FROM auditwitness)")
	return waiting, translate(row.Scan(&waiting))
}

func (q *Sequencer) sequence(ctx context.Context) (more bool, err error) {
	mine, err := q.lock(ctx)
	if err != nil {
		return false, err
	}
	if !mine {
		return false, errIdle
	}
	db := q.store.handle(ctx)
	// The witnesses first: the events of the transactions that they saw are then visible too.
	witnesses, err := q.witnesses(ctx)
	if err != nil {
		return false, err
	}
	var outbox []models.AuditOutbox
	if err := db.Order("event_id").Limit(sequenceBatch).Find(&outbox).Error; err != nil {
		return false, err
	}
	if len(witnesses)+len(outbox) == 0 {
		return false, errIdle
	}
	checkpoint, _, err := q.tree.Latest(ctx)
	if err != nil {
		return false, err
	}
	genuine, forged, err := q.authenticate(ctx, outbox, checkpoint.Head.N == 0)
	if err != nil {
		return false, err
	}
	findings, err := q.uncovered(ctx, witnesses, genuine)
	if err != nil {
		return false, err
	}
	// These have the time of what they tell of, which can be long ago: one that waited for the next run would count as lag. What is told of forged events has not:
	// where somebody alters whatever is written, there would be no end of it.
	more = len(findings) > 0 || max(len(outbox), len(witnesses)) == sequenceBatch
	for _, id := range forged {
		findings = append(findings, audit.Event{Action: audit.Create, EntityType: "auditlog", EntityID: id, Outcome: audit.Success})
	}
	if err := insertEvents(db, direct(findings)); err != nil {
		return false, err
	}
	if err := q.append(ctx, checkpoint, genuine); err != nil {
		return false, err
	}
	return more, q.forget(ctx, outbox, witnesses)
}

func (q *Sequencer) witnesses(ctx context.Context) ([]models.AuditWitness, error) {
	var witnesses []models.AuditWitness
	err := scanned(ctx, q.store, "ORDER BY id LIMIT ?", []any{sequenceBatch}, func(w *models.AuditWitness) error {
		witnesses = append(witnesses, *w)
		return nil
	})
	return witnesses, err
}

// lock makes this the only sequencer of the database, until the transaction ends. SQLite has one writer anyway.
func (q *Sequencer) lock(ctx context.Context) (bool, error) {
	if q.store.engine == SQLite {
		return true, nil
	}
	var mine bool
	row := q.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", sequenceLock)
	return mine, row.Scan(&mine)
}

// authenticate returns the waiting events that the program wrote, in order, and the ids of those that somebody else did. Events of a version
// without MACs are taken over once, where the tree begins.
func (q *Sequencer) authenticate(ctx context.Context, outbox []models.AuditOutbox, beginning bool) (genuine []audit.Entry, forged []uuid.UUID, err error) {
	ids := make([]uuid.UUID, len(outbox))
	for i, row := range outbox {
		ids[i] = row.EventID
	}
	entries, err := q.tree.Entries(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	sequenced, err := q.tree.sequenced(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	authenticator := q.store.keyring.LogMAC()
	for _, id := range ids {
		e, ok := entries[id]
		switch {
		case sequenced[id]: // somebody queued it again
			forged = append(forged, id)
		case !ok:
			// Removed before it became a leaf, past the guards. What it said is lost; verify can't know of it either.
			forged = append(forged, id)
		case e.MAC == nil && beginning, e.MAC != nil && authenticator.Verify(e.Authenticated(), *e.MAC):
			genuine = append(genuine, e)
		default:
			forged = append(forged, id)
		}
	}
	return genuine, forged, nil
}

// append adds events to the tree, and signs its new head.
func (q *Sequencer) append(ctx context.Context, checkpoint tree.Checkpoint, entries []audit.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	leaves := make([]uuid.UUID, len(entries))
	hashes := make([]tlog.Hash, len(entries))
	for i, e := range entries {
		leaves[i] = e.ID
		hashes[i] = tlog.RecordHash(e.Leaf())
	}
	head, tiles, err := tree.Append(checkpoint.Head, q.tree.Tiles(ctx), hashes)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e audit.Entry) bool { return e.Action == audit.Restore }) {
		checkpoint.Epoch++
	}
	first := checkpoint.Head.N
	checkpoint.Head = head
	signed, err := checkpoint.Sign(q.store.keyring.LogSigner())
	if err != nil {
		return err
	}
	return q.tree.grow(ctx, first, leaves, tiles, models.AuditCheckpoint{
		TreeSize: head.N, CreatedAt: time.Now().UTC().Truncate(time.Microsecond), Epoch: checkpoint.Epoch, Note: signed,
	})
}

// forget takes what was dealt with from those that wait.
func (q *Sequencer) forget(ctx context.Context, outbox []models.AuditOutbox, witnesses []models.AuditWitness) error {
	db := q.store.handle(ctx)
	if len(outbox) > 0 {
		ids := make([]uuid.UUID, len(outbox))
		for i, row := range outbox {
			ids[i] = row.EventID
		}
		if err := db.Where(q.store.among("event_id", ids)).Delete(&models.AuditOutbox{}).Error; err != nil {
			return err
		}
	}
	if len(witnesses) == 0 {
		return nil
	}
	ids := make([]string, len(witnesses)) // by id: one with a lower may have been committed since
	for i, w := range witnesses {
		ids[i] = strconv.FormatInt(w.ID, 10)
	}
	return db.Exec("DELETE FROM auditwitness WHERE id = ANY(?::bigint[])", "{"+strings.Join(ids, ",")+"}").Error // SQLite has no witnesses
}

// direct stamps events of changes that were made by direct SQL.
func direct(findings []audit.Event) []audit.Event {
	out := make([]audit.Event, len(findings))
	for i, e := range findings {
		out[i] = audit.Stamp(audit.Actor{Origin: audit.DirectSQL}, e)
	}
	return out
}
