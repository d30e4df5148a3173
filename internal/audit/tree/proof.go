package tree

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows that a leaf is in a tree. It is the hashes beside the leaf's path to the root (RFC 6962).
type Proof = tlog.RecordProof

// Prove returns the proofs that leaves are in the tree of a head, in the order of indexes, reading each stored tile
// once. It returns ErrTampered if the stored tiles are not those of the head, or if an index is not in the tree.
func Prove(head Head, source Source, indexes []int64) ([]Proof, error) {
	wanted := map[int64]bool{}
	for _, index := range indexes {
		_, err := tlog.ProveRecord(head.N, index, tlog.HashReaderFunc(func(needed []int64) ([]tlog.Hash, error) {
			for _, i := range needed {
				wanted[i] = true
			}
			return make([]tlog.Hash, len(needed)), nil
		}))
		if err != nil {
			return nil, tampered(err)
		}
	}
	hashes, err := readAll(head, source, wanted)
	if err != nil {
		return nil, err
	}
	proofs := make([]Proof, len(indexes))
	for i, index := range indexes {
		if proofs[i], err = tlog.ProveRecord(head.N, index, hashes); err != nil {
			return nil, tampered(err)
		}
	}
	return proofs, nil
}

// readAll reads hashes of a tree by their stored indexes.
func readAll(head Head, source Source, wanted map[int64]bool) (tlog.HashReader, error) {
	indexes := make([]int64, 0, len(wanted))
	for index := range wanted {
		indexes = append(indexes, index)
	}
	read := map[int64]tlog.Hash{}
	if len(indexes) > 0 {
		hashes, err := Reader(head, source).ReadHashes(indexes)
		if err != nil {
			return nil, tampered(err)
		}
		for i, index := range indexes {
			read[index] = hashes[i]
		}
	}
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = read[index]
		}
		return out, nil
	}), nil
}

// Included returns ErrTampered unless p shows that these bytes are the leaf at index in the tree of a head.
func Included(p Proof, head Head, index int64, leaf []byte) error {
	if err := tlog.CheckRecord(p, head.N, head.Hash, index, tlog.RecordHash(leaf)); err != nil {
		return fmt.Errorf("%w: leaf %d is not in the tree of the checkpoint at %d", ErrTampered, index, head.N)
	}
	return nil
}

// ProofFile is a leaf with all data needed to check it: a C2SP tlog-proof whose extra data is the leaf.
type ProofFile struct {
	Leaf       []byte
	Index      int64
	Proof      Proof
	Checkpoint string // the signed note
}

const proofHeader = "c2sp.org/tlog-proof@v1"

// String returns the text form.
func (f ProofFile) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nextra %s\nindex %d\n", proofHeader, base64.StdEncoding.EncodeToString(f.Leaf), f.Index)
	for _, hash := range f.Proof {
		b.WriteString(base64.StdEncoding.EncodeToString(hash[:]) + "\n")
	}
	b.WriteString("\n" + f.Checkpoint)
	return b.String()
}

var errProof = errors.New("not a tlog-proof with the leaf as its extra data")

// IsProofFile reports whether a text with this beginning is meant to be a ProofFile.
func IsProofFile(begin string) bool { return strings.HasPrefix(begin, proofHeader+"\n") }

// ParseProofFile reads the text form. It checks only the form.
func ParseProofFile(text string) (ProofFile, error) {
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 3 || lines[0] != proofHeader {
		return ProofFile{}, errProof
	}
	extra, isExtra := strings.CutPrefix(lines[1], "extra ")
	index, isIndex := strings.CutPrefix(lines[2], "index ")
	f := ProofFile{Checkpoint: checkpoint}
	var leafErr, indexErr error
	f.Leaf, leafErr = base64.StdEncoding.Strict().DecodeString(extra)
	f.Index, indexErr = strconv.ParseInt(index, 10, 64)
	if !isExtra || !isIndex || leafErr != nil || indexErr != nil {
		return ProofFile{}, errProof
	}
	for _, line := range lines[3:] {
		hash, err := ParseHash(line)
		if err != nil {
			return ProofFile{}, err
		}
		f.Proof = append(f.Proof, hash)
	}
	return f, nil
}

// ParseHash reads a hash in base64.
func ParseHash(text string) (tlog.Hash, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		return tlog.Hash{}, errProof
	}
	return tlog.Hash(raw), nil
}

// Check returns the checkpoint under which the leaf is proved. It returns ErrTampered if no key of verifiers signed
// the checkpoint, or if the leaf is not in its tree.
func (f ProofFile) Check(verifiers note.Verifiers) (Checkpoint, error) {
	checkpoint, err := OpenCheckpoint(f.Checkpoint, verifiers)
	if err != nil {
		return Checkpoint{}, err
	}
	return checkpoint, Included(f.Proof, checkpoint.Head, f.Index, f.Leaf)
}
