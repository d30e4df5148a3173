package service

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/audit/tree"
	"novamind/internal/plural"
	"novamind/repository"
)

// checkTiles compares the tiles above the lowest level with the head, because new hashes are built on these tiles.
func (v *verifier) checkTiles(ctx context.Context) error {
	if len(v.signed) == 0 || v.firstBroken != nil {
		return nil
	}
	head := v.signed[len(v.signed)-1].Head
	reader := tree.Reader(head, v.tree.Tiles(ctx))
	for level := 1; head.N>>(level*tree.TileHeight) > 0; level++ {
		hashes := head.N >> (level * tree.TileHeight)
		for n := int64(0); n < hashes; n += 1 << tree.TileHeight {
			index := tlog.StoredHashIndex(level*tree.TileHeight, min(n+1<<tree.TileHeight, hashes)-1)
			_, err := reader.ReadHashes([]int64{index})
			if apperr.Is(err, apperr.Unavailable) {
				return err
			}
			if altered := err != nil; altered {
				first := n << (level * tree.TileHeight)
				v.found(Finding{Kind: FoundTile, Index: new(first), Detail: fmt.Sprintf("the stored hashes over leaf %d and its neighbours were altered", first)})
				return nil //nolint:nilerr // the error is the finding
			}
		}
	}
	return nil
}

// checkEnds compares the end of the log with its signed and anchored ends.
func (v *verifier) checkEnds(ctx context.Context) error {
	leaves, checkpoint, err := v.tree.Ends(ctx)
	if err != nil {
		return err
	}
	if leaves != checkpoint {
		v.found(Finding{Kind: FoundTruncated, Index: new(min(leaves, checkpoint)), Detail: fmt.Sprintf("%s, and the last checkpoint is at %d",
			plural.Count(leaves, "leaf is there", "leaves are there"), checkpoint)})
	}
	epochs := map[int64]int64{} // epoch → where its last stored checkpoint is
	last := int64(0)
	for _, c := range v.signed {
		epochs[c.Epoch] = c.Head.N
		last = max(last, c.Epoch)
	}
	lost := 0
	for _, a := range v.anchored {
		end := epochs[a.Epoch]
		switch {
		case a.Head.N <= end:
		case a.Epoch < last:
			lost++
		default:
			v.found(Finding{Kind: FoundTruncated, Index: new(end), Detail: fmt.Sprintf(
				"the log ends at %d, and had %s when it was anchored at %s: its end was removed, or this is an old copy",
				end, plural.Count(a.Head.N, "event", "events"), a.at)})
			return nil
		}
	}
	if lost > 0 {
		v.note(plural.Count(lost, "anchored checkpoint", "anchored checkpoints") + " went further than the backup that was restored later")
	}
	return nil
}

// checkInserted looks for events that never passed through the outbox.
func (v *verifier) checkInserted(ctx context.Context) error {
	ids, err := v.tree.Inserted(ctx, maxFindings)
	if err != nil {
		return err
	}
	for _, id := range ids {
		v.found(Finding{Kind: FoundInserted, EventID: about(id), Detail: "the event is in the log and was never sequenced: it was added past the program"})
	}
	return nil
}

// checkForms looks for events that still have their content, but in a stored form that searches miss.
func (v *verifier) checkForms(ctx context.Context) error {
	found, err := v.tree.Misformed(ctx, maxFindings)
	if err != nil {
		return err
	}
	for _, event := range found {
		v.misformed = true
		v.found(Finding{
			Kind: FoundModified, Index: event.Index, EventID: about(event.EventID),
			Detail: "the event is stored in another form than it was written in, so that searches miss it",
		})
	}
	return nil
}

// checkRows compares records with the last events on them.
func (v *verifier) checkRows(ctx context.Context) error {
	if !v.options.Rows {
		return nil
	}
	if v.misformed { // the last events of a record could not be found
		v.result.Notes = append(v.result.Notes, "the records were not compared: the log has events in another form than they were written in")
		return nil
	}
	older := 0
	err := v.tree.Rows(ctx, func(state repository.RowState) error {
		v.result.Rows++
		switch {
		case state.Sound():
			return nil
		case state.Logged == "" && state.Older:
			older++
			return nil
		}
		f := Finding{Kind: FoundRow, EventID: about(state.EventID)}
		switch {
		case state.Logged == "":
			f.Detail = fmt.Sprintf("%s %s: no event made it", state.Table, state.ID)
		case state.Logged == audit.Removed:
			f.Detail = fmt.Sprintf("%s %s: it is there, and its last event removed it", state.Table, state.ID)
		case state.Digest == audit.Removed:
			f.Detail = fmt.Sprintf("%s %s: it is gone, and no event removed it", state.Table, state.ID)
		default:
			f.Detail = fmt.Sprintf("%s %s: the row differs from its last event", state.Table, state.ID)
		}
		if index, err := v.tree.LeafOf(ctx, state.EventID); err == nil {
			f.Index = new(index)
		}
		v.found(f)
		return nil
	})
	if err == nil {
		err = v.checkTokens(ctx)
	}
	if older > 0 {
		v.note(plural.Count(older, "record was", "records were") + " last changed before events carried digests")
	}
	return err
}

// checkTokens compares the search index of patients with their rows.
func (v *verifier) checkTokens(ctx context.Context) error {
	return eachMisindexed(ctx, v.store, repository.NewPatientRepository(v.store), func(id uuid.UUID) error {
		v.found(Finding{Kind: FoundRow, Detail: fmt.Sprintf("patient %s: the search index differs from the record", id)})
		return nil
	})
}
