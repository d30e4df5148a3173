package phi

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// tokenShape is the pattern of the CHECK in the database.
const tokenShape = `^bi1:[0-9a-f]{8}:[a-z_]{1,32}:[0-9a-f]{4,64}$`

func TestTokensOfEveryWidth(t *testing.T) {
	t.Parallel()
	x := newRing(t).Indexer()
	for _, bits := range []int{16, 24, 64, 128, 256} {
		token, err := x.Token(Term{"patient", "name", "name_prefix", bits}, "smi")
		require.NoError(t, err)
		require.Regexp(t, tokenShape, token)
		require.Len(t, token, len("bi1:01234567:name_prefix:")+bits/4)
	}
}

// Equal values have equal tokens. Different values, places, purposes and keys have different tokens.
func TestTokensTellApart(t *testing.T) {
	t.Parallel()
	x, y := newRing(t).Indexer(), newRing(t).Indexer()
	part := rapid.StringMatching(`[a-z_]{1,8}`)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) (Term, string) {
			return Term{part.Draw(t, label+" table"), part.Draw(t, label+" column"), part.Draw(t, label+" purpose"), 128},
				rapid.SampledFrom([]string{"", "smith", "smyth", "ſmith"}).Draw(t, label+" value")
		}
		term, value := draw("one")
		otherTerm, otherValue := term, value
		switch rapid.SampledFrom([]string{"none", "value", "table", "column", "purpose", "all"}).Draw(t, "change") {
		case "value":
			_, otherValue = draw("other")
		case "table":
			otherTerm.Table = part.Draw(t, "table")
		case "column":
			otherTerm.Column = part.Draw(t, "column")
		case "purpose":
			otherTerm.Purpose = part.Draw(t, "purpose")
		case "all":
			otherTerm, otherValue = draw("other")
		}
		token, err := x.Token(term, value)
		require.NoError(t, err)
		other, err := x.Token(otherTerm, otherValue)
		require.NoError(t, err)
		require.Equal(t, term == otherTerm && value == otherValue, hash(token) == hash(other))
		foreign, err := y.Token(term, value)
		require.NoError(t, err)
		require.NotEqual(t, hash(token), hash(foreign), "the key counts")
		require.Regexp(t, tokenShape, token)
	})
}

// hash is the end of a token of 128 bits: tokens must differ there, not only in their names.
func hash(token string) string { return token[len(token)-32:] }

// The parts of an index's name are kept apart, even if they concatenate to the same text.
func TestTokenNamesDontRunTogether(t *testing.T) {
	t.Parallel()
	x := newRing(t).Indexer()
	seen := map[string]bool{}
	for _, term := range []Term{{"ab", "c", "d", 128}, {"a", "bc", "d", 128}, {"a", "b", "cd", 128}, {"abc", "", "d", 128}, {"", "abc", "d", 128}} {
		token, err := x.Token(term, "v")
		require.NoError(t, err)
		require.False(t, seen[hash(token)])
		seen[hash(token)] = true
	}
}

func TestCandidatesFollowTheKeys(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	wrapped := newKeysets(t, kek)
	ring, err := OpenKeyring(kek, wrapped, "US")
	require.NoError(t, err)
	term := Term{"patient", "contact_info", "email", 128}
	first, err := ring.Indexer().Token(term, "v")
	require.NoError(t, err)

	wrapped[Index], err = AddKey(Index, kek, wrapped[Index])
	require.NoError(t, err)
	keys, err := Keys(Index, kek, wrapped[Index])
	require.NoError(t, err)
	wrapped[Index], err = Promote(Index, kek, wrapped[Index], keys[1].ID)
	require.NoError(t, err)
	require.NoError(t, ring.Load(kek, wrapped))
	x := ring.Indexer()
	second, err := x.Token(term, "v")
	require.NoError(t, err)
	require.NotEqual(t, hash(first), hash(second))
	candidates, err := x.Candidates(term, "v")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{first, second}, candidates, "what was stored under either key is found")
	require.Equal(t, keys[1].ID, x.Primary())
	require.Equal(t, 2, x.Keys())
	require.True(t, x.Knows(keys[0].ID) && x.Knows(keys[1].ID))
	require.False(t, x.Knows("00000000") || x.Knows("no key id"))
	require.True(t, x.Older(first))
	require.False(t, x.Older(second) || x.Older("bi1:00000000:email:00") || x.Older("bi1:"+keys[0].ID) || x.Older(""))

	wrapped[Index], err = RemoveKey(Index, kek, wrapped[Index], keys[0].ID)
	require.NoError(t, err)
	require.NoError(t, ring.Load(kek, wrapped))
	candidates, err = ring.Indexer().Candidates(term, "v")
	require.NoError(t, err)
	require.Equal(t, []string{second}, candidates)
}
