package phi

import (
	"bytes"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// The pairs below have the same plain text of 200 bytes and the same associated data: their ratio is the cost of
// our envelope.

var benchPlace = Binding{Table: "patient", Column: "contact_info", Row: uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057"), Version: 7}

func benchSealer(b *testing.B) (*Sealer, []byte) {
	b.Helper()
	uri := "file:" + b.TempDir() + "/kek"
	require.NoError(b, CreateKEK(uri))
	kek, err := LoadKEK(uri)
	require.NoError(b, err)
	wrapped := map[Purpose]string{}
	for _, p := range Purposes() {
		wrapped[p], err = NewKeyset(p, kek)
		require.NoError(b, err)
	}
	ring, err := OpenKeyring(kek, wrapped, "US")
	require.NoError(b, err)
	return ring.Sealer(Data), bytes.Repeat([]byte("x"), 200)
}

func BenchmarkSealTink(b *testing.B) {
	s, plain := benchSealer(b)
	ad := benchPlace.appendAssociatedData(nil)
	for b.Loop() {
		_, _ = s.aead.Encrypt(plain, ad)
	}
}

func BenchmarkSeal(b *testing.B) {
	s, plain := benchSealer(b)
	for b.Loop() {
		_, _ = s.Seal(plain, benchPlace)
	}
}

func BenchmarkOpenTink(b *testing.B) {
	s, plain := benchSealer(b)
	ad := benchPlace.appendAssociatedData(nil)
	ciphertext, err := s.aead.Encrypt(plain, ad)
	require.NoError(b, err)
	for b.Loop() {
		_, _ = s.aead.Decrypt(ciphertext, ad)
	}
}

func BenchmarkOpen(b *testing.B) {
	s, plain := benchSealer(b)
	envelope, err := s.Seal(plain, benchPlace)
	require.NoError(b, err)
	for b.Loop() {
		_, _ = s.Open(envelope, benchPlace)
	}
}
