package service

import (
	"context"
	"io"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/audit/tree"
	"novamind/internal/auditexport"
	"novamind/repository"
)

// Prove returns the proof that an event is in the log. It returns a Forbidden error, or a NotFound error if there is
// no such event or it was never sequenced.
func (s *AuditTreeService) Prove(ctx context.Context, id uuid.UUID) (tree.ProofFile, error) {
	checkpoint, note, err := s.Checkpoint(ctx)
	if err != nil {
		return tree.ProofFile{}, err
	}
	intent := audit.Intent{Action: audit.Read, EntityType: "auditlog", EntityID: id, Details: "proof"}
	return guarded(ctx, s.store, AuditLogRead, intent, s.store.Read, func(ctx context.Context) (file tree.ProofFile, err error) {
		records, err := s.records(ctx, checkpoint.Head, []uuid.UUID{id})
		if err != nil {
			return file, err
		}
		if len(records) == 0 {
			return file, apperr.New(apperr.NotFound, "The resource does not exist, or you may not see it.")
		}
		r := records[0]
		return tree.ProofFile{Leaf: r.Entry.Leaf(), Index: r.Index, Proof: r.Proof, Checkpoint: note}, nil
	})
}

// ErrEmptyLog means that there is no event yet, so there is no checkpoint.
var ErrEmptyLog = apperr.New(apperr.NotFound, "The audit log is empty.")

// Export writes the events that match q and were sequenced until now, oldest first, with their proofs. Sealed values
// stay sealed. Each chunk is recorded before it is written. If progress is not nil, Export calls it with the number
// of events written and the number that match. Export returns a Forbidden error, ErrEmptyLog, or
// auditexport.ErrFormat.
func (s *AuditTreeService) Export(ctx context.Context, q AuditLogQuery, format auditexport.Format, w io.Writer,
	progress func(done, total int64),
) (int64, error) {
	checkpoint, note, err := s.Checkpoint(ctx)
	if err != nil {
		return 0, err
	}
	if note == "" {
		return 0, ErrEmptyLog
	}
	var out *auditexport.Writer
	written, total := int64(0), int64(0)
	events := repository.NewAuditLogRepository(s.store)
	intent := audit.Intent{Action: audit.Export, EntityType: "auditlog", Details: string(format) + " " + q.Shape()}
	err = inChunks(ctx, s.store, AuditLogExport, intent, func(ctx context.Context, page Page) ([]auditexport.Record, uuid.UUID, bool, error) {
		ids, more, err := events.IDs(ctx, q, page)
		if err != nil || len(ids) == 0 {
			return nil, uuid.Nil, false, err
		}
		records, err := s.records(ctx, checkpoint.Head, ids)
		return records, ids[len(ids)-1], more, err
	}, func(records []auditexport.Record) error {
		if out == nil {
			var err error
			if progress != nil {
				if total, err = events.Count(ctx, q); err != nil {
					return err
				}
			}
			if out, err = auditexport.NewWriter(w, format, note); err != nil {
				return err
			}
		}
		written += int64(len(records))
		if progress != nil {
			progress(written, total)
		}
		return out.Write(records)
	})
	return written, err
}

// records returns the events of ids that are in the tree of head, with their proofs.
func (s *AuditTreeService) records(ctx context.Context, head tree.Head, ids []uuid.UUID) ([]auditexport.Record, error) {
	entries, err := s.tree.Entries(ctx, ids)
	if err != nil {
		return nil, err
	}
	leaves, err := s.tree.LeavesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var records []auditexport.Record
	var indexes []int64
	for _, id := range ids {
		entry, there := entries[id]
		if index, sequenced := leaves[id]; there && sequenced && index < head.N {
			records, indexes = append(records, auditexport.Record{Index: index, Entry: entry}), append(indexes, index)
		}
	}
	proofs, err := tree.Prove(head, s.tree.Tiles(ctx), indexes)
	if err != nil {
		return nil, err
	}
	for i := range records {
		records[i].Proof = proofs[i]
	}
	return records, nil
}
