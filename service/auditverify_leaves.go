package service

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"novamind/internal/audit/tree"
)

const leafBatch = 1000

// checkLeaves recomputes the tree twice, from the hashes that are stored and from the events as they are, and
// compares both with every signed and every anchored checkpoint.
func (v *verifier) checkLeaves(ctx context.Context) error {
	if len(v.signed) == 0 {
		return nil
	}
	size := v.signed[len(v.signed)-1].Head.N
	if err := v.resume(ctx); err != nil {
		return err
	}
	compare := v.comparer()
	for from := v.start; from < size; from += leafBatch {
		to := min(from+leafBatch, size)
		leaves, err := v.leaves(ctx, from, to)
		if err != nil {
			return err
		}
		for _, leaf := range leaves {
			v.judge(leaf)
			if err := compare(leaf.index + 1); err != nil {
				return err
			}
		}
		v.result.Events += to - from
		if v.options.Progress != nil {
			v.options.Progress(v.result.Events, size-v.start)
		}
	}
	if v.firstBroken == nil {
		v.accuse() // the last checkpoint covers every leaf, so no suspects are left
	}
	return nil
}

// resume sets both computations to the head of the trusted checkpoint.
func (v *verifier) resume(ctx context.Context) error {
	if v.start == 0 {
		return nil
	}
	for _, roots := range []*tree.Roots{&v.stored, &v.recomputed} {
		if err := roots.Resume(v.signed[0].Head, v.tree.Tiles(ctx)); err != nil {
			return fmt.Errorf("the stored tree does not begin with the checkpoint to start from: %w", err)
		}
	}
	return nil
}

// suspect is a leaf whose stored hash differs from the hash of its event.
type suspect struct {
	Finding
	stored, event tlog.Hash
}

// leaf is one leaf as it is stored.
type leaf struct {
	index   int64
	eventID uuid.UUID
	stored  *tlog.Hash // in the tile
	event   *tlog.Hash // of the event; nil if there is none
	genuine bool       // the event has the program's MAC, or is older than MACs
}

func (v *verifier) leaves(ctx context.Context, from, to int64) ([]leaf, error) {
	out := make([]leaf, to-from)
	for i := range out {
		out[i].index = from + int64(i)
	}
	rows, err := v.tree.Leaves(ctx, from, int(to-from))
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	for _, row := range rows {
		if row.LeafIndex < to {
			out[row.LeafIndex-from].eventID = row.EventID
			ids = append(ids, row.EventID)
		}
	}
	entries, err := v.tree.Entries(ctx, ids)
	if err != nil {
		return nil, err
	}
	hashes, err := v.storedHashes(ctx, from, to)
	if err != nil {
		return nil, err
	}
	authenticator := v.store.Keyring().LogMAC()
	for i := range out {
		out[i].stored = hashes[i]
		if e, ok := entries[out[i].eventID]; ok {
			hash := tlog.RecordHash(e.Leaf())
			out[i].event = &hash
			out[i].genuine = e.MAC == nil || authenticator.Verify(e.Authenticated(), *e.MAC)
		}
	}
	return out, nil
}

// storedHashes reads leaf hashes from the tiles of the lowest level.
func (v *verifier) storedHashes(ctx context.Context, from, to int64) ([]*tlog.Hash, error) {
	const width = 1 << tree.TileHeight
	var ids []tree.TileID
	for n := from / width; n*width < to; n++ {
		ids = append(ids, tree.TileID{Level: 0, Index: n})
	}
	tiles, err := v.tree.Tiles(ctx)(ids)
	if err != nil {
		return nil, err
	}
	out := make([]*tlog.Hash, to-from)
	for i := range out {
		index := from + int64(i)
		tile, place := tiles[tree.TileID{Level: 0, Index: index / width}], index%width*tlog.HashSize
		if int64(len(tile)) >= place+tlog.HashSize {
			hash := tlog.Hash(tile[place : place+tlog.HashSize])
			out[i] = &hash
		}
	}
	return out, nil
}

// judge adds one leaf to both computations, and to the suspects if they differ.
func (v *verifier) judge(l leaf) {
	var none tlog.Hash
	stored, event := none, none
	if l.stored != nil {
		stored = *l.stored
	}
	if l.event != nil {
		event = *l.event
	}
	v.stored.Add(stored)
	v.recomputed.Add(event)
	f := Finding{Index: new(l.index), EventID: about(l.eventID)}
	switch {
	case l.event == nil:
		f.Kind, f.Detail = FoundDeleted, "the event is gone"
		if l.eventID == uuid.Nil {
			f.Detail = "nothing says any more which event this leaf was"
		}
	case stored != event:
		f.Kind, f.Detail = FoundModified, "the event was changed after it became a leaf"
	case !l.genuine:
		f.Kind, f.Detail = FoundModified, "the event was not written by this program"
	default:
		return
	}
	v.suspects = append(v.suspects, suspect{f, stored, event})
}

// accuse reports the suspects, once the stored hashes have proved right. An event that belongs to another leaf is
// reported as reordered.
func (v *verifier) accuse() {
	was := make(map[tlog.Hash]int64, len(v.suspects))
	for _, s := range v.suspects {
		was[s.stored] = *s.Index
	}
	for _, s := range v.suspects {
		if place, ok := was[s.event]; ok && s.Kind == FoundModified && place != *s.Index {
			s.Kind, s.Detail = FoundReordered, fmt.Sprintf("the event is that of leaf %d", place)
		}
		v.found(s.Finding)
	}
	v.suspects = nil
}

// comparer returns a function that compares both computations with the checkpoints of a size. Call it when that many
// leaves were added.
func (v *verifier) comparer() func(size int64) error {
	signed, published := v.signed, v.anchored
	return func(size int64) error {
		for len(published) > 0 && published[0].Head.N < size {
			published = published[1:]
		}
		for len(signed) > 0 && signed[0].Head.N < size {
			signed = signed[1:]
		}
		if len(signed) > 0 && signed[0].Head.N == size {
			if err := v.compare(signed[0].Head, ""); err != nil {
				return err
			}
		}
		for len(published) > 0 && published[0].Head.N == size {
			if err := v.compare(published[0].Head, published[0].at); err != nil {
				return err
			}
			published = published[1:]
		}
		return nil
	}
}

// compare decides, for the leaves since the last checkpoint, which side is right: the events or the stored hashes.
func (v *verifier) compare(head tree.Head, anchoredAt string) error {
	stored, err := v.stored.Head()
	if err != nil {
		return err
	}
	recomputed, err := v.recomputed.Head()
	if err != nil {
		return err
	}
	v.result.Root = recomputed.Hash.String()
	switch {
	case stored.Hash == head.Hash: // the stored hashes are the signed ones: a differing event was changed
		v.accuse()
	case recomputed.Hash == head.Hash: // the events are the signed ones: the stored hashes were changed
		for _, s := range v.suspects {
			s.Kind, s.Detail = FoundTile, "the stored hash of the leaf was altered; the event is unchanged"
			v.found(s.Finding)
		}
		v.suspects = nil
	case anchoredAt != "":
		v.rewritten(head.N, "the history differs from the checkpoint that was anchored at "+anchoredAt)
	default:
		v.rewritten(head.N, fmt.Sprintf("neither the events nor the stored hashes lead to the checkpoint signed at %d", head.N))
	}
	return nil
}

// rewritten reports a history that neither side can prove. It names the first suspect as the best guess, else the
// last leaf before the checkpoint.
func (v *verifier) rewritten(size int64, detail string) {
	if v.firstBroken != nil {
		return // everything after it differs too
	}
	v.firstBroken = new(size)
	if len(v.suspects) > 0 {
		f := v.suspects[0].Finding
		f.Detail = detail + "; " + f.Detail
		v.found(f)
		return
	}
	v.found(Finding{Kind: FoundRewritten, Index: new(size - 1), Detail: detail})
}
