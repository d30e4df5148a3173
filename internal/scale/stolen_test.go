package scale

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/phi"
	"novamind/models"
)

// stolen is the table blindindex, as a thief sees it: the patients with each token, and the tokens of each patient. A
// token names its index.
type stolen struct {
	all     []*models.Patient // the truth, for judging guesses
	holders map[string][]int
	tokens  []map[string][]string // of each patient, by index
}

func steal(t *testing.T, all []*models.Patient) *stolen {
	t.Helper()
	db := newKeys(t)
	s := &stolen{all: all, holders: map[string][]int{}, tokens: make([]map[string][]string, len(all))}
	for i, p := range all {
		rows, err := p.Tokens(db)
		require.NoError(t, err)
		s.tokens[i] = map[string][]string{}
		for _, row := range rows {
			index := strings.Split(row.Token, ":")[2]
			s.holders[row.Token] = append(s.holders[row.Token], i)
			s.tokens[i][index] = append(s.tokens[i][index], row.Token)
		}
	}
	return s
}

// of returns the tokens of an index, the most frequent first.
func (s *stolen) of(index string) []string {
	var out []string
	for token := range s.holders {
		if strings.Split(token, ":")[2] == index {
			out = append(out, token)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(len(s.holders[b])-len(s.holders[a]), cmp.Compare(a, b))
	})
	return out
}

// entropy returns the bits of information in a random token of the index.
func (s *stolen) entropy(index string) (bits float64) {
	tokens, total := s.of(index), 0
	for _, token := range tokens {
		total += len(s.holders[token])
	}
	for _, token := range tokens {
		p := float64(len(s.holders[token])) / float64(total)
		bits -= p * math.Log2(p)
	}
	return bits
}

// shared returns the share of patients that have a token of the index in common with another patient.
func (s *stolen) shared(index string) float64 {
	return s.part(func(i int) bool {
		return slices.ContainsFunc(s.tokens[i][index], func(token string) bool { return len(s.holders[token]) > 1 })
	})
}

// part returns the share of patients for which holds is true.
func (s *stolen) part(holds func(patient int) bool) float64 {
	n := 0
	for i := range s.all {
		if holds(i) {
			n++
		}
	}
	return float64(n) / float64(len(s.all))
}

// field is a name of patients, with its index.
type field struct {
	index string
	name  func(*models.Patient) string
}

var (
	lastName  = field{"last_name", func(p *models.Patient) string { return p.LastName.Plain() }}
	firstName = field{"first_name", func(p *models.Patient) string { return p.FirstName.Plain() }}
)

// forms returns the search values of a patient's field: the parts of the name.
func (f field) forms(p *models.Patient) []string { return phi.NameParts(f.name(p)) }

// right returns the share of patients with at least one correctly guessed part of the name. guesses maps tokens to
// names.
func (s *stolen) right(f field, guesses map[string]string) float64 {
	return s.part(func(i int) bool { return s.isRight(f, guesses, i) })
}

func (s *stolen) isRight(f field, guesses map[string]string, i int) bool {
	forms := f.forms(s.all[i])
	return slices.ContainsFunc(s.tokens[i][f.index], func(token string) bool {
		guess, ok := guesses[token]
		return ok && slices.Contains(forms, guess)
	})
}
