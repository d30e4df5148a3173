package phi

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
)

// The first process makes the key; all others get that same key, whole.
func TestManyCreateOneKEK(t *testing.T) {
	t.Parallel()
	uri := "file:" + filepath.Join(t.TempDir(), "keys", "kek")
	const many = 16
	keks := make([]*KEK, many)
	start := make(chan struct{})
	var racers sync.WaitGroup
	for i := range many {
		racers.Go(func() {
			<-start
			if err := CreateKEK(uri); err != nil {
				t.Error(err)
				return
			}
			kek, err := LoadKEK(uri)
			if err != nil {
				t.Error(err)
				return
			}
			keks[i] = kek
		})
	}
	close(start)
	racers.Wait()
	require.False(t, t.Failed())
	for _, kek := range keks {
		wrapped, err := NewKeyset(Data, kek)
		require.NoError(t, err)
		_, err = Keys(Data, keks[0], wrapped)
		require.NoError(t, err, "two processes hold different keys")
	}
	folder, err := os.Stat(filepath.Join(uri[len("file:"):], ".."))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), folder.Mode().Perm())
}

func TestKEKFilesOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kek")
	require.NoError(t, CreateKEK("file:"+path))
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o660, 0o610, 0o601, 0o620, 0o602} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := LoadKEK("file:" + path)
		require.ErrorContains(t, err, "may be read by others", "%04o", mode)
		require.ErrorContains(t, AddKEK("file:"+path), "may be read by others", "%04o", mode)
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := LoadKEK("file:" + path)
		require.NoError(t, err, "%04o", mode)
	}
}

// wrongKEKs returns texts that are not key-encryption keys. The last one is a keyset, but its keys don't encrypt.
func wrongKEKs(t *testing.T) []string {
	t.Helper()
	handle, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	require.NoError(t, err)
	var other bytes.Buffer
	require.NoError(t, insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&other)))
	return []string{
		canary, `{"` + canary + `":1}`, `{"primaryKeyId":1,"key":[{"keyData":{"value":"` + canary + `"}}]}`, `{}`, "\x00", `["` + canary + `"`,
		other.String(),
	}
}

func TestWrongKEKTextIsNotEchoed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kek")
	for _, text := range wrongKEKs(t) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := LoadKEK("file:" + path)
		require.ErrorContains(t, err, path)
		require.NotErrorIs(t, err, ErrNoKEK, "a key would be made in its place")
		requireNoEcho(t, err, text)
	}
	for _, uri := range []string{canary, "", `{"key":"` + canary + `"}`, "http://" + canary} {
		_, err := LoadKEK(uri)
		require.ErrorContains(t, err, "phi.kek must begin with")
		requireNoEcho(t, err, canary)
	}
}

func requireNoEcho(t *testing.T, err error, text string) {
	t.Helper()
	require.NotContains(t, err.Error(), canary)
	if len(text) > 8 {
		require.NotContains(t, err.Error(), text)
	}
}

func TestKEKInTheEnvironment(t *testing.T) {
	const name = "NOVAMIND_TEST_KEK"
	path := filepath.Join(t.TempDir(), "kek")
	require.NoError(t, CreateKEK("file:"+path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	fromFile, err := LoadKEK("file:" + path)
	require.NoError(t, err)
	wrapped, err := NewKeyset(Data, fromFile)
	require.NoError(t, err)

	t.Setenv(name, string(text))
	fromEnv, err := LoadKEK("env:" + name)
	require.NoError(t, err)
	require.Equal(t, "env:"+name, fromEnv.String())
	_, err = Keys(Data, fromEnv, wrapped)
	require.NoError(t, err, "it is the same key")
	require.ErrorIs(t, CreateKEK("env:"+name), ErrNoKEK)
	require.ErrorContains(t, AddKEK("env:"+name), "is not a file")
	require.ErrorContains(t, TrimKEK("env:"+name), "is not a file")

	for _, wrong := range wrongKEKs(t) {
		if wrong == "\x00" {
			continue // no variable can hold it
		}
		t.Setenv(name, wrong)
		_, err = LoadKEK("env:" + name)
		require.ErrorContains(t, err, name)
		requireNoEcho(t, err, wrong)
	}
	t.Setenv(name, "")
	_, err = LoadKEK("env:" + name)
	require.ErrorIs(t, err, ErrNoKEK)
}

// A wrapped keyset in another's place does not open, even if both hold keys of one kind.
func TestKeysetsDontTakeEachOthersPlace(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	wrapped := newKeysets(t, kek)
	ring, err := OpenKeyring(kek, wrapped, "US")
	require.NoError(t, err)
	before := ring.Sealer(Data).Primary()
	for _, place := range Purposes() {
		for _, other := range Purposes() {
			if place == other {
				continue
			}
			swapped := maps.Clone(wrapped)
			swapped[place] = wrapped[other]
			require.ErrorContains(t, ring.Load(kek, swapped), "does not open this database's "+string(place)+" keyset")
			_, err := Keys(place, kek, wrapped[other])
			require.Error(t, err)
		}
		for _, text := range []string{canary, "{}", wrapped[place][:len(wrapped[place])/2]} {
			_, err := Keys(place, kek, text)
			require.ErrorContains(t, err, "does not open")
			require.NotContains(t, err.Error(), canary)
		}
	}
	require.Equal(t, before, ring.Sealer(Data).Primary(), "a failed load leaves the keyring as it was")
}
