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
	// Short enough for a checkpoint within a second, long enough for few checkpoints.
	sequenceInterval = 400 * time.Millisecond
	sequenceBatch    = 2000
	// sequenceLock is the number of the advisory lock of the running sequencer. Any number will do, as long as
	// nothing else uses it.
	sequenceLock = 0x6e6f7661
)

// Sequencer turns the audit events that wait in the outbox into leaves. One sequencer at a time works on a
// database, on whichever server is first.
type Sequencer struct {
	store *Store
	tree  *AuditTreeRepository
}

// NewSequencer returns the sequencer of a store.
func NewSequencer(s *Store) *Sequencer { return &Sequencer{store: s, tree: NewAuditTreeRepository(s)} }

// Run sequences until ctx is done. Then it sequences the remaining events once more.
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

// Drain sequences until no event waits, or until another server sequences. It returns tree.ErrTampered if the
// stored tree is not the signed one.
func (q *Sequencer) Drain(ctx context.Context) error {
	for {
		more, err := q.batch(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// errIdle rolls back a batch that has nothing to do.
var errIdle = errors.New("repository: nothing to sequence")

// batch sequences one batch in one transaction: either the whole batch is in the tree, under a new signed
// checkpoint, or nothing is. It reports whether more is left: events beyond a full batch, or events about changes
// by direct SQL that batch itself wrote.
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

// waiting looks for work without a transaction: an idle clinic's database stays idle.
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
	// Read the witnesses first: the events of the transactions that they saw are then visible too.
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
	// Findings have the time of the change that they report, which can be long ago. A finding that waited for the
	// next run would count as lag. Events about forged events have the current time, and wait. Otherwise, if
	// somebody altered every event, the loop would not end.
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

// lock makes this the only sequencer of the database until the transaction ends, and reports whether it is. SQLite
// has one writer anyway.
func (q *Sequencer) lock(ctx context.Context) (bool, error) {
	if q.store.engine == SQLite {
		return true, nil
	}
	var mine bool
	row := q.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", sequenceLock)
	return mine, row.Scan(&mine)
}

// authenticate returns the waiting events that the program wrote, in order, and the ids of all other waiting
// events. Events of a version without MACs are accepted once, at the beginning of the tree.
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
		case sequenced[id]: // somebody queued the event again
			forged = append(forged, id)
		case !ok:
			// Somebody removed the event past the guards before it became a leaf. Its content is lost; verify can't
			// know of it either.
			forged = append(forged, id)
		case e.MAC == nil && beginning, e.MAC != nil && authenticator.Verify(e.Authenticated(), *e.MAC):
			genuine = append(genuine, e)
		default:
			forged = append(forged, id)
		}
	}
	return genuine, forged, nil
}

// append adds events to the tree, and signs the new head.
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

// forget removes the processed rows from the outbox and from the witnesses.
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
	ids := make([]string, len(witnesses)) // by id: a witness with a lower id may have been committed since
	for i, w := range witnesses {
		ids[i] = strconv.FormatInt(w.ID, 10)
	}
	// SQLite has no witnesses.
	return db.Exec("DELETE FROM auditwitness WHERE id = ANY(?::bigint[])", "{"+strings.Join(ids, ",")+"}").Error
}

// direct stamps events about changes by direct SQL.
func direct(findings []audit.Event) []audit.Event {
	out := make([]audit.Event, len(findings))
	for i, e := range findings {
		out[i] = audit.Stamp(audit.Actor{Origin: audit.DirectSQL}, e)
	}
	return out
}
