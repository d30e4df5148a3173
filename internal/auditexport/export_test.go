package auditexport_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"novamind/internal/audit"
	"novamind/internal/audit/tree"
	"novamind/internal/auditexport"
)

// log is a signed tree over invented events.
type log struct {
	entries    []audit.Entry
	head       tree.Head
	tiles      map[tree.TileID][]byte
	checkpoint string
	verifiers  note.Verifiers
}

func newLog(tb require.TestingT, entries []audit.Entry) *log {
	l := &log{entries: entries}
	hashes := make([]tlog.Hash, len(entries))
	for i, e := range entries {
		hashes[i] = tlog.RecordHash(e.Leaf())
	}
	var err error
	l.head, l.tiles, err = tree.Append(tree.Head{}, l.source, hashes)
	require.NoError(tb, err)
	l.checkpoint, l.verifiers = sign(tb, l.head)
	return l
}

func (l *log) source(ids []tree.TileID) (map[tree.TileID][]byte, error) {
	out := map[tree.TileID][]byte{}
	for _, id := range ids {
		out[id] = l.tiles[id]
	}
	return out, nil
}

func sign(tb require.TestingT, head tree.Head) (string, note.Verifiers) {
	_, secret, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(tb, err)
	public, err := note.NewEd25519VerifierKey("novamind/test", secret.Public().(ed25519.PublicKey))
	require.NoError(tb, err)
	verifier, err := note.NewVerifier(public)
	require.NoError(tb, err)
	signed, err := tree.Checkpoint{Origin: "novamind/test", Head: head, Epoch: 1}.Sign(signer{verifier, secret})
	require.NoError(tb, err)
	return signed, note.VerifierList(verifier)
}

type signer struct {
	note.Verifier
	secret ed25519.PrivateKey
}

// Sign implements note.Signer.
func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.secret, msg), nil }

// export writes the events with these indexes, two at a time.
func (l *log) export(tb require.TestingT, format auditexport.Format, indexes ...int64) string {
	var out bytes.Buffer
	w, err := auditexport.NewWriter(&out, format, l.checkpoint)
	require.NoError(tb, err)
	for len(indexes) > 0 {
		chunk := indexes[:min(2, len(indexes))]
		indexes = indexes[len(chunk):]
		proofs, err := tree.Prove(l.head, l.source, chunk)
		require.NoError(tb, err)
		var records []auditexport.Record
		for i, index := range chunk {
			records = append(records, auditexport.Record{Index: index, Entry: l.entries[index], Proof: proofs[i]})
		}
		require.NoError(tb, w.Write(records))
	}
	return out.String()
}

func (l *log) verify(file string) (auditexport.Report, error) {
	return auditexport.Verify(strings.NewReader(file), l.verifiers)
}

func anID(t *rapid.T) uuid.UUID {
	return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
}

func entries() *rapid.Generator[audit.Entry] {
	text := rapid.Ptr(rapid.String(), true)
	return rapid.Custom(func(t *rapid.T) audit.Entry {
		at := time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "at")).UTC()
		id, other := anID(t), anID(t)
		e := audit.Entry{
			ID: id, CreatedAt: at, UpdatedAt: at, OccurredAt: at, UserID: &other,
			ActorRoles: rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "roles"), OnBehalfOf: text.Draw(t, "behalf"), Address: text.Draw(t, "address"),
			Route: text.Draw(t, "route"), Purpose: text.Draw(t, "purpose"),
			Action: rapid.SampledFrom([]string{"read", "update", "=SUM(A1)", "export"}).Draw(t, "action"), EntityType: "patient", EntityID: &other,
			Fields: rapid.SliceOfN(rapid.StringMatching("[a-z_]{1,8}"), 0, 3).Draw(t, "fields"), Diff: text.Draw(t, "diff"), Details: text.Draw(t, "details"),
			Outcome: "success", Origin: "api", RequestID: text.Draw(t, "request"), Nonce: text.Draw(t, "nonce"), MAC: text.Draw(t, "mac"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "subjects") {
			e.Subjects = append(e.Subjects, audit.EntrySubject{EntityID: anID(t), EntityType: text.Draw(t, "type"), RowVersion: rapid.Ptr(rapid.Int64(), true).Draw(t, "version")})
		}
		return e
	})
}

// The canonical bytes of any event contain the whole event, and no other event has the same bytes.
func TestParseLeaf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		leaf := entries().Draw(t, "entry").Leaf()
		parsed, err := audit.ParseLeaf(leaf)
		require.NoError(t, err)
		require.Equal(t, leaf, parsed.Leaf())
		cut := rapid.IntRange(0, len(leaf)-1).Draw(t, "cut")
		_, err = audit.ParseLeaf(leaf[:cut])
		require.Error(t, err)
		_, err = audit.ParseLeaf(append(leaf, 0))
		require.Error(t, err)
		_, _ = audit.ParseLeaf(rapid.SliceOf(rapid.Byte()).Draw(t, "noise"))
	})
}

// An export verifies with the public key alone, in every format, whole or in parts.
func TestExportVerifies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLog(t, rapid.SliceOfN(entries(), 1, 20).Draw(t, "entries"))
		n := int64(len(l.entries))
		for _, format := range auditexport.Formats() {
			var all []int64
			for i := range n {
				all = append(all, i)
			}
			report, err := l.verify(l.export(t, format, all...))
			require.NoError(t, err, format)
			require.Empty(t, report.Findings, format)
			require.True(t, report.OK && report.Complete, format)
			require.Equal(t, n, report.Events)
			report, err = l.verify(l.export(t, format, n-1))
			require.NoError(t, err, format)
			require.True(t, report.OK)
			require.Equal(t, n == 1, report.Complete)
		}
	})
}

func someEntries(n int) []audit.Entry {
	var out []audit.Entry
	for i := range n {
		at := time.Date(2026, 2, 3, 4, 5, i, 0, time.UTC)
		user := uuid.UUID{1: 7}
		out = append(out, audit.Entry{
			ID: uuid.UUID{15: byte(i)}, CreatedAt: at, UpdatedAt: at, OccurredAt: at, UserID: &user, ActorRoles: []string{"clinician"},
			Action: audit.Read, EntityType: "patient", Outcome: audit.Success, Origin: audit.API, Subjects: []audit.EntrySubject{{EntityID: uuid.UUID{2: byte(i)}}},
		})
	}
	return out
}

// replacements returns the bytes to put in the place of byte i: one of three, or all with NOVAMIND_TEST_LONG.
func replacements(i int) []byte {
	all := []byte{'0', 'A', ' '}
	if os.Getenv("NOVAMIND_TEST_LONG") != "" {
		return all
	}
	return all[i%len(all):][:1]
}

// Every changed byte of an export is found, and so is a record that is left out or appears twice.
func TestExportTampered(t *testing.T) {
	t.Parallel()
	l := newLog(t, someEntries(3))
	for _, format := range auditexport.Formats() {
		file := l.export(t, format, 0, 1, 2)
		for i := range len(file) {
			for _, with := range replacements(i) {
				altered := []byte(file)
				if altered[i] == with || altered[i] == '\n' {
					continue
				}
				altered[i] = with
				report, err := l.verify(string(altered))
				if err == nil && report.OK && !sameCSV(format, altered, file) {
					t.Fatalf("%s: byte %d, %q instead of %q, was not found near %q", format, i, with, file[i], file[max(0, i-30):min(len(file), i+30)])
				}
			}
		}
		records := strings.SplitAfter(file, "\n")
		report, err := l.verify(file + records[len(records)-2])
		require.NoError(t, err)
		require.Len(t, report.Findings, 1)
		require.Equal(t, "stands in the file twice", report.Findings[0].Detail)
		require.Equal(t, l.entries[2].ID, *report.Findings[0].EventID)
		report, err = l.verify(strings.Join(records[:len(records)-2], ""))
		require.NoError(t, err)
		require.True(t, report.OK)
		require.False(t, report.Complete, "%s: one was cut off", format)
	}
}

// sameCSV reports whether a changed byte has no meaning in CSV, because it is in a heading.
func sameCSV(format auditexport.Format, altered []byte, file string) bool {
	_, rest, _ := strings.Cut(file, "\n")
	return format == auditexport.CSV && strings.HasSuffix(string(altered), rest)
}

func TestExportOfAnotherLog(t *testing.T) {
	t.Parallel()
	l, other := newLog(t, someEntries(3)), newLog(t, someEntries(3))
	for _, format := range auditexport.Formats() {
		_, err := other.verify(l.export(t, format, 0))
		require.ErrorIs(t, err, tree.ErrTampered, format)
		require.ErrorIs(t, err, auditexport.ErrSigner, format)
	}
	_, err := l.verify("something else\n")
	require.ErrorIs(t, err, auditexport.ErrNotExport)
	_, err = l.verify("")
	require.ErrorIs(t, err, auditexport.ErrNotExport)
}

// A proof is a file of its own (C2SP tlog-proof).
func TestProofFile(t *testing.T) {
	t.Parallel()
	l := newLog(t, someEntries(300))
	proofs, err := tree.Prove(l.head, l.source, []int64{0, 299, 17})
	require.NoError(t, err)
	for i, index := range []int64{0, 299, 17} {
		file := tree.ProofFile{Leaf: l.entries[index].Leaf(), Index: index, Proof: proofs[i], Checkpoint: l.checkpoint}
		report, err := l.verify(file.String())
		require.NoError(t, err)
		require.True(t, report.OK)
		parsed, err := tree.ParseProofFile(file.String())
		require.NoError(t, err)
		require.Equal(t, file, parsed)
		_, err = parsed.Check(l.verifiers)
		require.NoError(t, err)
		parsed.Index = 3
		report, err = l.verify(parsed.String())
		require.NoError(t, err)
		require.False(t, report.OK, "leaf %d", index)
	}
	_, err = tree.Prove(l.head, l.source, []int64{300})
	require.ErrorIs(t, err, tree.ErrTampered)
}

// The last letter of base64 has bits without meaning. A signature with another spelling there is not the signature
// that was made.
func TestCheckpointsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	l := newLog(t, someEntries(1))
	_, err := tree.OpenCheckpoint(l.checkpoint, l.verifiers)
	require.NoError(t, err)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := len(strings.TrimRight(l.checkpoint, "=\n")) - 1
	for i := range len(alphabet) {
		if alphabet[i] == l.checkpoint[last] {
			continue
		}
		_, err := tree.OpenCheckpoint(l.checkpoint[:last]+alphabet[i:i+1]+l.checkpoint[last+1:], l.verifiers)
		require.ErrorIs(t, err, tree.ErrTampered)
	}
}

// A checkpoint that a known key did not sign is distinguished from a checkpoint that another key signed.
func TestCheckpointThatWasAltered(t *testing.T) {
	t.Parallel()
	l := newLog(t, someEntries(3))
	file := l.export(t, auditexport.NDJSON, 0)
	require.Contains(t, file, `\n3\n`)
	_, err := l.verify(strings.Replace(file, `\n3\n`, `\n4\n`, 1))
	require.ErrorIs(t, err, auditexport.ErrSignature)
	require.ErrorIs(t, err, tree.ErrTampered)
}
