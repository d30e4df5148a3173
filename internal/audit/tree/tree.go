// Package tree is the transparency log over the audit events. It is a Merkle tree (RFC 6962, by
// golang.org/x/mod/sumdb/tlog) in tiles, with signed checkpoints (C2SP tlog-checkpoint). It stores nothing itself.
package tree

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// TileHeight is the height of tiles: a full one holds 256 hashes, 8 KiB.
const TileHeight = 8

// ErrTampered is returned if the stored tree is not the signed one.
var ErrTampered = errors.New("the audit tree was tampered with")

// Head is a tree's size in leaves, and its root hash.
type Head = tlog.Tree

// TileID is the place of a tile: its level, counted from the leaves, and its position there.
type TileID struct{ Level, Index int64 }

// Source reads stored tiles, each as wide as it is stored. A missing tile is missing from the map.
type Source func(ids []TileID) (map[TileID][]byte, error)

// Reader returns the hashes of the tree of a head, each checked against the head's root: every returned hash was in
// that tree.
func Reader(head Head, source Source) tlog.HashReader {
	return tlog.TileHashReader(head, tileReader{source})
}

type tileReader struct{ source Source }

// Height implements tlog.TileReader.
func (tileReader) Height() int { return TileHeight }

// SaveTiles implements tlog.TileReader: the tiles are stored already.
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader. A tile may have grown since the requested tree, but never shrunk.
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	ids := make([]TileID, len(tiles))
	for i, t := range tiles {
		ids[i] = TileID{int64(t.L), t.N}
	}
	stored, err := r.source(ids)
	if err != nil {
		return nil, err
	}
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		have, want := stored[ids[i]], t.W*tlog.HashSize
		if len(have) < want {
			return nil, fmt.Errorf("%w: tile %d of level %d is cut short", ErrTampered, t.N, t.L)
		}
		data[i] = have[:want]
	}
	return data, nil
}

// Append adds leaves to the tree of a head. It returns the head of the grown tree, and the changed tiles. It
// returns ErrTampered if the stored tiles are not those of the head.
func Append(head Head, source Source, leaves []tlog.Hash) (Head, map[TileID][]byte, error) {
	grown := overlay{old: Reader(head, source), oldCount: tlog.StoredHashCount(head.N), added: map[int64]tlog.Hash{}}
	for i, leaf := range leaves {
		n := head.N + int64(i)
		hashes, err := tlog.StoredHashesForRecordHash(n, leaf, grown)
		if err != nil {
			return Head{}, nil, tampered(err)
		}
		first := tlog.StoredHashIndex(0, n)
		for k, hash := range hashes {
			grown.added[first+int64(k)] = hash
		}
	}
	next := Head{N: head.N + int64(len(leaves))}
	var err error
	if next.Hash, err = tlog.TreeHash(next.N, grown); err != nil {
		return Head{}, nil, tampered(err)
	}
	tiles := map[TileID][]byte{}
	for _, t := range tlog.NewTiles(TileHeight, head.N, next.N) {
		data, err := tlog.ReadTileData(t, grown)
		if err != nil {
			return Head{}, nil, tampered(err)
		}
		// NewTiles may name one tile at several widths
		if id := (TileID{int64(t.L), t.N}); len(data) > len(tiles[id]) {
			tiles[id] = data
		}
	}
	return next, tiles, nil
}

func tampered(err error) error {
	if errors.Is(err, ErrTampered) {
		return err
	}
	return fmt.Errorf("%w: %s", ErrTampered, err.Error()) // tlog's text names the inconsistency
}

// overlay is a tree with hashes that are not stored yet.
type overlay struct {
	old      tlog.HashReader
	oldCount int64
	added    map[int64]tlog.Hash
}

// ReadHashes implements tlog.HashReader.
func (o overlay) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	var stored []int64
	var places []int
	for i, index := range indexes {
		hash, ok := o.added[index]
		switch {
		case ok:
			out[i] = hash
		case index < o.oldCount:
			stored, places = append(stored, index), append(places, i)
		default:
			return nil, fmt.Errorf("audit tree: no hash %d", index)
		}
	}
	if len(stored) == 0 {
		return out, nil
	}
	hashes, err := o.old.ReadHashes(stored)
	if err != nil {
		return nil, err
	}
	for i, hash := range hashes {
		out[places[i]] = hash
	}
	return out, nil
}

// Roots computes the roots of a growing tree from its leaf hashes alone, in order.
type Roots struct {
	size   int64
	hashes map[int64]tlog.Hash // the roots of the full subtrees on the right edge, by stored index
}

// Add adds the next leaf.
func (r *Roots) Add(leaf tlog.Hash) {
	if r.hashes == nil {
		r.hashes = map[int64]tlog.Hash{}
	}
	level, n := 0, r.size
	for n&1 == 1 { // a left sibling waits: join the two
		left := tlog.StoredHashIndex(level, n-1)
		leaf = tlog.NodeHash(r.hashes[left], leaf)
		delete(r.hashes, left)
		level, n = level+1, n>>1
	}
	r.hashes[tlog.StoredHashIndex(level, n)] = leaf
	r.size++
}

// Head returns the head of the tree so far.
func (r *Roots) Head() (Head, error) {
	root, err := tlog.TreeHash(r.size, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hash, ok := r.hashes[index]
			if !ok {
				return nil, fmt.Errorf("audit tree: no hash %d", index)
			}
			out[i] = hash
		}
		return out, nil
	}))
	return Head{N: r.size, Hash: root}, err
}

// Resume sets an empty computation to the tree of a head. It reads the right edge from the stored tiles, and checks
// it.
func (r *Roots) Resume(head Head, source Source) error {
	r.size, r.hashes = head.N, map[int64]tlog.Hash{}
	var edge []int64
	for level, n := 0, head.N; n > 0; level, n = level+1, n>>1 {
		if n&1 == 1 {
			edge = append(edge, tlog.StoredHashIndex(level, n-1))
		}
	}
	hashes, err := Reader(head, source).ReadHashes(edge)
	if err != nil {
		return tampered(err)
	}
	for i, index := range edge {
		r.hashes[index] = hashes[i]
	}
	return nil
}
