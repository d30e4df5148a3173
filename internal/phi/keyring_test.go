package phi

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func newKEK(tb testing.TB) *KEK {
	tb.Helper()
	uri := "file:" + filepath.Join(tb.TempDir(), "kek")
	require.NoError(tb, CreateKEK(uri))
	kek, err := LoadKEK(uri)
	require.NoError(tb, err)
	return kek
}

func newKeysets(tb testing.TB, kek *KEK) map[Purpose]string {
	tb.Helper()
	wrapped := map[Purpose]string{}
	for _, p := range Purposes() {
		keyset, err := NewKeyset(p, kek)
		require.NoError(tb, err)
		wrapped[p] = keyset
	}
	return wrapped
}

func newRing(tb testing.TB) *Keyring {
	tb.Helper()
	kek := newKEK(tb)
	ring, err := OpenKeyring(kek, newKeysets(tb, kek), "US")
	require.NoError(tb, err)
	return ring
}

var place = Binding{Table: "patient", Column: "first_name", Row: uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057"), Version: 3}

func TestSealedValueOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	s := newRing(t).Sealer(Data)
	envelope, err := s.Seal([]byte("Canary"), place)
	require.NoError(t, err)
	plain, err := s.Open(envelope, place)
	require.NoError(t, err)
	require.Equal(t, "Canary", string(plain))
	for name, elsewhere := range map[string]Binding{
		"table":         {Table: "account", Column: place.Column, Row: place.Row, Version: place.Version},
		"column":        {Table: place.Table, Column: "last_name", Row: place.Row, Version: place.Version},
		"row":           {Table: place.Table, Column: place.Column, Row: uuid.New(), Version: place.Version},
		"older version": {Table: place.Table, Column: place.Column, Row: place.Row, Version: place.Version - 1},
		"shifted names": {Table: "patientf", Column: "irst_name", Row: place.Row, Version: place.Version},
	} {
		_, err := s.Open(envelope, elsewhere)
		require.ErrorIs(t, err, ErrUnreadable, name)
		require.NotContains(t, err.Error(), "Canary")
	}
}

// Every change of one character is refused: the envelope has no part without meaning.
func TestAlteredEnvelopeIsRefused(t *testing.T) {
	t.Parallel()
	s := newRing(t).Sealer(Data)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		envelope, err := s.Seal(plain, place)
		require.NoError(t, err)
		opened, err := s.Open(envelope, place)
		require.NoError(t, err)
		require.Equal(t, string(plain), string(opened))

		at := rapid.IntRange(0, len(envelope)-1).Draw(t, "at")
		other := rapid.ByteRange(1, 126).Filter(func(b byte) bool { return b != envelope[at] }).Draw(t, "other")
		_, err = s.Open(envelope[:at]+string(rune(other))+envelope[at+1:], place)
		require.ErrorIs(t, err, ErrUnreadable)
		_, err = s.Open(envelope[:at], place)
		require.ErrorIs(t, err, ErrUnreadable, "truncated")
		_, err = s.Open(envelope[:at]+"\n"+envelope[at:], place)
		require.ErrorIs(t, err, ErrUnreadable, "with a line break")
	})
}

func TestUnknownKeyIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	envelope, err := newRing(t).Sealer(Data).Seal([]byte("x"), place)
	require.NoError(t, err)
	_, err = newRing(t).Sealer(Data).Open(envelope, place)
	require.ErrorIs(t, err, ErrUnknownKey)
	require.ErrorIs(t, err, ErrUnreadable)
}

func TestKeysetsOpenWithTheirOwnKEKInTheirOwnPlace(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	wrapped := newKeysets(t, kek)
	_, err := OpenKeyring(newKEK(t), wrapped, "US")
	require.ErrorContains(t, err, "does not open this database's data keyset")

	wrapped[Data], wrapped[Log] = wrapped[Log], wrapped[Data]
	_, err = OpenKeyring(kek, wrapped, "US")
	require.ErrorContains(t, err, "does not open")

	delete(wrapped, Index)
	wrapped[Data], wrapped[Log] = wrapped[Log], wrapped[Data]
	_, err = OpenKeyring(kek, wrapped, "US")
	require.ErrorContains(t, err, "no index keyset")
}

func TestKeyLifeCycle(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	wrapped := newKeysets(t, kek)
	ring, err := OpenKeyring(kek, wrapped, "US")
	require.NoError(t, err)
	old := ring.Sealer(Data).Primary()
	envelope, err := ring.Sealer(Data).Seal([]byte("x"), place)
	require.NoError(t, err)

	wrapped[Data], err = AddKey(Data, kek, wrapped[Data])
	require.NoError(t, err)
	require.NoError(t, ring.Load(kek, wrapped))
	require.Equal(t, old, ring.Sealer(Data).Primary(), "a new key seals nothing before it is promoted")
	keys, err := Keys(Data, kek, wrapped[Data])
	require.NoError(t, err)
	require.Len(t, keys, 2)

	wrapped[Data], err = Promote(Data, kek, wrapped[Data], keys[1].ID)
	require.NoError(t, err)
	require.NoError(t, ring.Load(kek, wrapped))
	require.Equal(t, keys[1].ID, ring.Sealer(Data).Primary())
	_, err = ring.Sealer(Data).Open(envelope, place)
	require.NoError(t, err, "the old key still opens")

	_, err = RemoveKey(Data, kek, wrapped[Data], keys[1].ID)
	require.Error(t, err, "the primary can't be removed")
	wrapped[Data], err = RemoveKey(Data, kek, wrapped[Data], old)
	require.NoError(t, err)
	require.NoError(t, ring.Load(kek, wrapped))
	_, err = ring.Sealer(Data).Open(envelope, place)
	require.ErrorIs(t, err, ErrUnknownKey)
}

func TestKEKFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "kek")
	_, err := LoadKEK("file:" + path)
	require.ErrorIs(t, err, ErrNoKEK)

	var racers sync.WaitGroup
	for range 16 {
		racers.Go(func() {
			if err := CreateKEK("file:" + path); err != nil {
				t.Error(err)
			}
		})
	}
	racers.Wait()
	first, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, CreateKEK("file:"+path))
	second, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(first), string(second), "a key that is there is never replaced")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")

	require.NoError(t, os.Chmod(path, 0o644))
	_, err = LoadKEK("file:" + path)
	require.ErrorContains(t, err, "chmod 600")

	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.WriteFile(path, []byte("canary-not-a-key"), 0o600))
	_, err = LoadKEK("file:" + path)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
	require.ErrorIs(t, CreateKEK("env:SOMETHING"), ErrNoKEK)
}

func TestKEKRotationTouchesNoKeyset(t *testing.T) {
	t.Parallel()
	uri := "file:" + filepath.Join(t.TempDir(), "kek")
	require.NoError(t, CreateKEK(uri))
	old, err := LoadKEK(uri)
	require.NoError(t, err)
	wrapped := newKeysets(t, old)
	ring, err := OpenKeyring(old, wrapped, "US")
	require.NoError(t, err)
	envelope, err := ring.Sealer(Data).Seal([]byte("x"), place)
	require.NoError(t, err)

	require.NoError(t, AddKEK(uri))
	require.NoError(t, AddKEK(uri), "again, as after an interruption")
	both, err := LoadKEK(uri)
	require.NoError(t, err)
	require.NoError(t, ring.Load(both, wrapped), "the old wrapping still opens")
	for _, p := range Purposes() {
		wrapped[p], err = Rewrap(p, both, both, wrapped[p])
		require.NoError(t, err)
	}
	require.NoError(t, TrimKEK(uri))
	fresh, err := LoadKEK(uri)
	require.NoError(t, err)
	require.NoError(t, ring.Load(fresh, wrapped))
	_, err = ring.Sealer(Data).Open(envelope, place)
	require.NoError(t, err)
	require.Error(t, ring.Load(old, wrapped), "the old key is of no use any more")
}

func TestIndexTokens(t *testing.T) {
	t.Parallel()
	x := newRing(t).Indexer()
	term := Term{Table: "patient", Column: "last_name", Purpose: "last_name", Bits: 16}
	token, err := x.Token(term, "smith")
	require.NoError(t, err)
	require.Regexp(t, `^bi1:[0-9a-f]{8}:[a-z_]{1,32}:[0-9a-f]{4,64}$`, token)
	again, err := x.Token(term, "smith")
	require.NoError(t, err)
	require.Equal(t, token, again)
	candidates, err := x.Candidates(term, "smith")
	require.NoError(t, err)
	require.Equal(t, []string{token}, candidates)

	wide := Term{Table: "patient", Column: "last_name", Purpose: "last_name", Bits: 128}
	seen := map[string]string{}
	for name, other := range map[string]Term{
		"itself": wide,
		"column": {Table: wide.Table, Column: "first_name", Purpose: wide.Purpose, Bits: wide.Bits},
		"table":  {Table: "account", Column: wide.Column, Purpose: wide.Purpose, Bits: wide.Bits},
	} {
		token, err := x.Token(other, "smith")
		require.NoError(t, err)
		require.Empty(t, seen[token], "the same value in another %s must have another token", name)
		seen[token] = name
	}
	other, err := newRing(t).Indexer().Token(wide, "smith")
	require.NoError(t, err)
	require.Empty(t, seen[other])
	require.NotContains(t, strings.Join(candidates, ""), "smith")
}
